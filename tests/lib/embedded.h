/* An embedded JSON file, parsed: the descriptors and policies that tests begin with. */
#ifndef TESTS_LIB_EMBEDDED_H
#define TESTS_LIB_EMBEDDED_H
#include <jansson.h>

/* New reference; never NULL, since a path that is not embedded is a fault of the test. */
json_t *embedded_json(const char *path);
#endif
