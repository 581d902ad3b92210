/* Cells of a table → one catalogue row: position, distance and its error, kind and frame, brightness (catalog_build.h). */
#include "engine/target/catalog_build.h"
#include "engine/target/cosmology.h"
#include <chealpix.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef const struct catalog_cell cells_t[FIELD_COUNT][CATALOG_CANDIDATES];

/* "12 34 56.7", "12:34:56.7", "12h34m56.7s", "-05d23'28\"": value in the unit of the first part. */
static int sexagesimal_of(struct catalog_cell c, double *v)
{
	double part[3] = {0, 0, 0};
	int n = 0;
	bool minus = false;
	char copy[64], *s = copy, *end;
	c = catalog_cell_trimmed(c);
	if (c.len == 0 || c.len >= sizeof copy)
		return -1;
	memcpy(copy, c.text, c.len);
	copy[c.len] = '\0';
	if (*s == '-' || *s == '+')
		minus = *s++ == '-';
	while (n < 3 && isdigit((unsigned char)*s)) {
		part[n++] = strtod(s, &end);
		s = end + strspn(end, " :hdms°'\"");
		if (end == s && *s != '\0')
			return -1;
	}
	if (n < 2 || *s != '\0' || part[1] >= 60 || part[2] >= 61)
		return -1;
	*v = part[0] + part[1] / 60 + part[2] / 3600;
	*v = minus ? -*v : *v;
	return 1;
}

/* First candidate that is not missing. 1 found (*k says which), 0 missing, -1 unreadable. */
static int field_number(const struct catalog_columns *c, cells_t cells,
	enum catalog_field f, double *v, int *k)
{
	for (*k = 0; *k < c->count[f]; ++*k) {
		int got = catalog_cell_number(cells[f][*k], v);
		if (got > 0)
			*v *= c->of[f][*k].scale;
		if (got != 0)
			return got;
	}
	return 0;
}

static int angle_of(const struct catalog_columns *c, cells_t cells,
	enum catalog_field f, double *v)
{
	int k, got = field_number(c, cells, f, v, &k);
	if (got > 0 && c->of[f][k].hours)
		*v *= 15;
	if (got >= 0)
		return got;
	if (sexagesimal_of(cells[f][k], v) < 0)
		return -1;
	if (f == FIELD_ra)
		*v *= 15;
	return 1;
}

static const char *position_of(const struct catalog_columns *c, cells_t cells,
	struct catalog_row *r)
{
	int ra = angle_of(c, cells, FIELD_ra, &r->ra_deg), dec = angle_of(c, cells, FIELD_dec, &r->dec_deg);
	if (ra == 0 || dec == 0)
		return "no right ascension or declination";
	if (ra < 0 || dec < 0)
		return "right ascension or declination is not a number";
	if (r->ra_deg < 0 && r->ra_deg >= -180)
		r->ra_deg += 360;
	if (!(r->ra_deg >= 0 && r->ra_deg <= 360))
		return "right ascension is outside 0 to 360 degrees";
	if (!(r->dec_deg >= -90 && r->dec_deg <= 90))
		return "declination is outside -90 to 90 degrees";
	if (r->ra_deg == 360)
		r->ra_deg = 0;
	int64_t ipix;
	ang2pix_nest64(INT64_C(1) << 29, (90 - r->dec_deg) * (M_PI / 180), r->ra_deg * (M_PI / 180), &ipix);
	r->ipix29 = (uint64_t)ipix;
	return NULL;
}

static bool contains(struct catalog_cell c, const char *word)
{
	size_t n = strlen(word);
	for (size_t i = 0; i + n <= c.len; i++)
		if (strncasecmp(c.text + i, word, n) == 0)
			return true;
	return false;
}

/* FLAGS of a catalogue that slew made: they go on as they are. */
static uint32_t own_flags(struct catalog_cell cell)
{
	double v;
	uint32_t flags = catalog_cell_number(cell, &v) > 0 && v >= 0 && v < 65536 ? (uint32_t)v & CATALOG_FLAG_ALL : 0;
	uint32_t kind = flags & CATALOG_FLAG_KIND;
	return (flags & ~(uint32_t)CATALOG_FLAG_KIND) | (kind > CATALOG_DIST_NONE && kind < CATALOG_DIST_KINDS ? kind : CATALOG_DIST_GIVEN);
}

