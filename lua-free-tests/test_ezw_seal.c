/* ezw_seal: GCM's vectors, rotation of keys, and that nothing opens but what
 * was sealed for its context. */

#include <openssl/err.h>

#include "cm.h"
#include "ezw_id.h"
#include "ezw_seal.h"


#define KEY_A  "feffe9928665731c6d6a8f9467308308"                             \
               "feffe9928665731c6d6a8f9467308308"
#define KEY_0  "00000000000000000000000000000000"                             \
               "00000000000000000000000000000000"
#define KEY_1  "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
#define HEX_1  "41414141414141414141414141414141"                             \
               "41414141414141414141414141414141"

/* the first of SHA-256, by another program */
#define ID_A   "7f70dfd819c3c582"
#define ID_0   "66687aadf862bd77"


static int
read_text(const char *text, ezw_seal_ring_t *ring, ezw_invalid_t *why)
{
    int        rc;
    ezw_str_t  s;

    memset(ring, 0xcc, sizeof(ezw_seal_ring_t));
    memset(why, 0, sizeof(ezw_invalid_t));

    s = tight(text, strlen(text));
    rc = ezw_seal_ring_read(s.data, s.len, ring, why);
    free(s.data);

    return rc;
}


static void
read_ring(const char *text, ezw_seal_ring_t *ring)
{
    ezw_invalid_t  why;

    assert_int_equal(read_text(text, ring, &why), EZW_OK);
}


/* Both ends lie where their allocations end. */
static int
open_sealed(const ezw_seal_ring_t *ring, const char *context,
    const unsigned char *p, size_t len, unsigned char *plain, size_t *plain_len,
    unsigned *key)
{
    int        rc;
    size_t     room, i;
    ezw_str_t  c, in, out;

    room = (len > EZW_SEAL_OVERHEAD) ? len - EZW_SEAL_OVERHEAD : 0;
    c = str(context);
    in = tight(p, len);
    out = tight(p, room);
    memset(out.data, 0xcc, room);

    rc = ezw_seal_open(ring, &c, in.data, len, out.data, plain_len, key);

    if (rc == EZW_OK) {
        assert_int_equal(*plain_len, room);
        memcpy(plain, out.data, room);

    } else {
        assert_int_equal(*plain_len, 0);

        /* either untouched or wiped */

        for (i = 1; i < room; i++) {
            assert_int_equal(out.data[i], out.data[0]);
        }

        assert_true(room == 0 || out.data[0] == 0xcc || out.data[0] == 0);
    }

    free(in.data);
    free(out.data);
    assert_int_equal(ERR_peek_error(), 0);

    return rc;
}


/* A vector of GCM: plaintext, context, nonce, and what is sealed, in hex. */
static void
assert_sealed(const char *key, const char *id, const char *nonce,
    const char *context, const char *plain, const char *sealed)
{
    char             text[512];
    size_t           len;
    unsigned         i;
    ezw_str_t        s, c;
    unsigned char    n[12], a[64], p[128], expected[128], out[128], *dst;
    ezw_seal_ring_t  ring;

    read_ring(key, &ring);

    s = str(nonce);
    assert_int_equal(ezw_hex_parse(&s, n), EZW_OK);
    s = str(context);
    assert_int_equal(ezw_hex_parse(&s, a), EZW_OK);
    c.data = a;
    c.len = s.len / 2;
    s = str(plain);
    assert_int_equal(ezw_hex_parse(&s, p), EZW_OK);
    len = s.len / 2;

    sprintf(text, "01%s%s%s", id, nonce, sealed);
    s = str(text);
    assert_int_equal(s.len / 2, len + EZW_SEAL_OVERHEAD);
    assert_int_equal(ezw_hex_parse(&s, expected), EZW_OK);

    dst = malloc(len + EZW_SEAL_OVERHEAD);
    assert_int_equal(ezw_seal(&ring, &c, n, p, len, dst), EZW_OK);
    assert_memory_equal(dst, expected, len + EZW_SEAL_OVERHEAD);

    i = 99;
    assert_int_equal(ezw_seal_open(&ring, &c, dst, len + EZW_SEAL_OVERHEAD,
                                   out, &len, &i),
                     EZW_OK);
    assert_int_equal(i, 0);
    assert_int_equal(len, strlen(plain) / 2);
    assert_memory_equal(out, p, len);
    free(dst);

    assert_int_equal(ERR_peek_error(), 0);
}


/* McGrew and Viega, The Galois/Counter Mode of Operation, appendix B, test
 * cases 13, 14 and 16. */
