/* The file database of the "rubin-too" adapter: records out, visits in. Its table `observations` is the scheduler's own history in 49 columns (one more than
 * rubin_scheduler writes, as many as the observatory's driver does: a row of either fits); whole numbers and texts are never null, since its reader
 * cannot take that. */
#include "facilities/rubin.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <chealpix.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEG (180.0 / M_PI)
#define MJD_UNIX 40587.0
#define FIELD_RADIUS_DEG 1.75
#define CELL_RADIUS_DEG 1.91 /* of a cell of order 5, at most: from its centre to its farthest corner */

const char *const rubin_file_schema[] = {
	"CREATE TABLE IF NOT EXISTS too_alert (timestamp INTEGER PRIMARY KEY, source TEXT NOT NULL, instrument TEXT NOT NULL, alert_type TEXT NOT NULL,"
	"event_trigger_timestamp TEXT NOT NULL, reward_map BLOB NOT NULL CHECK (length(reward_map)=12288), reward_map_nside INTEGER NOT NULL CHECK (reward_map_nside=32),"
	"is_test INTEGER NOT NULL CHECK (is_test IN (0,1)), is_update INTEGER NOT NULL CHECK (is_update IN (0,1)))",
#define I " INTEGER NOT NULL DEFAULT 0,"
#define T " TEXT NOT NULL DEFAULT '',"
	"CREATE TABLE IF NOT EXISTS observations (observationId" I "fieldRA REAL,fieldDec REAL,observationStartMJD REAL,flush_by_mjd REAL,visitExposureTime REAL,band" T
	"filter" T "rotSkyPos REAL,rotSkyPos_desired REAL,numExposures" I "airmass REAL,seeingFwhm500 REAL,seeingFwhmEff REAL,seeingFwhmGeom REAL,skyBrightness REAL,"
	"night" I "slewTime REAL,visitTime REAL,slewDistance REAL,fiveSigmaDepth REAL,altitude REAL,azimuth REAL,paraAngle REAL,pseudoParaAngle REAL,cloud REAL,moonAlt REAL,"
	"sunAlt REAL,scheduler_note" T "target_name" T "target_id" I "observationStartLST REAL,rotTelPos REAL,rotTelPos_backup REAL,moonAz REAL,sunAz REAL,sunRA REAL,"
	"sunDec REAL,moonRA REAL,moonDec REAL,moonDistance REAL,solarElong REAL,moonPhase REAL,cummTelAz REAL,observation_reason" T "science_program" T
	"cloud_extinction REAL,extinction_limit REAL,note TEXT NOT NULL DEFAULT '')",
#undef I
#undef T
	NULL
};

const char *rubin_visit_columns(void)
{
	return "fieldRA,fieldDec,observationStartMJD,visitTime,scheduler_note,observation_reason";
}

/* One row; what it does not have is NaN or "". */
struct visit {
	int64_t row;
	double ra_deg, dec_deg, mjd, visit_s;
	const char *note, *reason;
};

static double number_at(const json_t *row, size_t i)
{
	const json_t *v = json_array_get(row, i);
	return json_is_number(v) ? json_number_value(v) : NAN;
}

static bool visit_read(const json_t *row, struct visit *out)
{
	const char *note = json_string_value(json_array_get(row, 5)), *reason = json_string_value(json_array_get(row, 6));
	*out = (struct visit){json_integer_value(json_array_get(row, 0)), number_at(row, 1), number_at(row, 2), number_at(row, 3), number_at(row, 4),
		note != NULL ? note : "", reason != NULL ? reason : ""};
	return out->ra_deg >= 0 && out->ra_deg <= 360 && fabs(out->dec_deg) <= 90 && out->mjd > 0 && out->mjd < 100000;
}

static bool is_too(const struct visit *x)
{
	return strncmp(x->note, "ToO", 3) == 0 || strncmp(x->reason, "too_", 4) == 0;
}

/* Bits of the region's cells, four to a letter, in order of cell. */
static bool bit_at(const char *hex, int i)
{
	size_t len = strlen(hex);
	char c = (size_t)(i / 4) < len ? hex[i / 4] : '0';
	int digit = c >= 'a' ? c - 'a' + 10 : c - '0';
	return digit >> (i % 4) & 1;
}

