/* Recorded or made exchanges with a facility, as JSON: the request behind a call, and a reply. tests/facility/cases.c says the members. */
#ifndef TESTS_LIB_EXCHANGE_H
#define TESTS_LIB_EXCHANGE_H
#include "facilities/facility.h"

/* A time of that member, or `otherwise` where it is absent. */
int64_t exchange_time(const json_t *object, const char *key, int64_t otherwise);
/* What is absent is a request that any facility would take; borrows from the JSON. */
struct facility_request exchange_request(const json_t *j, int64_t now_us);
/* *body: malloc'd, kept by the caller as long as the reply is used. */
struct reply exchange_reply(const json_t *j, char **body);
#endif
