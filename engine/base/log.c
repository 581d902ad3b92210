/* One line per message: see log.h. */
#include "engine/base/log.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <stdarg.h>
#include <string.h>

void log_line(const struct log *log, int64_t utc_us, enum log_level level, const char *subject, const char *format, ...)
{
	static const char *const names[] = {"debug", "info", "notice", "warn", "alarm"};
	char raw[2048], clean[2048], who[80], when[32];
	if (log == NULL || log->to == NULL || level < log->least)
		return;
	va_list ap;
	va_start(ap, format);
	vsnprintf(raw, sizeof raw, format, ap);
	va_end(ap);
	text_escape(clean, sizeof clean, raw, strlen(raw));
	text_escape(who, sizeof who, subject, strlen(subject));
	fprintf(log->to, "%s %s %s %s\n", utc_format(when, utc_us), names[level], who, clean);
	fflush(log->to);
}
