/* The two headers and the rows of a made-up sky map: see skymap_write.h. */
#include "sim/skymap_write.h"
#include "engine/base/bytes.h"
#include "engine/base/utc.h"
#include "engine/target/fits_write.h"

#define ROW_BYTES 40

static void table_header(struct text *t, const struct sim_map *m)
{
	static const char *const column[5][3] = {{"UNIQ", "K", ""}, {"PROBDENSITY", "D", "sr-1"},
		{"DISTMU", "D", "Mpc"}, {"DISTSIGMA", "D", "Mpc"}, {"DISTNORM", "D", "Mpc-2"}};

	fits_table(t, ROW_BYTES, (int64_t)m->count, 5);
	for (int i = 0; i < 5; i++)
		fits_table_column(t, i + 1, column[i][0], column[i][1], column[i][2]);
}

static void sky_header(struct text *t, const struct sim_map *m, const struct sim_map_header *h)
{
	char time[32];

	fits_card_text(t, "PIXTYPE", "HEALPIX", "HEALPix pixelisation");
	fits_card_text(t, "ORDERING", "NUNIQ", "Pixel ordering scheme: RING, NESTED, or NUNIQ");
	fits_card_text(t, "COORDSYS", "C", "Ecliptic, Galactic or Celestial (equatorial)");
	fits_card_int(t, "MOCORDER", m->order_max, "MOC resolution (best order)");
	fits_card_text(t, "INDXSCHM", "EXPLICIT", "Indexing: IMPLICIT or EXPLICIT");
	fits_card_text(t, "OBJECT", h->object, "Unique identifier for this event");
	fits_card_text(t, "INSTRUME", h->instruments, "Instruments that triggered this event");
	utc_format(time, h->event_us);
	time[26] = '\0'; /* FITS times carry no Z */
	fits_card_text(t, "DATE-OBS", time, "UTC date of the observation");
	fits_card_double(t, "MJD-OBS", utc_j2000_days(h->event_us) + 51544.5,
		"modified Julian date of the observation");
	utc_format(time, h->made_us);
	time[26] = '\0';
	fits_card_text(t, "DATE", time, "UTC date of file creation");
	fits_card_text(t, "CREATOR", "slew-sim", "Program that created this file: a MADE-UP sky");
	fits_card_text(t, "ORIGIN", "simulation", "nothing of this happened");
	fits_card_double(t, "DISTMEAN", m->distmean_mpc, "Posterior mean distance (Mpc)");
	fits_card_double(t, "DISTSTD", m->diststd_mpc, "Posterior std. dev. of distance (Mpc)");
}

int sim_map_fits(
	const struct sim_map *m, const struct sim_map_header *h, struct text *t, struct err *e)
{
	fits_primary(t);
	table_header(t, m);
	sky_header(t, m, h);
	fits_header_end(t);
	for (size_t i = 0; i < m->count; i++) {
		unsigned char row[ROW_BYTES];
		bytes_put_u64(row, m->cell[i].uniq);
		bytes_put_double(row + 8, m->cell[i].density);
		bytes_put_double(row + 16, m->cell[i].mu);
		bytes_put_double(row + 24, m->cell[i].sigma);
		bytes_put_double(row + 32, m->cell[i].norm);
		text_add(t, row, sizeof row);
	}
	fits_rows_end(t);
	if (t->failed)
		return err_set(e, ERR_LIMIT,
			"made-up map of %s: larger than %zu bytes or no memory", h->object, t->max);
	return 0;
}
