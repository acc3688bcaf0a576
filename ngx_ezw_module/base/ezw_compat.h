/* Version conditionals, and nowhere else. */

#ifndef EZW_COMPAT_H
#define EZW_COMPAT_H

#include <openssl/evp.h>

#if (OPENSSL_VERSION_NUMBER >= 0x30000000L)
#define EZW_SHA256()  EVP_MD_fetch(NULL, "SHA256", NULL)
#else
#define EZW_SHA256()  EVP_sha256()
#endif

#endif
