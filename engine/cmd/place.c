/* Reads positions and descriptors of a command line: see place.h. */
#include "engine/cmd/place.h"
#include "engine/base/embed.h"
#include "engine/base/json.h"
#include "engine/io/configure.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DESCRIPTORS 16 /* that come with the program */

/* Up to three numbers between signs of degrees, hours, minutes and seconds. Count, or -1. */
static int parts_read(const char *text, double part[3], bool *negative)
{
	int n = 0;
	const char *p = text;
	while (isspace((unsigned char)*p))
		p++;
	*negative = *p == '-';
	if (*p == '-' || *p == '+')
		p++;
	while (*p != '\0') {
		char *end;
		if (n == 3 || !(isdigit((unsigned char)*p) || *p == '.'))
			return -1;
		part[n++] = strtod(p, &end);
		p = end;
		if (strncmp(p, "°", 2) == 0)
			p += 2;
		else if (*p != '\0' && strchr(":hdms'\"", *p) != NULL)
			p++;
		else if (*p != '\0' && !isspace((unsigned char)*p))
			return -1;
		while (isspace((unsigned char)*p))
			p++;
	}
	return n;
}

int place_angle(const char *text, bool hours, double *deg, struct err *e)
{
	double part[3] = {0, 0, 0};
	bool negative = false;
	char *end = NULL;
	bool hex = strpbrk(text, "xX") != NULL; /* strtod would read 0x10 */
	double plain = strtod(text, &end);
	if (!hex && end != text && *end == '\0' && isfinite(plain)) {
		*deg = plain;
		return 0;
	}
	int n = hex ? -1 : parts_read(text, part, &negative);
	if (n < 1 || part[1] >= 60.0 || part[2] >= 60.0)
		return err_set(e, ERR_INPUT, "angle \"%.40s\" cannot be read; write degrees (197.4488) or %s", text,
			hours ? "hours (13:09:47.7)" : "degrees, minutes, seconds (-23:23:02)");
	double value = part[0] + part[1] / 60.0 + part[2] / 3600.0;
	bool as_hours = hours && (n > 1 || strchr(text, 'h') != NULL);
	*deg = (negative ? -value : value) * (as_hours ? 15.0 : 1.0);
	return 0;
}

/* Where the second half of "RA DEC" begins: before the last sign, else in the middle of its words. */
static size_t split(const char *both)
{
	size_t words = 0, half = 0, at = 0;
	for (size_t i = strlen(both); i > 1; i--)
		if ((both[i - 1] == '-' || both[i - 1] == '+') && isspace((unsigned char)both[i - 2]))
			return i - 1;
	for (size_t i = 0; both[i] != '\0'; i++)
		words += !isspace((unsigned char)both[i]) && (i == 0 || isspace((unsigned char)both[i - 1]));
	for (; both[at] != '\0' && half <= words / 2; at++)
		half += !isspace((unsigned char)both[at]) && (at == 0 || isspace((unsigned char)both[at - 1]));
	return words >= 2 && words % 2 == 0 ? at - 1 : 0;
}

int place_read(const char *ra, const char *dec, double *ra_deg, double *dec_deg, struct err *e)
{
	char first[80];
	if (strlen(ra) >= sizeof first)
		return err_set(e, ERR_INPUT, "position \"%.40s…\" is too long", ra);
	if (dec == NULL) {
		size_t at = split(ra);
		if (at == 0)
			return err_set(e, ERR_INPUT, "position \"%.60s\" has no declination; give RA and Dec: 197.4488 -23.3839", ra);
		memcpy(first, ra, at);
		first[at] = '\0';
		dec = ra + at;
		ra = first;
	}
	if (place_angle(ra, true, ra_deg, e) < 0 || place_angle(dec, false, dec_deg, e) < 0)
		return -1;
	if (!(*ra_deg >= 0.0 && *ra_deg <= 360.0))
		return err_set(e, ERR_INPUT, "right ascension %.4f° is not within 0 to 360°", *ra_deg);
	if (!(fabs(*dec_deg) <= 90.0))
		return err_set(e, ERR_INPUT, "declination %.4f° is not within ±90°", *dec_deg);
	return 0;
}

json_t *place_descriptor(const char *name_or_path, struct err *e)
{
	char *text = NULL;
	size_t len = 0;
	if (config_resource("facilities", name_or_path, NULL, &text, &len, e) < 0)
		return NULL;
	json_t *d = json_read(text, len, &json_limits_config, e);
	free(text);
	return d;
}

int place_footprint(const char *words, struct footprint *out, struct err *e)
{
	json_t *all = json_array();
	const json_t *known[DESCRIPTORS], *d;
	size_t count = 0, i;
	for (const struct embed *f = embed_table; f->path != NULL; f++)
		if (strncmp(f->path, "facilities/", 11) == 0)
			json_array_append_new(all, json_loadb(f->start, (size_t)(f->end - f->start), 0, NULL));
	json_array_foreach(all, i, d)
		if (count < DESCRIPTORS)
			known[count++] = d;
	int rc = footprint_find(known, count, words, out, e);
	json_decref(all);
	return rc;
}