static void bits_write(const bool *bits, int n, char *hex)
{
	for (int i = 0; i < n; i += 4) {
		int digit = 0;
		for (int k = 0; k < 4 && i + k < n; k++)
			digit |= bits[i + k] << k;
		hex[i / 4] = "0123456789abcdef"[digit];
		hex[i / 4 + 1] = '\0';
	}
}

/* Cells of the region in order; returns how many. */
static int cells_of(const struct view *v, int cell[RUBIN_CELLS])
{
	bool *mask = malloc(RUBIN_CELLS * sizeof *mask);
	struct err e = {0};
	int n = 0;
	if (mask != NULL && rubin_mask(v->request->region != NULL ? v->request->region : "", mask, &e) == 0)
		for (int i = 0; i < RUBIN_CELLS; i++)
			if (mask[i])
				cell[n++] = i;
	free(mask);
	return n;
}

struct region_watch {
	int cells, cell[RUBIN_CELLS];
	double vector[RUBIN_CELLS][3]; /* of their centres */
	bool seen[RUBIN_CELLS];
};

static void watch_begin(struct region_watch *w, const struct view *v, const json_t *memo)
{
	const char *hex = json_text(memo, "seen", "");
	w->cells = cells_of(v, w->cell);
	for (int i = 0; i < w->cells; i++) {
		pix2vec_nest64(RUBIN_NSIDE, w->cell[i], w->vector[i]);
		w->seen[i] = bit_at(hex, i);
	}
}

/* Does its field touch a cell of the region? Those whose centres it holds are seen. */
static bool watch_visit(struct region_watch *w, const struct visit *x)
{
	double at[3], inside = cos(FIELD_RADIUS_DEG / DEG), touching = cos((FIELD_RADIUS_DEG + CELL_RADIUS_DEG) / DEG);
	bool any = false;
	ang2vec((90.0 - x->dec_deg) / DEG, x->ra_deg / DEG, at);
	for (int i = 0; i < w->cells; i++) {
		double near = at[0] * w->vector[i][0] + at[1] * w->vector[i][1] + at[2] * w->vector[i][2];
		any |= near >= touching;
		w->seen[i] |= near >= inside;
	}
	return any;
}

static int64_t time_of(double mjd)
{
	return (int64_t)llround((mjd - MJD_UNIX) * (double)UTC_DAY);
}

static void memo_visit(json_t *memo, const struct visit *x)
{
	int64_t start_us = time_of(x->mjd), end_us = start_us + (int64_t)((x->visit_s > 0 && x->visit_s < 3600 ? x->visit_s : 0) * 1e6);
	int64_t first_us = json_int(memo, "first_us", INT64_MAX), last_us = json_int(memo, "last_us", INT64_MIN);
	json_object_set_new(memo, "visits", json_integer(json_int(memo, "visits", 0) + 1));
	json_object_set_new(memo, "first_us", json_integer(start_us < first_us ? start_us : first_us));
	json_object_set_new(memo, "last_us", json_integer(end_us > last_us ? end_us : last_us));
}

bool rubin_visits_read(const struct facility_conf *conf, const struct view *v, const json_t *reply, json_t *memo)
{
	const json_t *rows = json_object_get(reply, "rows"), *row;
	struct region_watch *w = calloc(1, sizeof *w);
	char *hex = malloc(RUBIN_CELLS / 4 + 1);
	size_t i;
	(void)conf;
	must_memory(w != NULL && hex != NULL);
	watch_begin(w, v, memo);
	json_array_foreach(rows, i, row) {
		struct visit x;
		bool fine = visit_read(row, &x);
		if (x.row > json_int(memo, "after", 0))
			json_object_set_new(memo, "after", json_integer(x.row));
		if (fine && is_too(&x) && (v->request->event_us == UTC_NONE || time_of(x.mjd) >= v->request->event_us) && watch_visit(w, &x))
			memo_visit(memo, &x);
	}
	hex[0] = '\0';
	bits_write(w->seen, w->cells, hex);
	if (json_int(memo, "visits", 0) > 0)
		json_object_set_new(memo, "seen", json_string(hex));
	free(hex);
	free(w);
	return json_array_size(rows) < RUBIN_PAGE;
}

int rubin_cells_seen(const struct view *v, const json_t *memo, int *all)
{
	int *cell = malloc(RUBIN_CELLS * sizeof *cell), n = 0;
	must_memory(cell != NULL);
	*all = cells_of(v, cell);
	for (int i = 0; i < *all; i++)
		n += bit_at(json_text(memo, "seen", ""), i);
	free(cell);
	return n;
}
