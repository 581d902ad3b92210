/* FITS by hand: two headers of 80-character cards in blocks of 2880 bytes, then big-endian rows. */
#include "sim/skymap_write.h"
#include "engine/base/utc.h"
#include <stdio.h>
#include <string.h>

#define BLOCK 2880

static void card(struct text *t, const char *key, const char *value, const char *comment)
{
	char line[256];
	int n = snprintf(line, sizeof line, "%-8.8s= %20s / %s", key, value, comment);

	if (n > 80)
		n = 80;
	memset(line + n, ' ', (size_t)(80 - n));
	text_add(t, line, 80);
}

static void card_int(struct text *t, const char *key, long long value, const char *comment)
{
	char v[32];

	snprintf(v, sizeof v, "%lld", value);
	card(t, key, v, comment);
}

static void card_double(struct text *t, const char *key, double value, const char *comment)
{
	char v[40];

	snprintf(v, sizeof v, "%.12E", value);
	card(t, key, v, comment);
}

static void card_text(struct text *t, const char *key, const char *value, const char *comment)
{
	char v[80];

	snprintf(v, sizeof v, "'%-8.60s'", value);
	size_t n = strlen(v);
	while (n < 20)
		v[n++] = ' ';
	v[n] = '\0';
	card(t, key, v, comment);
}

static void pad(struct text *t, char with)
{
	char fill[BLOCK];

	memset(fill, with, sizeof fill);
	if (t->len % BLOCK != 0)
		text_add(t, fill, BLOCK - t->len % BLOCK);
}

static void end(struct text *t)
{
	char line[80];

	memset(line, ' ', sizeof line);
	memcpy(line, "END", 3);
	text_add(t, line, sizeof line);
	pad(t, ' ');
}

static void big_endian(struct text *t, uint64_t bits)
{
	unsigned char b[8];

	for (int i = 0; i < 8; i++)
		b[i] = (unsigned char)(bits >> (56 - 8 * i));
	text_add(t, b, 8);
}

static void big_double(struct text *t, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof bits);
	big_endian(t, bits);
}

static void table_header(struct text *t, const struct sim_map *m)
{
	static const char *const column[5][3] = {{"UNIQ", "K", ""}, {"PROBDENSITY", "D", "sr-1"},
		{"DISTMU", "D", "Mpc"}, {"DISTSIGMA", "D", "Mpc"}, {"DISTNORM", "D", "Mpc-2"}};

	card_text(t, "XTENSION", "BINTABLE", "binary table extension");
	card_int(t, "BITPIX", 8, "array data type");
	card_int(t, "NAXIS", 2, "number of array dimensions");
	card_int(t, "NAXIS1", 40, "length of dimension 1");
	card_int(t, "NAXIS2", (long long)m->count, "length of dimension 2");
	card_int(t, "PCOUNT", 0, "number of group parameters");
	card_int(t, "GCOUNT", 1, "number of groups");
	card_int(t, "TFIELDS", 5, "number of table fields");
	for (int i = 0; i < 5; i++) {
		char key[32];
		snprintf(key, sizeof key, "TTYPE%d", i + 1);
		card_text(t, key, column[i][0], "");
		snprintf(key, sizeof key, "TFORM%d", i + 1);
		card_text(t, key, column[i][1], "");
		snprintf(key, sizeof key, "TUNIT%d", i + 1);
		if (column[i][2][0] != '\0')
			card_text(t, key, column[i][2], "");
	}
}

static void sky_header(struct text *t, const struct sim_map *m, const struct sim_map_header *h)
{
	char time[32];

	card_text(t, "PIXTYPE", "HEALPIX", "HEALPix pixelisation");
	card_text(t, "ORDERING", "NUNIQ", "Pixel ordering scheme: RING, NESTED, or NUNIQ");
	card_text(t, "COORDSYS", "C", "Ecliptic, Galactic or Celestial (equatorial)");
	card_int(t, "MOCORDER", m->order_max, "MOC resolution (best order)");
	card_text(t, "INDXSCHM", "EXPLICIT", "Indexing: IMPLICIT or EXPLICIT");
	card_text(t, "OBJECT", h->object, "Unique identifier for this event");
	card_text(t, "INSTRUME", h->instruments, "Instruments that triggered this event");
	utc_format(time, h->event_us);
	time[26] = '\0'; /* FITS times carry no Z */
	card_text(t, "DATE-OBS", time, "UTC date of the observation");
	card_double(t, "MJD-OBS", utc_j2000_days(h->event_us) + 51544.5,
		"modified Julian date of the observation");
	utc_format(time, h->made_us);
	time[26] = '\0';
	card_text(t, "DATE", time, "UTC date of file creation");
	card_text(t, "CREATOR", "slew-sim", "Program that created this file: a MADE-UP sky");
	card_text(t, "ORIGIN", "simulation", "nothing of this happened");
	card_double(t, "DISTMEAN", m->distmean_mpc, "Posterior mean distance (Mpc)");
	card_double(t, "DISTSTD", m->diststd_mpc, "Posterior std. dev. of distance (Mpc)");
}

int sim_map_fits(
	const struct sim_map *m, const struct sim_map_header *h, struct text *t, struct err *e)
{
	card(t, "SIMPLE", "T", "conforms to FITS standard");
	card_int(t, "BITPIX", 8, "array data type");
	card_int(t, "NAXIS", 0, "number of array dimensions");
	card(t, "EXTEND", "T", "");
	end(t);
	table_header(t, m);
	sky_header(t, m, h);
	end(t);
	for (size_t i = 0; i < m->count; i++) {
		big_endian(t, m->cell[i].uniq);
		big_double(t, m->cell[i].density);
		big_double(t, m->cell[i].mu);
		big_double(t, m->cell[i].sigma);
		big_double(t, m->cell[i].norm);
	}
	pad(t, '\0');
	if (t->failed)
		return err_set(e, ERR_LIMIT,
			"made-up map of %s: larger than %zu bytes or no memory", h->object, t->max);
	return 0;
}