/* GLADE+ numbers: 0 none, 1 photometric, 2 measured, 3 spectroscopic; words as in NED-LVS and 50MGC. */
static uint32_t kind_of(const struct catalog_columns *c, cells_t cells)
{
	double v;
	uint32_t none = c->format != NULL ? (uint32_t)c->format->kind : CATALOG_DIST_GIVEN;
	if (c->count[FIELD_kind] == 0)
		return none;
	struct catalog_cell cell = cells[FIELD_kind][0];
	if (catalog_cell_number(cell, &v) > 0)
		return v == 1 ? CATALOG_DIST_PHOT : v == 2 ? CATALOG_DIST_MEASURED : v == 3 ? CATALOG_DIST_SPEC : CATALOG_DIST_GIVEN;
	if (cell.is_number || cell.len == 0)
		return none;
	if (contains(cell, "phot"))
		return CATALOG_DIST_PHOT;
	if (contains(cell, "spec") || contains(cell, "cf3-z") || (contains(cell, "redshift") && !contains(cell, "indep")))
		return c->count[FIELD_z_kind] > 0 && contains(cells[FIELD_z_kind][0], "phot") ? CATALOG_DIST_PHOT : CATALOG_DIST_SPEC;
	if (c->format != NULL && c->format->method_measured)
		return catalog_cell_missing(&cell) ? none : CATALOG_DIST_MEASURED;
	return contains(cell, "indep") || contains(cell, "ned-d") || contains(cell, "cepheid") ? CATALOG_DIST_MEASURED : CATALOG_DIST_GIVEN;
}

/* The redshift and what is known of it. */
struct redshift {
	double z, z_err, v_err; /* NaN: not said; z in the frame of frame */
	enum catalog_frame frame;
	bool flow, photo;
};

/* NULL, or what is wrong. A heliocentric redshift is turned into the CMB's frame. */
static const char *redshift_of(const struct catalog_columns *c, cells_t cells, const struct catalog_row *r, struct redshift *s)
{
	double v;
	int k, got = field_number(c, cells, FIELD_z, &v, &k);
	*s = (struct redshift){NAN, NAN, NAN, CATALOG_FRAME_NONE, false, false};
	if (got < 0)
		return "the redshift is not a number";
	if (got > 0) {
		s->z = v;
		s->frame = c->of[FIELD_z][k].frame;
		s->photo = contains((struct catalog_cell){.text = c->of[FIELD_z][k].name, .len = strlen(c->of[FIELD_z][k].name)}, "phot");
	}
	if (s->frame == CATALOG_FRAME_HELIO) {
		s->z = cosmology_z_cmb(s->z, r->ra_deg, r->dec_deg);
		s->frame = CATALOG_FRAME_CMB;
	}
	if (field_number(c, cells, FIELD_z_err, &v, &k) > 0 && v > 0)
		s->z_err = v;
	if (field_number(c, cells, FIELD_v_err, &v, &k) > 0 && v > 0)
		s->v_err = v;
	s->flow = field_number(c, cells, FIELD_z_flow, &v, &k) > 0 && v == 1;
	s->photo = s->photo || (c->count[FIELD_z_kind] > 0 && contains(cells[FIELD_z_kind][0], "phot"));
	if (s->flow && s->frame == CATALOG_FRAME_CMB)
		s->frame = CATALOG_FRAME_FLOW;
	return NULL;
}

/* Standard error: the source's, or by rule where it says nothing: σ_v for a spectroscopic redshift, COSMOLOGY_SIGMA_PHOTO for a photometric one,
 * a fifth of a measured distance (Tully-Fisher, 0.4 mag: Steer et al. 2017, AJ 153, 37). The source's error without the galaxies' own
 * velocities gets σ_v in quadrature. A distance of unknown kind stays without. */
