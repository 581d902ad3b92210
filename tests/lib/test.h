/* What every test program includes: cmocka, asserts with an err text, and a way to skip aloud without ../shared. */
#ifndef TESTS_LIB_TEST_H
#define TESTS_LIB_TEST_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "engine/base/err.h"

/* Fails with the error's text where the call returned non-zero. */
#define assert_ok(call, e) do { if ((call) != 0) fail_msg("%s: %s", #call, (e)->text); } while (0)

/* Path below the folder of real data (SLEW_SHARED or ../shared), or skip()s the test aloud when it is absent. */
#define shared_path(buf, rel) do { const char *shared_ = getenv("SLEW_SHARED"); \
	snprintf(buf, sizeof buf, "%s/%s", shared_ ? shared_ : "../shared", rel); \
	if (access(buf, R_OK) != 0) { printf("# skipped: %s is not there\n", buf); skip(); } } while (0)
#endif
