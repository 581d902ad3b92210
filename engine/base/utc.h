/* UTC as int64_t microseconds since 1970-01-01 (POSIX time: a leap second repeats the last one). Pure: no clock is read here. */
#ifndef ENGINE_BASE_UTC_H
#define ENGINE_BASE_UTC_H
#include "engine/base/err.h"
#include <stdint.h>

#define UTC_SECOND ((int64_t)1000000)
#define UTC_MINUTE (60 * UTC_SECOND)
#define UTC_HOUR (3600 * UTC_SECOND)
#define UTC_DAY (86400 * UTC_SECOND)
#define UTC_NONE INT64_MIN /* unknown time; JSON and SQL null */

/* Reads ISO 8601: "2026-11-23T13:58:01[.fraction][Z|+hh:mm|-hh:mm]", 'T' or space, seconds optional; no zone means UTC. Years 1900–2200. */
int utc_parse(const char *s, int64_t *utc_us, struct err *e);

/* "2026-11-23T13:58:01.123456Z" / "2026-11-23T13:58:01Z" / "13:58:01"; "-" for UTC_NONE. Returns out. */
char *utc_format(char out[32], int64_t utc_us);
char *utc_format_s(char out[32], int64_t utc_us);
char *utc_format_hms(char out[32], int64_t utc_us);

/* Days since 2000-01-01T12:00 UTC (JD - 2451545.0), exact to < 1 µs over centuries. */
double utc_j2000_days(int64_t utc_us);
#endif