static void error_of(const struct catalog_columns *c, const struct redshift *s, double said, struct catalog_row *r)
{
	uint32_t kind = r->flags & CATALOG_FLAG_KIND;
	bool spec = kind == CATALOG_DIST_SPEC || (kind == CATALOG_DIST_COSMOLOGY && !(r->flags & CATALOG_FLAG_PHOTO_Z));
	bool photo = kind == CATALOG_DIST_PHOT || (r->flags & CATALOG_FLAG_PHOTO_Z), silent = c->format != NULL && c->format->silent_flow;
	double slope, error = said > 0 ? said : NAN;
	if (said > 0 && !(silent && (photo || (spec && isnan(s->v_err) && !s->flow)))) {
		r->distance_err_mpc = (float)said;
		return;
	}
	if (spec || photo) {
		double z = s->z > 0 ? s->z : cosmology_redshift(r->distance_mpc), velocity = (1 + z) * COSMOLOGY_SIGMA_V_KM_S / LIGHT_KM_S;
		cosmology_distance_mpc(z, &slope);
		if (photo) /* GLADE+ gives the error of the flow alone to rows whose z_err is 0.015 */
			error = fmax(said > 0 ? said : 0, slope * (s->z_err > 0 ? s->z_err : said > 0 ? 0 : COSMOLOGY_SIGMA_PHOTO * (1 + z)));
		else
			error = said > 0 ? hypot(said, slope * velocity) : slope * hypot(s->z_err > 0 ? s->z_err : 0, s->v_err > 0 ? s->v_err : velocity);
		if (!(photo ? s->z_err > 0 || said > 0 : s->v_err > 0))
			r->flags |= CATALOG_FLAG_ERR_RULE;
	} else if (kind == CATALOG_DIST_MEASURED) {
		error = 0.2 * r->distance_mpc;
		r->flags |= CATALOG_FLAG_ERR_RULE;
	}
	r->distance_err_mpc = (float)error;
}

/* As a float it could be infinite, which is none at all: a distance known exactly. */
static const char *error_wrong(const struct catalog_row *r)
{
	return r->distance_err_mpc > 1e6F ? "the distance's error is above 1e6 Mpc (another unit?)" : NULL;
}

static const char *distance_of(const struct catalog_columns *c, cells_t cells, struct catalog_row *r)
{
	struct redshift s;
	double v = 0, error = 0;
	int k, got = field_number(c, cells, FIELD_dist, &v, &k);
	if (got < 0)
		return "the distance is not a number";
	if (got > 0 && v > 1e6)
		return "the distance is above 1e6 Mpc (another unit?)";
	if (!(got > 0 && v > 0 && field_number(c, cells, FIELD_dist_err, &error, &k) > 0 && error > 0))
		error = NAN;
	if (c->ours) {
		r->flags |= own_flags(cells[FIELD_kind][0]);
		r->distance_mpc = got > 0 && v > 0 ? v : NAN;
		r->flags &= isnan(r->distance_mpc) ? ~(uint32_t)CATALOG_FLAG_KIND : UINT32_MAX;
		r->distance_err_mpc = (float)error;
		return error_wrong(r);
	}
	const char *why = redshift_of(c, cells, r, &s);
	if (got > 0 && v > 0) {
		r->distance_mpc = v;
		r->flags |= kind_of(c, cells);
		if (c->format != NULL && c->format->dist_by_z && (r->flags & CATALOG_FLAG_KIND) != CATALOG_DIST_MEASURED)
			r->flags |= (uint32_t)(s.flow ? CATALOG_FRAME_FLOW : c->format->frame) << CATALOG_FRAME_SHIFT;
		error_of(c, &s, error, r);
		return error_wrong(r);
	}
	if (why != NULL)
		return why;
	if (!(s.z > 0))
		return NULL;
	if (s.z > 20)
		return "the redshift is above 20 (a velocity? its unit must say km/s)";
	if (s.z_err > 20)
		return "the redshift's error is above 20 (a velocity? its unit must say km/s)";
	r->distance_mpc = cosmology_distance_mpc(s.z, NULL);
	r->flags |= CATALOG_DIST_COSMOLOGY | (uint32_t)s.frame << CATALOG_FRAME_SHIFT | (s.photo ? CATALOG_FLAG_PHOTO_Z : 0);
	error_of(c, &s, NAN, r);
	return error_wrong(r);
}

