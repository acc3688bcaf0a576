/* cmocka and what it wants to be included before it. */

#ifndef EZW_TEST_CM_H
#define EZW_TEST_CM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support.h"

#define assert_str(s, text)                                                   \
    do {                                                                      \
        assert_int_equal((s).len, strlen(text));                              \
        assert_memory_equal((s).data, text, strlen(text));                    \
    } while (0)

#endif
