/* Writes a made-up GLADE+ as it is published: `glade_text ROWS SEED > FILE`. The shares of nulls, photometric redshifts and names are about those
 * of the real one; positions and distances are drawn, so that the same arguments give the same bytes. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;

static double drawn(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (double)(state >> 11) / 9007199254740992.0;
}

static char *put(char *p, const char *s)
{
	size_t n = strlen(s);
	memcpy(p, s, n);
	p[n] = ' ';
	return p + n + 1;
}

static char *put_fixed(char *p, double v, int places) /* faster than printf, which would be most of the time */
{
	static const double tens[] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
	char digits[24];
	if (v < 0) {
		*p++ = '-';
		v = -v;
	}
	uint64_t n = (uint64_t)(v * tens[places] + 0.5);
	int len = 0;
	for (; len <= places || n > 0; n /= 10)
		digits[len++] = (char)('0' + n % 10);
	while (len > 0) {
		*p++ = digits[--len];
		if (len == places && places > 0)
			*p++ = '.';
	}
	*p++ = ' ';
	return p;
}

static char *put_name(char *p, double ra, double dec)
{
	double h = ra / 15, d = fabs(dec);
	int s100 = (int)(h * 360000), as10 = (int)(d * 36000);
	return p + sprintf(p, "J%02d%02d%02d.%02d%c%02d%02d%02d.%d ", s100 / 360000, s100 / 6000 % 60, s100 / 100 % 60, s100 % 100, dec < 0 ? '-' : '+',
		as10 / 36000, as10 / 600 % 60, as10 / 10 % 60, as10 % 10);
}

/* A row: photometric ones are WISExSCOS galaxies, spectroscopic ones have most columns. */
static size_t row(char *out, long number)
{
	double ra = 360 * drawn(), dec = asin(2 * drawn() - 1) * 57.29577951308232, z = 0.02 + 0.5 * pow(drawn(), 0.7), kind = drawn();
	int flag = kind < 0.86 ? 1 : kind < 0.995 ? 3 : kind < 0.998 ? 2 : 0;
	char *p = put_fixed(out, (double)number, 0);
	p = flag == 1 ? put(put(put(p, "null"), "null"), "null") : put(put(put_fixed(p, (double)(number * 3), 0), "null"), "PGC123456");
	p = put(p, flag == 1 && drawn() < 0.9 ? "null" : "13094770-2323017");
	p = put_name(p, ra, dec);
	p = put(put(p, "null"), "G");
	p = put_fixed(put_fixed(p, ra, 6), dec, 6);
	p = put_fixed(put_fixed(p, 15 + 5 * drawn(), 6), 0.1 * drawn(), 6);
	p = put_fixed(put(p, "1"), -20 - 2 * drawn(), 4);
	for (int i = 0; i < 3; i++)
		p = flag == 1 ? put(put(p, "null"), "null") : put_fixed(put_fixed(p, 12 + drawn(), 3), 0.03, 3);
	for (int i = 0; i < 2; i++)
		p = put(put_fixed(p, 13 + 3 * drawn(), 3), "0.025");
	p = put_fixed(put_fixed(put(p, "0"), 16 + 3 * drawn(), 3), 0.06, 3);
	p = flag == 0 ? put(put(p, "null"), "null") : put_fixed(put_fixed(p, z, 9), z + 0.0008 * drawn(), 9);
	p = put(put(p, z < 0.05 ? "1" : "0"), z < 0.05 ? "0.000764328" : "null");
	p = put_fixed(p, flag == 1 ? 0.033 : 0.000134, 6);
	p = flag == 0 ? put(put(p, "null"), "null") : put_fixed(put_fixed(p, 4430.9 * z * (1 + 0.77 * z), 6), flag == 1 ? 150.0 + z : 0.5 + z, 6);
	*p++ = (char)('0' + flag);
	*p++ = ' ';
	p = put(put_fixed(put_fixed(p, 5 * drawn(), 6), 1, 6), "0");
	p = put_fixed(put_fixed(p, 4 * drawn(), 6), 0.8, 6);
	p[-1] = '\n';
	return (size_t)(p - out);
}

int main(int argc, char **argv)
{
	static char buffer[1 << 20];
	long rows = argc > 1 ? atol(argv[1]) : 1000;
	size_t used = 0;
	state = 88172645463325252u ^ (argc > 2 ? strtoull(argv[2], NULL, 10) : 0) * 2654435761u;
	for (long i = 1; i <= rows; i++) {
		used += row(buffer + used, i);
		if (used > sizeof buffer - 1024 || i == rows) {
			if (fwrite(buffer, 1, used, stdout) != used)
				return 1;
			used = 0;
		}
	}
	return fflush(stdout) != 0;
}
