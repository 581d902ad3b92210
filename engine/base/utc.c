/* UTC calendar arithmetic: see utc.h. Days from civil: H. Hinnant, chrono-compatible date algorithms. */
#include "engine/base/utc.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static int64_t days_from_civil(int y, int m, int d)
{
	y -= m <= 2;
	int era = (y >= 0 ? y : y - 399) / 400;
	int yoe = y - era * 400;
	int doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	int doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return (int64_t)era * 146097 + doe - 719468;
}

static void civil_from_days(int64_t z, int *y, int *m, int *d)
{
	z += 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int doe = (int)(z - era * 146097);
	int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int mp = (5 * doy + 2) / 153;
	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp < 10 ? mp + 3 : mp - 9;
	*y = (int)(yoe + era * 400) + (*m <= 2);
}

/* Reads exactly n digits; -1 where they are not there. */
static int digits(const char **p, int n)
{
	int v = 0;
	for (int i = 0; i < n; i++) {
		if (!isdigit((unsigned char)(*p)[i]))
			return -1;
		v = v * 10 + ((*p)[i] - '0');
	}
	*p += n;
	return v;
}

static int64_t fraction_us(const char **p)
{
	int64_t us = 0, scale = 100000;
	if (**p != '.' && **p != ',')
		return 0;
	(*p)++;
	for (; isdigit((unsigned char)**p); (*p)++, scale /= 10)
		us += (**p - '0') * scale;
	return us;
}

/* Offset of the zone in µs; sets *bad where it cannot be read. */
static int64_t zone_us(const char **p, int *bad)
{
	if (**p == 'Z' || **p == 'z') {
		(*p)++;
		return 0;
	}
	if (**p != '+' && **p != '-')
		return 0;
	int sign = *(*p)++ == '-' ? -1 : 1, h = digits(p, 2);
	if (**p == ':')
		(*p)++;
	int m = **p ? digits(p, 2) : 0;
	if (h < 0 || h > 18 || m < 0 || m > 59)
		*bad = 1;
	return sign * (h * UTC_HOUR + m * UTC_MINUTE);
}

int utc_parse(const char *s, int64_t *utc_us, struct err *e)
{
	static const int month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	const char *p = s;
	int bad = 0;
	int y = digits(&p, 4), mo = *p++ == '-' ? digits(&p, 2) : -1, d = mo < 0 || *p++ != '-' ? -1 : digits(&p, 2);
	int h = 0, mi = 0, sec = 0;
	if (d >= 0 && (*p == 'T' || *p == 't' || *p == ' ')) {
		p++;
		h = digits(&p, 2);
		mi = h < 0 || *p++ != ':' ? -1 : digits(&p, 2);
		if (mi >= 0 && *p == ':') {
			p++;
			sec = digits(&p, 2);
		}
	}
	if (y >= 0 && (y < 1900 || y > 2200) && mo > 0 && d > 0)
		return err_set(e, ERR_INPUT, "time \"%.40s\" is not within the years 1900 to 2200; give a time in them", s);
	bad |= y < 0 || mo < 1 || mo > 12 || d < 1 || h < 0 || h > 23 || mi < 0 || mi > 59 || sec < 0 || sec > 60;
	if (!bad)
		bad = d > month_days[mo - 1] || (mo == 2 && d == 29 && (y % 4 != 0 || (y % 100 == 0 && y % 400 != 0)));
	if (bad)
		return err_set(e, ERR_INPUT, "time \"%.40s\" is not ISO 8601; write it like 2026-11-23T13:58:01Z", s);
	int64_t us = fraction_us(&p), zone = zone_us(&p, &bad);
	if (bad || *p != '\0')
		return err_set(e, ERR_INPUT, "time \"%.40s\" ends in something that is no zone; write Z or +hh:mm", s);
	*utc_us = days_from_civil(y, mo, d) * UTC_DAY + h * UTC_HOUR + mi * UTC_MINUTE + sec * UTC_SECOND + us - zone;
	return 0;
}

static char *format_any(char out[32], int64_t utc_us, int what)
{
	if (utc_us == UTC_NONE)
		return memcpy(out, "-", 2);
	int64_t day = utc_us / UTC_DAY, rest = utc_us % UTC_DAY;
	if (rest < 0) {
		rest += UTC_DAY;
		day--;
	}
	int y, m, d;
	civil_from_days(day, &y, &m, &d);
	int h = (int)(rest / UTC_HOUR), mi = (int)(rest / UTC_MINUTE % 60), s = (int)(rest / UTC_SECOND % 60), us = (int)(rest % UTC_SECOND);
	char wide[80];
	if (what == 0)
		snprintf(wide, sizeof wide, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", y, m, d, h, mi, s, us);
	else if (what == 1)
		snprintf(wide, sizeof wide, "%04d-%02d-%02dT%02d:%02d:%02dZ", y, m, d, h, mi, s);
	else
		snprintf(wide, sizeof wide, "%02d:%02d:%02d", h, mi, s);
	wide[31] = '\0';
	return memcpy(out, wide, 32);
}

char *utc_format(char out[32], int64_t utc_us)
{
	return format_any(out, utc_us, 0);
}

char *utc_format_s(char out[32], int64_t utc_us)
{
	return format_any(out, utc_us, 1);
}

char *utc_format_hms(char out[32], int64_t utc_us)
{
	return format_any(out, utc_us, 2);
}

double utc_j2000_days(int64_t utc_us)
{
	const int64_t j2000_us = (int64_t)946728000 * UTC_SECOND;
	int64_t d = utc_us - j2000_us;
	return (double)(d / UTC_DAY) + (double)(d % UTC_DAY) / (double)UTC_DAY;
}