static void
test_vectors(void **state)
{
    (void) state;

    assert_sealed(KEY_0, ID_0, "000000000000000000000000", "", "",
                  "530f8afbc74536b9a963b4f1c4cb738b");
    assert_sealed(KEY_0, ID_0, "000000000000000000000000", "",
                  "00000000000000000000000000000000",
                  "cea7403d4d606b6e074ec5d3baf39d18"
                  "d0d1c8a799996bf0265b98b5d48ab919");
    assert_sealed(KEY_A, ID_A, "cafebabefacedbaddecaf888",
                  "feedfacedeadbeeffeedfacedeadbeefabaddad2",
                  "d9313225f88406e5a55909c5aff5269a"
                  "86a7a9531534f7da2e4c303d8a318a72"
                  "1c3c0c95956809532fcf0e2449a6b525"
                  "b16aedf5aa0de657ba637b39",
                  "522dc1f099567d07f47f37a32a84427d"
                  "643a8cdcbfe5c0c97598a2bd2555d1aa"
                  "8cb08e48590dbb3da7b08b1056828838"
                  "c5f61e6393ba7a0abcc9f662"
                  "76fc6ece0f4e1768cddf8853bb2d551b");
}


/* Seals "a secret of theirs" for "row 1". */
static size_t
seal(const ezw_seal_ring_t *ring, unsigned char *dst)
{
    ezw_str_t  context;

    static const char           plain[] = "a secret of theirs";
    static const unsigned char  nonce[12] = { 1, 2, 3 };

    context = str("row 1");
    assert_int_equal(ezw_seal(ring, &context, nonce,
                              (const unsigned char *) plain, strlen(plain),
                              dst),
                     EZW_OK);

    return strlen(plain) + EZW_SEAL_OVERHEAD;
}


static void
test_altered(void **state)
{
    size_t           i, len, n;
    unsigned         key;
    unsigned char    sealed[100], plain[100];
    ezw_seal_ring_t  ring;

    (void) state;

    read_ring(KEY_A, &ring);
    len = seal(&ring, sealed);

    assert_int_equal(open_sealed(&ring, "row 1", sealed, len, plain, &n, &key),
                     EZW_OK);
    assert_int_equal(n, 18);
    assert_memory_equal(plain, "a secret of theirs", 18);

    /* for another row, or none */

    assert_int_equal(open_sealed(&ring, "row 2", sealed, len, plain, &n, &key),
                     EZW_DECLINED);
    assert_int_equal(open_sealed(&ring, "row 11", sealed, len, plain, &n,
                                 &key),
                     EZW_DECLINED);
    assert_int_equal(open_sealed(&ring, "row ", sealed, len, plain, &n, &key),
                     EZW_DECLINED);
    assert_int_equal(open_sealed(&ring, "", sealed, len, plain, &n, &key),
                     EZW_DECLINED);

    /* each bit, each length */

    for (i = 0; i < 8 * len; i++) {
        sealed[i / 8] ^= (unsigned char) (1 << i % 8);
        assert_int_equal(open_sealed(&ring, "row 1", sealed, len, plain, &n,
                                     &key),
                         EZW_DECLINED);
        sealed[i / 8] ^= (unsigned char) (1 << i % 8);
    }

    for (i = 0; i < len; i++) {
        assert_int_equal(open_sealed(&ring, "row 1", sealed, i, plain, &n,
                                     &key),
                         EZW_DECLINED);
    }

    sealed[len] = 0;
    assert_int_equal(open_sealed(&ring, "row 1", sealed, len + 1, plain, &n,
                                 &key),
                     EZW_DECLINED);
}


/* A new key before the old one, then the old one alone, then without it. */
static void
test_rotation(void **state)
{
    size_t           len, n;
    unsigned         key;
    unsigned char    sealed[100], again[100], plain[100];
    ezw_seal_ring_t  old, both, new;

    (void) state;

    read_ring(KEY_A, &old);
    read_ring("# of this year\n" KEY_1 "\n\n# of last year\n" KEY_A "\n",
              &both);
    read_ring(KEY_1, &new);

    len = seal(&old, sealed);

    assert_int_equal(open_sealed(&both, "row 1", sealed, len, plain, &n, &key),
                     EZW_OK);
    assert_int_equal(key, 1);
    assert_memory_equal(plain, "a secret of theirs", 18);

    len = seal(&both, again);
    assert_int_equal(open_sealed(&both, "row 1", again, len, plain, &n, &key),
                     EZW_OK);
    assert_int_equal(key, 0);
    assert_int_equal(open_sealed(&new, "row 1", again, len, plain, &n, &key),
                     EZW_OK);
    assert_int_equal(key, 0);

    assert_int_equal(open_sealed(&new, "row 1", sealed, len, plain, &n, &key),
                     EZW_DECLINED);
    assert_int_equal(open_sealed(&old, "row 1", again, len, plain, &n, &key),
                     EZW_DECLINED);

    /* the other key's name on it */

    memcpy(again + 1, sealed + 1, 8);
    assert_int_equal(open_sealed(&both, "row 1", again, len, plain, &n, &key),
                     EZW_DECLINED);
}


