/* The example of "write an adapter in an hour" (README): a made-up observatory with a small honest interface. Not part of the program. */
#ifndef TESTS_LIB_EXAMPLE_ADAPTER_H
#define TESTS_LIB_EXAMPLE_ADAPTER_H
#include "facilities/facility.h"

extern const struct facility_ops facility_example;
#endif
