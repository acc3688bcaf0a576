/* Sealing: a file of any bytes is a ring or refused; bytes of any kind open
 * only when sealing makes them again; what is sealed opens, unless a bit of it
 * was changed. */

#include <openssl/err.h>

#include "support.h"
#include "ezw_seal.h"


#define RING  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"


static void
check_ring(const ezw_str_t *text)
{
    int              rc;
    unsigned         i, j;
    ezw_invalid_t    why;
    ezw_seal_ring_t  ring;

    memset(&why, 0, sizeof(why));
    rc = ezw_seal_ring_read(text->data, text->len, &ring, &why);

    if (rc != EZW_OK) {
        CHECK(rc == EZW_INVALID && why.text[0] != '\0' && ring.n == 0);
        return;
    }

    CHECK(ring.n >= 1 && ring.n <= EZW_SEAL_KEYS);

    for (i = 0; i < ring.n; i++) {
        for (j = 0; j < i; j++) {
            CHECK(memcmp(ring.keys[i].key, ring.keys[j].key, 32) != 0);
        }
    }
}


static void
check_open(const ezw_seal_ring_t *ring, const ezw_str_t *text)
{
    int             rc;
    size_t          len;
    unsigned        key;
    ezw_str_t       context;
    unsigned char  *plain, *again;

    plain = malloc(text->len + 1);
    context = str("c");

    rc = ezw_seal_open(ring, &context, text->data, text->len, plain, &len,
                       &key);

    if (rc == EZW_OK) {
        CHECK(key == 0 && len + EZW_SEAL_OVERHEAD == text->len);

        again = malloc(text->len);
        CHECK(ezw_seal(ring, &context, text->data + 9, plain, len, again)
              == EZW_OK);
        CHECK(memcmp(again, text->data, text->len) == 0);
        free(again);

    } else {
        CHECK(rc == EZW_DECLINED && len == 0);
    }

    free(plain);
}


static void
check_sealed(const ezw_seal_ring_t *ring, const ezw_str_t *text, size_t bit)
{
    size_t          len, size;
    unsigned        key;
    ezw_str_t       context;
    unsigned char  *sealed, *plain, nonce[12];

    size = text->len + EZW_SEAL_OVERHEAD;
    sealed = malloc(size);
    plain = malloc(text->len + 1);
    context.data = text->data;
    context.len = text->len / 2;
    memset(nonce, (int) bit, sizeof(nonce));

    CHECK(ezw_seal(ring, &context, nonce, text->data, text->len, sealed)
          == EZW_OK);
    CHECK(ezw_seal_open(ring, &context, sealed, size, plain, &len, &key)
          == EZW_OK);
    CHECK(len == text->len && key == 0);
    CHECK(len == 0 || memcmp(plain, text->data, len) == 0);

    bit %= 8 * size;
    sealed[bit / 8] ^= (unsigned char) (1 << bit % 8);
    CHECK(ezw_seal_open(ring, &context, sealed, size, plain, &len, &key)
          == EZW_DECLINED);

    free(sealed);
    free(plain);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t           bit;
    ezw_str_t        text;
    ezw_invalid_t    why;
    ezw_seal_ring_t  ring;

    text = tight(data, size);

    CHECK(ezw_seal_ring_read((const unsigned char *) RING, strlen(RING), &ring,
                             &why)
          == EZW_OK);

    check_ring(&text);
    check_open(&ring, &text);

    bit = (size > 1) ? (size_t) data[0] << 8 | data[1] : 0;
    check_sealed(&ring, &text, bit);

    free(text.data);
    CHECK(ERR_peek_error() == 0);

    return 0;
}
