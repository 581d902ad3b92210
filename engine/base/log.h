/* Log lines: `2026-11-23T13:58:01.123456Z notice S230518h rank targets=812 ms=43`. A sink is handed in; the time too. */
#ifndef ENGINE_BASE_LOG_H
#define ENGINE_BASE_LOG_H
#include <stdint.h>
#include <stdio.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARN, LOG_ALARM };

struct log {
	FILE *to;              /* borrowed; NULL: nothing is written */
	enum log_level least;
};

/* One line; control characters of the message are escaped, it is cut at 2 KiB. subject: event or facility first, "-" for none. */
void log_line(const struct log *log, int64_t utc_us, enum log_level level, const char *subject, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
#endif