/* Many bytes, none, and no ring. */
static void
test_lengths(void **state)
{
    size_t           len, n;
    unsigned         key;
    ezw_str_t        context;
    unsigned char    nonce[12], *plain, *sealed, *back;
    ezw_seal_ring_t  ring;

    (void) state;

    read_ring(KEY_A, &ring);
    context = str("");
    memset(nonce, 7, sizeof(nonce));

    for (len = 0; len < 100000; len = len * 2 + 1) {
        plain = malloc(len + 1);
        back = malloc(len + 1);
        sealed = malloc(len + EZW_SEAL_OVERHEAD);
        memset(plain, 'p', len);

        assert_int_equal(ezw_seal(&ring, &context, nonce, plain, len, sealed),
                         EZW_OK);
        assert_int_equal(open_sealed(&ring, "", sealed,
                                     len + EZW_SEAL_OVERHEAD, back, &n, &key),
                         EZW_OK);
        assert_int_equal(n, len);
        assert_memory_equal(back, plain, len);

        free(plain);
        free(back);
        free(sealed);
    }

    ring.n = 0;
    sealed = malloc(EZW_SEAL_OVERHEAD);
    assert_int_equal(ezw_seal(&ring, &context, nonce, sealed, 0, sealed),
                     EZW_ERROR);
    free(sealed);
}


static void
test_ring(void **state)
{
    unsigned         i;
    ezw_seal_ring_t  ring, other;

    static const char  *texts[] = {
        HEX_1, HEX_1 "\n", "\r\n  " HEX_1 "\r\n", "\t" KEY_1 " # new",
        "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE", "#\n#" KEY_A "\n" KEY_1
    };

    (void) state;

    read_ring(KEY_1, &ring);
    assert_int_equal(ring.n, 1);

    for (i = 0; i < 32; i++) {
        assert_int_equal(ring.keys[0].key[i], 'A');
    }

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        read_ring(texts[i], &other);
        assert_int_equal(other.n, 1);
        assert_memory_equal(&other.keys[0], &ring.keys[0],
                            sizeof(ring.keys[0]));
    }

    read_ring(KEY_1 "\n" KEY_A "\n" KEY_0, &ring);
    assert_int_equal(ring.n, 3);
}


/* Eight keys and one more. */
static void
test_ring_full(void **state)
{
    char            *p, text[1024];
    unsigned         i, n;
    ezw_invalid_t    why;
    ezw_seal_ring_t  ring;

    (void) state;

    for (n = 8; n <= 9; n++) {
        p = text;

        for (i = 1; i <= n; i++) {
            p += sprintf(p, "%064u\n", i);
        }

        assert_int_equal(read_text(text, &ring, &why),
                         n == 8 ? EZW_OK : EZW_INVALID);
    }

    assert_string_equal(why.text, "line 9: more than 8 keys");
}


static void
test_ring_refuses(void **state)
{
    size_t           i, j;
    ezw_invalid_t    why;
    ezw_seal_ring_t  ring;

    static const struct {
        const char  *text;
        const char  *reason;
    } cases[] = {
        { "", "no key in it" },
        { "\n\n", "no key in it" },
        { "# " KEY_A "\n", "no key in it" },
        { "secret", "line 1: a key is 32 bytes in hex or base64" },
        { KEY_A "00", "line 1: a key is 32 bytes in hex or base64" },
        { KEY_A "\n\n# a\n0" KEY_A, "line 4: a key is 32 bytes in hex or "
                                    "base64" },
        { KEY_A KEY_A, "line 1: a key is 32 bytes in hex or base64" },
        { KEY_A " " KEY_0, "line 1: a key is 32 bytes in hex or base64" },
        { "QUFBQQ==", "line 1: a key is 32 bytes in hex or base64" },
        { KEY_A "\n" KEY_0 "\n" KEY_A, "line 3: the key was there before" },
        { KEY_1 "\n" HEX_1 "\n", "line 2: the key was there before" }
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(read_text(cases[i].text, &ring, &why), EZW_INVALID);
        assert_string_equal(why.text, cases[i].reason);
        assert_int_equal(why.code, 1004);

        /* what was read before is wiped */

        for (j = 0; j < sizeof(ring); j++) {
            assert_int_equal(((unsigned char *) &ring)[j], 0);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_altered),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_ring),
        cmocka_unit_test(test_ring_full),
        cmocka_unit_test(test_ring_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
