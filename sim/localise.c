/* Ring-shaped posteriors and their adaptive HEALPix maps. */
#include "sim/localise.h"
#include "sim/random.h"
#include <chealpix.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DEG	   (M_PI / 180)
#define BASE_ORDER 3
#define BASE_CELLS 768
#define SPLIT	   192

static double dot(const double a[3], const double b[3])
{
	return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static void cross(const double a[3], const double b[3], double out[3])
{
	out[0] = a[1] * b[2] - a[2] * b[1];
	out[1] = a[2] * b[0] - a[0] * b[2];
	out[2] = a[0] * b[1] - a[1] * b[0];
}

/* Unit vectors at a point: the point itself, a tangent turned by angle from east, and the third. */
static void tangent_frame(const double v[3], double angle, double f[3][3])
{
	double z[3] = {0, 0, 1}, east[3], north[3];

	cross(z, v, east);
	double n = sqrt(dot(east, east));
	if (n < 1e-9) {
		east[0] = 1;
		east[1] = east[2] = 0;
		n = 1;
	}
	for (int k = 0; k < 3; k++)
		east[k] /= n;
	cross(v, east, north);
	for (int k = 0; k < 3; k++) {
		f[0][k] = v[k];
		f[1][k] = cos(angle) * east[k] + sin(angle) * north[k];
		f[2][k] = -sin(angle) * east[k] + cos(angle) * north[k];
	}
}

/* Turns the ring so that the drawn point (psi, phi) of its own frame falls on the truth, at a
 * random position angle. */
static void place(
	struct sim_posterior *p, double psi, double phi, const double truth[3], double angle)
{
	double u[3] = {sin(psi) * cos(phi), sin(psi) * sin(phi), cos(psi)}, own[3][3], sky[3][3];

	tangent_frame(u, 0, own);
	tangent_frame(truth, angle, sky);
	for (int axis = 0; axis < 3; axis++)
		for (int k = 0; k < 3; k++)
			p->frame[axis][k] = own[0][axis] * sky[0][k] + own[1][axis] * sky[1][k] +
					    own[2][axis] * sky[2][k];
}

void sim_posterior_make(
	const struct sim_merger *m, uint64_t seed, const char *stream, struct sim_posterior *out)
{
	struct rng r;
	double area = m->area90_deg2 * DEG * DEG, truth[3];

	rng_seed(&r, seed, stream);
	memset(out, 0, sizeof *out);
	/* one Gaussian lobe: area90 = 2π ln(10) σ1 σ2; the second lobe adds about a third */
	double width = sqrt(area / 1.35 / (2 * M_PI * log(10)) / m->elongation);
	out->ring = rng_between(&r, 35, 80) * DEG;
	out->ring_sigma = width;
	out->z_low = cos(out->ring + 8 * width);
	out->z_high = cos(out->ring - 8 * width > 0 ? out->ring - 8 * width : 0);
	while (out->sample_order < 10 && 1.02 / (1 << out->sample_order) > width / 2)
		out->sample_order++;
	double along = width * m->elongation / sin(out->ring), second = rng_between(&r, 0.10, 0.30);
	out->lobe[0] = (struct sim_lobe){0, along, 1 - second};
	double apart = rng_between(&r, 3, 6) * along, wide = along * rng_between(&r, 0.5, 0.9);
	out->lobe[1] = (struct sim_lobe){apart, wide, second};
	const struct sim_lobe *l = &out->lobe[rng_uniform(&r) < second ? 1 : 0];
	double phi = l->phi + l->sigma * rng_normal(&r), psi = out->ring + width * rng_normal(&r);
	double ra = m->ra_deg * DEG, dec = m->dec_deg * DEG;
	truth[0] = cos(dec) * cos(ra);
	truth[1] = cos(dec) * sin(ra);
	truth[2] = sin(dec);
	place(out, psi, phi, truth, rng_between(&r, 0, 2 * M_PI));
	out->phi_origin = phi;
	out->tilt = rng_between(&r, -0.4, 0.4) * sin(out->ring);
	/* prior r², Gaussian likelihood: the posterior r² N(r; mu, sigma) with mu around the truth
	 * is calibrated */
	out->sigma_mpc = m->sigma_mpc;
	out->mu_mpc = m->distance_mpc + m->sigma_mpc * rng_normal(&r);
}

static void ring_coordinates(
	const struct sim_posterior *p, const double v[3], double *psi, double *phi)
{
	double x = dot(p->frame[0], v), y = dot(p->frame[1], v), z = dot(p->frame[2], v);

	*psi = acos(z > 1 ? 1 : z < -1 ? -1 : z);
	*phi = atan2(y, x);
}

static double wrap(double angle)
{
	return remainder(angle, 2 * M_PI);
}

double sim_posterior_density(const struct sim_posterior *p, const double v[3])
{
	double psi, phi, sum = 0, z = dot(p->frame[2], v);

	if (z < p->z_low || z > p->z_high)
		return 0; /* more than 8 sigma off the ring */
	ring_coordinates(p, v, &psi, &phi);
	double t = (psi - p->ring) / p->ring_sigma;
	for (int i = 0; i < 2; i++) {
		double s = wrap(phi - p->lobe[i].phi) / p->lobe[i].sigma;
		sum += p->lobe[i].weight / p->lobe[i].sigma * exp(-0.5 * s * s);
	}
	return sum * exp(-0.5 * t * t) / sin(psi);
}

void sim_posterior_distance(
	const struct sim_posterior *p, const double v[3], double *mu_mpc, double *sigma_mpc)
{
	double psi, phi;

	ring_coordinates(p, v, &psi, &phi);
	double scale = 1 + p->tilt * wrap(phi - p->phi_origin);
	scale = scale < 0.6 ? 0.6 : scale > 1.4 ? 1.4 : scale;
	*mu_mpc = p->mu_mpc * scale;
	*sigma_mpc = p->sigma_mpc * scale;
}

void sim_distance_moments(double mu, double sigma, double *norm, double *mean, double *square)
{
	double t = mu / sigma, cdf = 0.5 * erfc(-t * M_SQRT1_2),
	       pdf = exp(-0.5 * t * t) / sqrt(2 * M_PI), s2 = sigma * sigma;
	double m2 = (mu * mu + s2) * cdf + mu * sigma * pdf;
	double m3 = (mu * mu * mu + 3 * mu * s2) * cdf + (mu * mu * sigma + 2 * s2 * sigma) * pdf;
	double m4 = (mu * mu * mu * mu + 6 * mu * mu * s2 + 3 * s2 * s2) * cdf +
		    (mu * mu * mu * sigma + 5 * mu * s2 * sigma) * pdf;

	*norm = 1 / m2;
	*mean = m3 / m2;
	*square = m4 / m2;
}

/* Working form: probability instead of density. */
struct part {
	uint64_t uniq;
	double prob;
};

static int cell_order(uint64_t uniq)
{
	return (63 - __builtin_clzll(uniq)) / 2 - 1;
}

/* No point of the cell is within 8 sigma of the ring: from its centre to its farthest corner are at most 1.07 rad / nside. */
static bool off_the_ring(const struct sim_posterior *p, int order, int64_t pixel)
{
	double v[3], psi, phi, reach = 8 * p->ring_sigma + 1.1 / (double)(INT64_C(1) << order);

	pix2vec_nest64(INT64_C(1) << order, pixel, v);
	ring_coordinates(p, v, &psi, &phi);
	return fabs(psi - p->ring) > reach;
}

/* Adds the densities at the deep pixels of a cell, in their order; whole stretches of nothing are left out. */
static void cell_add(const struct sim_posterior *p, int order, int64_t pixel, int deep, double *sum)
{
	double v[3];

	if (order == deep) {
		pix2vec_nest64(INT64_C(1) << deep, pixel, v);
		*sum += sim_posterior_density(p, v);
	} else if (!off_the_ring(p, order, pixel)) {
		for (int k = 0; k < 4; k++)
			cell_add(p, order + 1, pixel * 4 + k, deep, sum);
	}
}

static double cell_probability(const struct sim_posterior *p, uint64_t uniq)
{
	int order = cell_order(uniq), deep = order < p->sample_order ? p->sample_order : order;
	double sum = 0;

	cell_add(p, order, (int64_t)(uniq - (UINT64_C(4) << (2 * order))), deep, &sum);
	return sum * (4 * M_PI / 12) / (double)(UINT64_C(1) << (2 * deep));
}

static int more_probable(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	if (x->prob != y->prob)
		return x->prob > y->prob ? -1 : 1;
	return x->uniq < y->uniq ? -1 : 1;
}

static int by_uniq(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	return x->uniq < y->uniq ? -1 : 1;
}

static size_t refine(const struct sim_posterior *p, struct part *part, int rounds)
{
	size_t n = BASE_CELLS;

	for (size_t i = 0; i < n; i++) {
		part[i].uniq = i + (UINT64_C(4) << (2 * BASE_ORDER));
		part[i].prob = cell_probability(p, part[i].uniq);
	}
	for (int round = 0; round < rounds; round++) {
		qsort(part, n, sizeof *part, more_probable);
		for (size_t i = 0; i < SPLIT; i++) {
			uint64_t parent = part[i].uniq;
			for (unsigned k = 0; k < 4; k++) {
				struct part *child = k == 0 ? &part[i] : &part[n++];
				child->uniq = parent * 4 + k;
				child->prob = cell_probability(p, child->uniq);
			}
		}
	}
	qsort(part, n, sizeof *part, by_uniq);
	return n;
}

/* Densities that integrate to one, distances, and the moments of the whole for the header. */
static void finish(const struct sim_posterior *p, const struct part *part, struct sim_map *m)
{
	double total = 0, mean = 0, square = 0;

	for (size_t i = 0; i < m->count; i++)
		total += part[i].prob;
	for (size_t i = 0; i < m->count; i++) {
		struct sim_cell *c = &m->cell[i];
		int order = cell_order(part[i].uniq);
		double v[3], d1, d2, prob = part[i].prob / total;

		c->uniq = part[i].uniq;
		c->density = prob * (double)(UINT64_C(12) << (2 * order)) / (4 * M_PI);
		m->order_max = order > m->order_max ? order : m->order_max;
		c->mu = INFINITY; /* as BAYESTAR writes where there is no probability at all */
		c->sigma = 1;
		c->norm = 0;
		if (prob <= 0)
			continue;
		pix2vec_nest64(
			INT64_C(1) << order, (int64_t)(c->uniq - (UINT64_C(4) << (2 * order))), v);
		sim_posterior_distance(p, v, &c->mu, &c->sigma);
		sim_distance_moments(c->mu, c->sigma, &c->norm, &d1, &d2);
		mean += prob * d1;
		square += prob * d2;
	}
	m->distmean_mpc = mean;
	m->diststd_mpc = sqrt(square - mean * mean);
}

int sim_map_make(const struct sim_posterior *p, int rounds, struct sim_map *out, struct err *e)
{
	memset(out, 0, sizeof *out);
	must(rounds >= 0 && rounds <= 12);
	struct part *part = calloc(BASE_CELLS + 3u * SPLIT * (unsigned)rounds, sizeof *part);
	if (part == NULL)
		return err_set(e, ERR_MEMORY, "made-up map: no memory");
	out->count = refine(p, part, rounds);
	out->cell = calloc(out->count, sizeof *out->cell);
	if (out->cell == NULL) {
		free(part);
		return err_set(e, ERR_MEMORY, "made-up map: no memory");
	}
	finish(p, part, out);
	free(part);
	return 0;
}

void sim_map_free(struct sim_map *m)
{
	free(m->cell);
	memset(m, 0, sizeof *m);
}
