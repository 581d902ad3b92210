/* The credible region of a map as one target: see compute_fields.h. */
#include "engine/core/compute_fields.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include "engine/target/moc.h"
#include "engine/target/region.h"
#include <chealpix.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define REGION_ORDER 5
#define REGION_LEVEL 0.7

/* All cells of that order that the coverage touches: a coarser one gives its children, a finer one its parent. */
static int cells_of(const struct moc *fine, struct moc *out, struct err *e)
{
	const int shift = 2 * (MOC_ORDER - REGION_ORDER);
	*out = (struct moc){0};
	for (size_t i = 0; i < fine->count; i++)
		if (moc_add(out, REGION_ORDER, fine->range[i].first >> shift, ((fine->range[i].end - 1) >> shift) + 1, e) < 0)
			return -1;
	moc_finish(out);
	return 0;
}

static double held(const struct skymap *m, const struct moc *cells)
{
	double sum = 0;
	for (int64_t i = 0; i < m->cells; i++)
		if (moc_contains(cells, skymap_first(m->uniq[i])))
			sum += m->density[i] * skymap_pixel_sr(skymap_order(m->uniq[i]));
	return sum;
}

static void centre_of(uint64_t uniq, double *ra_deg, double *dec_deg)
{
	int order = skymap_order(uniq);
	double theta, phi;
	pix2ang_nest64(INT64_C(1) << order, (int64_t)(skymap_first(uniq) >> (2 * (MOC_ORDER - order))), &theta, &phi);
	*ra_deg = phi * 180.0 / M_PI;
	*dec_deg = 90.0 - theta * 180.0 / M_PI;
}

#define RISES_DEG 60.0 /* from a site's latitude: what comes to 30 degrees of altitude */

/* Where a plan looks for windows: the densest cell of the region that rises well at the latitude; of all, where none does, or nobody knows it. */
static void look_at(const struct skymap *m, const struct moc *cells, double latitude_deg, double *ra_deg, double *dec_deg)
{
	double best[2] = {-1, -1};
	int64_t at[2] = {0, 0};
	for (int64_t i = 0; i < m->cells; i++) {
		double ra, dec;
		if ((m->density[i] <= best[0] && m->density[i] <= best[1]) || !moc_contains(cells, skymap_first(m->uniq[i])))
			continue;
		centre_of(m->uniq[i], &ra, &dec);
		for (int k = 0; k < 2; k++)
			if (m->density[i] > best[k] && (k == 1 || fabs(dec - latitude_deg) < RISES_DEG)) {
				best[k] = m->density[i];
				at[k] = i;
			}
	}
	centre_of(m->uniq[best[0] >= 0 ? at[0] : at[1]], ra_deg, dec_deg);
}

static json_t *region_json(const struct skymap *m, const json_t *entry, const struct moc *cells)
{
	const char *camera = json_text(entry, "camera", "");
	double ra_deg, dec_deg;
	struct text words = {.max = LIMIT_TEXT};
	char key[96], name[96];
	double sum = held(m, cells);
	look_at(m, cells, json_number(entry, "latitude_deg", NAN), &ra_deg, &dec_deg);
	moc_ascii(cells, &words);
	if (!words.failed && words.len > 0 && words.data[words.len - 1] == '\n')
		words.data[--words.len] = '\0';
	snprintf(key, sizeof key, "field:%.47s:0", camera);
	snprintf(name, sizeof name, "%.24s of %.0f deg2", camera, moc_area_deg2(cells));
	json_t *j = words.failed ? NULL : json_pack("{s:s s:s s:s s:I s:s s:o s:o s:o s:o s:o s:o s:[] s:s}", "camera", camera, "key", key, "name", name, "rank",
		(json_int_t)1, "kind", "region", "ra_deg", json_real(ra_deg), "dec_deg", json_real(dec_deg), "distance_mpc",
		json_real_or_null(m->distmean_mpc), "probability", json_real(fmin(sum, 1)), "share", json_real(1), "cumulative_share", json_real(1), "galaxies",
		"region", words.data);
	text_free(&words);
	return j;
}

json_t *compute_region(const struct skymap *m, const json_t *entry, struct err *e)
{
	double level = json_number(entry, "probability", REGION_LEVEL);
	struct moc fine, cells;
	if (region_moc(m, level, &fine, e) < 0)
		return NULL;
	int rc = cells_of(&fine, &cells, e);
	json_t *j = rc == 0 ? region_json(m, entry, &cells) : NULL;
	if (rc == 0 && j == NULL)
		err_set(e, ERR_MEMORY, "no memory for a region");
	moc_free(&fine);
	moc_free(&cells);
	return j;
}
