/* A circle's map: see circle.h. */
#include "engine/target/circle.h"
#include <chealpix.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEG (M_PI / 180)
#define CELLS_MAX 200000

/* κ for which a cap of 1 − cos θ = `cap` holds `level`: the small-circle value, then the exact equation by repetition (it contracts). */
static double kappa_of(double cap, double level)
{
	double kappa = -log(1 - level) / cap;
	for (int i = 0; i < 200; i++)
		kappa = -log(1 - level * -expm1(-2 * kappa)) / cap;
	return kappa;
}

/* Cells below one of `order` that come near the cap: cut down to the finest order, pixels in NESTED order. */
struct walk {
	double centre[3], kappa, reach; /* reach: angle beyond which there is nothing */
	int finest;
	int64_t count;
	uint64_t *uniq;
	double *density;
};

static bool walk_cell(struct walk *w, int order, int64_t pixel)
{
	double v[3];
	pix2vec_nest64(INT64_C(1) << order, pixel, v);
	double c = v[0] * w->centre[0] + v[1] * w->centre[1] + v[2] * w->centre[2];
	double x[3] = {v[0] - w->centre[0], v[1] - w->centre[1], v[2] - w->centre[2]};
	double gap = 0.5 * (x[0] * x[0] + x[1] * x[1] + x[2] * x[2]); /* 1 − cos θ, exact where θ is small */
	double radius = order == w->finest ? 0 : 1.1 / (double)(INT64_C(1) << order);
	if (acos(fmax(-1, fmin(1, c))) - radius > w->reach && sqrt(2 * gap) - radius > w->reach)
		return true;
	if (order < w->finest) {
		for (int k = 0; k < 4; k++)
			if (!walk_cell(w, order + 1, 4 * pixel + k))
				return false;
		return true;
	}
	if (w->count == CELLS_MAX)
		return false;
	w->uniq[w->count] = (UINT64_C(4) << (2 * order)) + (uint64_t)pixel;
	w->density[w->count++] = exp(-w->kappa * gap);
	return true;
}

int circle_map(double ra_deg, double dec_deg, double error_deg, double level, struct skymap *out, struct err *e)
{
	*out = (struct skymap){.ordering = SKYMAP_NUNIQ, .distmean_mpc = NAN, .diststd_mpc = NAN};
	if (!(ra_deg >= -360 && ra_deg <= 360) || !(dec_deg >= -90 && dec_deg <= 90))
		return err_set(e, ERR_INPUT, "position %g %g: not right ascension and declination in degrees", ra_deg, dec_deg);
	if (!(error_deg > 0 && error_deg <= 90) || !(level >= 0.01 && level <= 0.999))
		return err_set(e, ERR_INPUT, "an error circle of %g° at level %g: the radius must be above 0 and at most 90°, the level 0.01 to 0.999",
			error_deg, level);
	double error = fmax(error_deg, 0.01 / 3600) * DEG, s = sin(error / 2), ra = ra_deg * DEG, dec = dec_deg * DEG;
	struct walk w = {.centre = {cos(dec) * cos(ra), cos(dec) * sin(ra), sin(dec)}, .kappa = kappa_of(2 * s * s, level)};
	double gap = fmin(2, log(1e6) / w.kappa);
	w.reach = 2 * asin(sqrt(gap / 2));
	while (w.finest < 29 && 1.03 / (double)(INT64_C(1) << w.finest) > 1 / (6 * sqrt(w.kappa)))
		w.finest++;
	w.uniq = malloc(CELLS_MAX * sizeof *w.uniq);
	w.density = malloc(CELLS_MAX * sizeof *w.density);
	void *block = NULL;
	bool fits = w.uniq != NULL && w.density != NULL;
	for (int64_t pixel = 0; pixel < 12 && fits; pixel++)
		fits = walk_cell(&w, 0, pixel);
	if (fits && w.count > 0)
		block = malloc(skymap_block(w.count, false));
	if (block != NULL) {
		skymap_lay(out, block, w.count, false);
		double sum = 0;
		for (int64_t i = 0; i < w.count; i++)
			sum += w.density[i] * skymap_pixel_sr(w.finest);
		for (int64_t i = 0; i < w.count; i++)
			w.density[i] /= sum;
		memcpy(block, w.uniq, (size_t)w.count * sizeof *w.uniq);
		memcpy((char *)block + (size_t)w.count * sizeof *w.uniq, w.density, (size_t)w.count * sizeof *w.density);
		out->order_max = w.finest;
		out->memory = block;
		out->memory_len = skymap_block(w.count, false);
	}
	free(w.uniq);
	free(w.density);
	return block != NULL ? 0 : err_set(e, ERR_MEMORY, "no memory for the map of an error circle");
}
