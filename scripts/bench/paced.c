/*
 * Load at a fixed rate: one request, RATE times a second, for SECONDS, over
 * CONNECTIONS kept alive to a port of 127.0.0.1.
 *
 *     paced PORT RATE SECONDS CONNECTIONS <request
 *
 * Request n is due at n/RATE whatever becomes of those before it, and its
 * latency counts from when it was due: a server that stalls is not spared by a
 * client that waits for it (wrk's would).  Prints what wrk's script prints:
 * "bench REQUESTS MICROSECONDS P50 P99 ERRORS", latencies in microseconds.
 */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>


#define ANSWER_MAX  16384
#define DRAIN_NS    UINT64_C(10000000000)    /* for the last answers */


typedef struct {
    int        fd;
    uint64_t   due;               /* of the request under way */
    size_t     len;
    char       answer[ANSWER_MAX + 1];
} client_t;


static char       request[65536];
static size_t     request_len;
static client_t  *clients;
static int       *idle;           /* numbers of clients */
static int        nidle;
static uint32_t  *latencies;      /* us */
static size_t     done, errors;


static uint64_t
clock_ns(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}


static void
die(const char *what)
{
    perror(what);
    exit(1);
}


static void
connect_client(client_t *c, int port, int ep)
{
    int                 on = 1;
    struct epoll_event  ev;
    struct sockaddr_in  sin;

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons((uint16_t) port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    c->fd = socket(AF_INET, SOCK_STREAM, 0);

    if (c->fd == -1
        || connect(c->fd, (struct sockaddr *) &sin, sizeof(sin)) == -1
        || setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == -1)
    {
        die("connect");
    }

    ev.events = EPOLLIN;
    ev.data.ptr = c;

    if (epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev) == -1) {
        die("epoll_ctl");
    }
}


/* The length of a whole answer at the beginning of c->answer, 0: not yet. */
static size_t
answer_length(client_t *c)
{
    char    *head_end, *length;
    size_t   head;

    head_end = strstr(c->answer, "\r\n\r\n");
    if (head_end == NULL) {
        return 0;
    }

    head = (size_t) (head_end - c->answer) + 4;
    length = strcasestr(c->answer, "\r\nContent-Length:");

    if (length == NULL || length > head_end) {
        fprintf(stderr, "an answer without Content-Length\n");
        exit(1);
    }

    head += strtoul(length + sizeof("\r\nContent-Length:") - 1, NULL, 10);

    return head <= c->len ? head : 0;
}


static void
receive(client_t *c)
{
    ssize_t   n;

    n = recv(c->fd, c->answer + c->len, ANSWER_MAX - c->len, MSG_DONTWAIT);

    if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }

    if (n <= 0) {
        fprintf(stderr, "a connection was closed\n");
        exit(1);
    }

    c->len += (size_t) n;
    c->answer[c->len] = '\0';

    if (answer_length(c) == 0) {
        return;
    }

    if (strncmp(c->answer, "HTTP/1.1 200 ", 13) != 0) {
        errors++;
    }

    latencies[done++] = (uint32_t) ((clock_ns() - c->due) / 1000);
    idle[nidle++] = (int) (c - clients);
}


static int
by_value(const void *a, const void *b)
{
    uint32_t  x = *(const uint32_t *) a, y = *(const uint32_t *) b;

    return (x > y) - (x < y);
}


int
main(int argc, char **argv)
{
    int                  i, n, ep, nclients;
    size_t               sent, total;
    double               rate;
    client_t            *c;
    uint64_t             start, now, due, end;
    struct timespec      wait;
    struct epoll_event   events[256];

    if (argc != 5) {
        fprintf(stderr, "usage: paced PORT RATE SECONDS CONNECTIONS\n");
        return 2;
    }

    rate = atof(argv[2]);
    total = (size_t) (rate * atof(argv[3]));
    nclients = atoi(argv[4]);

    request_len = fread(request, 1, sizeof(request), stdin);
    clients = calloc((size_t) nclients, sizeof(client_t));
    idle = calloc((size_t) nclients, sizeof(int));
    latencies = calloc(total, sizeof(uint32_t));

    if (rate <= 0 || total == 0 || nclients <= 0 || request_len == 0
        || clients == NULL || idle == NULL || latencies == NULL)
    {
        fprintf(stderr, "paced: nothing to do, or no memory for it\n");
        return 2;
    }

    /* or the kernel lets each wait last 50 us more */
    prctl(PR_SET_TIMERSLACK, 1000);

    ep = epoll_create1(0);

    for (i = 0; i < nclients; i++) {
        connect_client(&clients[i], atoi(argv[1]), ep);
        idle[nidle++] = i;
    }

    start = clock_ns();
    due = start;
    end = start + (uint64_t) (1e9 * (double) total / rate) + DRAIN_NS;
    sent = 0;

    while (done < total) {
        now = clock_ns();

        if (now > end) {
            errors += total - done;
            break;
        }

        while (sent < total && due <= now && nidle) {
            c = &clients[idle[--nidle]];
            c->due = due;
            c->len = 0;

            if (send(c->fd, request, request_len, MSG_NOSIGNAL)
                != (ssize_t) request_len)
            {
                die("send");
            }

            sent++;
            due = start + (uint64_t) (1e9 * (double) sent / rate);
        }

        wait.tv_sec = 0;
        wait.tv_nsec = 100000000;

        if (sent < total && nidle) {
            now = clock_ns();
            wait.tv_nsec = due > now ? (long) (due - now) : 0;

            if (wait.tv_nsec > 100000000) {
                wait.tv_nsec = 100000000;
            }
        }

        n = epoll_pwait2(ep, events, 256, &wait, NULL);

        if (n == -1 && errno != EINTR) {
            die("epoll_pwait2");
        }

        for (i = 0; i < n; i++) {
            receive(events[i].data.ptr);
        }
    }

    now = clock_ns();

    if (done == 0) {
        fprintf(stderr, "no answer\n");
        return 1;
    }

    qsort(latencies, done, sizeof(uint32_t), by_value);

    printf("bench %zu %llu %u %u %zu\n", done,
           (unsigned long long) ((now - start) / 1000), latencies[done / 2],
           latencies[done - 1 - done / 100], errors);

    return 0;
}