static const char *brightness_of(const struct catalog_columns *c, cells_t cells,
	struct catalog_row *r)
{
	double v;
	int k, got = field_number(c, cells, FIELD_b_mag, &v, &k);
	if (got < 0)
		return "the B magnitude is not a number";
	if (got > 0 && v > -5 && v < 50) {
		r->b_mag = (float)v;
	} else if (field_number(c, cells, FIELD_b_abs, &v, &k) > 0 && v > -30 && v < 0 && r->distance_mpc > 0) {
		r->b_mag = (float)(v + 5 * log10(r->distance_mpc) + 25);
		r->flags |= CATALOG_FLAG_B_ABSOLUTE;
	}
	got = field_number(c, cells, FIELD_log_mass, &v, &k);
	if (got < 0)
		return "the stellar mass is not a number";
	if (got > 0 && v > 0 && v < 15)
		r->log_mstar = (float)v;
	else if (field_number(c, cells, FIELD_mass, &v, &k) > 0 && v > 0 && v < 1e15)
		r->log_mstar = (float)(v < 1e5 ? log10(v) + 10 : log10(v));
	return NULL;
}

void catalog_row_bad(struct catalog_batch *batch, int64_t number, const char *why)
{
	batch->seen++;
	if (batch->bad < CATALOG_SHOWN) {
		batch->shown[batch->bad].number = number;
		text_copy(batch->shown[batch->bad].why, sizeof batch->shown[0].why, why);
	}
	batch->bad++;
}

/* -1: the row is wanted, else why not. */
static int off_of(const struct catalog_columns *c, cells_t cells, const struct catalog_row *r)
{
	double v;
	int k;
	if (c->format != NULL && c->format->keep != NULL && c->count[FIELD_type] > 0 && cells[FIELD_type][0].text != NULL &&
		!catalog_word_in(c->format->keep, cells[FIELD_type][0].text, cells[FIELD_type][0].len))
		return CATALOG_OFF_TYPE;
	if (c->count[FIELD_quality] > 0 && field_number(c, cells, FIELD_quality, &v, &k) > 0 && v != 0)
		return CATALOG_OFF_UNSURE;
	if (((r->flags & CATALOG_FLAG_KIND) == CATALOG_DIST_PHOT || (r->flags & CATALOG_FLAG_PHOTO_Z)) && r->distance_mpc < c->photo_below_mpc)
		return CATALOG_OFF_PHOTO;
	return -1;
}

static bool batch_keep(struct catalog_batch *batch, const struct catalog_row *r)
{
	if (batch->count == batch->cap) {
		size_t cap = batch->cap ? batch->cap * 2 : 4096;
		struct catalog_row *rows = realloc(batch->rows, cap * sizeof *rows);
		if (rows == NULL)
			return false;
		batch->rows = rows;
		batch->cap = cap;
	}
	batch->rows[batch->count++] = *r;
	batch->without_distance += isnan(r->distance_mpc);
	if (r->distance_mpc > 0) {
		batch->near_mpc = batch->far_mpc > 0 && batch->near_mpc < r->distance_mpc ? batch->near_mpc : r->distance_mpc;
		batch->far_mpc = batch->far_mpc > r->distance_mpc ? batch->far_mpc : r->distance_mpc;
	}
	return true;
}

void catalog_row_take(struct catalog_batch *batch, const struct catalog_columns *c, cells_t cells, int64_t number)
{
	struct catalog_row r = {.distance_mpc = NAN, .distance_err_mpc = NAN, .b_mag = NAN, .log_mstar = NAN};
	int off = off_of(c, cells, &r); /* a star's row need not be readable */
	const char *why = off < 0 ? position_of(c, cells, &r) : NULL;
	if (off < 0 && why == NULL)
		why = distance_of(c, cells, &r);
	if (off < 0 && why == NULL)
		why = brightness_of(c, cells, &r);
	if (why != NULL) {
		catalog_row_bad(batch, number, why);
		return;
	}
	batch->seen++;
	off = off < 0 ? off_of(c, cells, &r) : off;
	if (off >= 0) {
		batch->off[off]++;
		return;
	}
	catalog_name_of(c, cells, &r);
	catalog_id_of(c, cells, batch->seen, &r);
	batch->no_memory = batch->no_memory || !batch_keep(batch, &r);
}
