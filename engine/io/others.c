/* What others have completed, from a file: see others.h. */
#include "engine/io/others.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/target/kilonova.h"
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Right ascension and declination, of members or of "POINT (ra dec)" with a right ascension of −180 to 360. */
static bool place_of(const json_t *row, double *ra_deg, double *dec_deg)
{
	const char *point = json_text(row, "position", "");
	int end = 0;
	*ra_deg = json_number(row, "ra_deg", json_number(row, "ra", NAN));
	*dec_deg = json_number(row, "dec_deg", json_number(row, "dec", NAN));
	if (isnan(*ra_deg) && (sscanf(point, " POINT ( %lf %lf )%n", ra_deg, dec_deg, &end) != 2 || end == 0))
		return false;
	if (*ra_deg < 0)
		*ra_deg += 360;
	return *ra_deg >= 0 && *ra_deg <= 360 && fabs(*dec_deg) <= 90;
}

/* As the plan wants it; NULL: this one tells it nothing. New reference. */
static json_t *row_of(const json_t *row)
{
	const char *target = json_text(row, "target", NULL), *band = json_text(row, "band", "");
	double depth = json_number(row, "depth_mag", NAN), ra, dec, radius = json_number(row, "radius_deg", NAN);
	int64_t at = UTC_NONE;
	struct err e = {0};
	if (isnan(depth) && strcmp(json_text(row, "depth_unit", ""), "ab_mag") == 0)
		depth = json_number(row, "depth", NAN);
	if (strcmp(json_text(row, "status", "completed"), "completed") != 0 || kilonova_band_of(band) < 0 || !(depth > 5 && depth < 40) ||
	    utc_parse(json_text(row, "time", ""), &at, &e) < 0)
		return NULL;
	json_t *out = json_pack("{s:s s:f s:I}", "band", band, "depth_mag", depth, "time_us", (json_int_t)at);
	if (target != NULL) {
		json_object_set_new(out, "target", json_string(target));
		return out;
	}
	if (!place_of(row, &ra, &dec) || radius <= 0 || radius > 10) {
		json_decref(out);
		return NULL;
	}
	json_object_set_new(out, "ra_deg", json_real(ra));
	json_object_set_new(out, "dec_deg", json_real(dec));
	if (!isnan(radius))
		json_object_set_new(out, "radius_deg", json_real(radius));
	return out;
}

int others_read(const char *path, struct others *out, struct err *e)
{
	char *text = NULL;
	json_t *all = json_read_file(path, &json_limits_reply, &text, e);
	const json_t *row;
	size_t i;
	*out = (struct others){.list = NULL};
	if (all != NULL)
		hash_sha256_hex(text, strlen(text), out->sha256);
	free(text);
	if (all == NULL)
		return -1;
	if (!json_is_array(all)) {
		json_decref(all);
		out->sha256[0] = '\0';
		return err_set(e, ERR_INPUT, "%s is no list of pointings; give a JSON list of {\"ra_deg\", \"dec_deg\", \"band\", \"depth_mag\", \"time\"}", path);
	}
	out->list = json_array();
	json_array_foreach(all, i, row) {
		json_t *fit = row_of(row);
		out->rows++;
		if (fit != NULL)
			json_array_append_new(out->list, fit);
		else
			out->unfit++;
	}
	json_decref(all);
	return 0;
}
