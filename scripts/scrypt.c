/*
 * Hashes the password that comes on standard input, so that it stands on no
 * command line, as the module does (base/ezw_password.h).
 */

#include <stdio.h>
#include <openssl/rand.h>

#include "ezw_password.h"


int
main(void)
{
    char           password[256], hash[EZW_PASSWORD_HASH];
    size_t         size;
    unsigned char  salt[EZW_PASSWORD_SALT];

    size = fread(password, 1, sizeof(password), stdin);

    if (size == 0 || size == sizeof(password)
        || RAND_bytes(salt, sizeof(salt)) != 1
        || ezw_password_hash(password, size, salt, hash) != EZW_OK)
    {
        return 1;
    }

    printf("%s\n", hash);

    return 0;
}
