/* Galaxies as a Neyman–Scott process: Poisson clusters with Gaussian members, and a field;
 * luminosities from a Schechter function. */
#include "sim/sky.h"
#include "sim/random.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEG	     (M_PI / 180)
#define MAX_GALAXIES 2000000

struct grow {
	struct sim_sky *sky;
	size_t cap;
	bool failed;
};

/* L/L* from x^alpha·exp(-x), x ≥ 0.1, alpha = -1.07 (Gehrels et al. 2016, arXiv:1508.03608), by
 * rejection under a power law. */
static double draw_luminosity(struct rng *r)
{
	for (;;) {
		/* the power law x^-1.07 above 0.1, by inversion; accepted with exp(-(x - 0.1)) */
		double x = 0.1 * pow(1.0 - rng_uniform(r), -1 / 0.07);

		if (x < 20 && rng_uniform(r) < exp(-(x - 0.1)))
			return x;
	}
}

static void galaxy_name(struct sim_galaxy *g)
{
	double h = g->ra_deg / 15, d = fabs(g->dec_deg);
	int rs = (int)(h * 3600) % 86400, ds = (int)(d * 3600);

	snprintf(g->name, sizeof g->name, "SIM %02d%02d%02d%c%02d%02d%02d", rs / 3600, rs / 60 % 60,
		rs % 60, g->dec_deg < 0 ? '-' : '+', ds / 3600 % 100, ds / 60 % 60, ds % 60);
}

static void add_galaxy(struct grow *to, struct rng *r, const double p[3])
{
	double d = sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]);
	struct sim_sky *sky = to->sky;

	if (to->failed || d > sky->radius_mpc || d < 1)
		return;
	if (sky->count == to->cap) {
		size_t cap = to->cap == 0 ? 65536 : to->cap * 2;
		struct sim_galaxy *more =
			cap > MAX_GALAXIES ? NULL : realloc(sky->galaxy, cap * sizeof *more);
		if (more == NULL) {
			to->failed = true;
			return;
		}
		sky->galaxy = more;
		to->cap = cap;
	}
	struct sim_galaxy *g = &sky->galaxy[sky->count++];
	memset(g, 0, sizeof *g);
	double x = draw_luminosity(r), ra = atan2(p[1], p[0]) / DEG;
	g->ra_deg = ra < 0 ? ra + 360 : ra;
	g->dec_deg = asin(p[2] / d) / DEG;
	g->distance_mpc = d;
	g->abs_b_mag = -20.5 - 2.5 * log10(x);
	g->log_mstar =
		10.6 + log10(x) + 0.25 * rng_normal(r); /* mass to light scatters by a factor 1.8 */
	g->id = 1000000 + (int64_t)sky->count;
}

static void add_cluster(struct grow *to, struct rng *r)
{
	double centre[3], scatter = rng_between(r, 0.4, 1.8);
	int members = 2 + (int)(6 * rng_exponential(r));
	double distance = to->sky->radius_mpc * cbrt(rng_uniform(r));

	rng_direction(r, centre);
	for (int i = 0; i < members; i++) {
		double p[3];
		for (int k = 0; k < 3; k++)
			p[k] = centre[k] * distance + scatter * rng_normal(r);
		add_galaxy(to, r, p);
	}
}

/* What a survey would print: distances with errors, fewer galaxies the fainter they look. */
static void list_galaxies(struct sim_sky *sky, const struct sim_sky_options *o)
{
	struct rng r;
	double limit = o->limit_b_mag > 0 ? o->limit_b_mag : 16.8;

	rng_seed(&r, o->seed, "catalogue");
	for (size_t i = 0; i < sky->count; i++) {
		struct sim_galaxy *g = &sky->galaxy[i];
		double error = rng_between(&r, 0.10, 0.20),
		       b = g->abs_b_mag + 5 * log10(g->distance_mpc) + 25 + 0.1 * rng_normal(&r);
		double measured = g->distance_mpc *
				  exp(error * rng_normal(&r)); /* errors of distance moduli */

		g->listed_mpc = measured > 1 ? measured : 1;
		g->listed_err_mpc = g->listed_mpc * error;
		g->b_mag = (float)b;
		g->listed = limit >= 99 || rng_uniform(&r) < 1 / (1 + exp((b - limit) / 0.35));
		galaxy_name(g);
	}
}

int sim_sky_make(const struct sim_sky_options *o, struct sim_sky *out, struct err *e)
{
	memset(out, 0, sizeof *out);
	out->radius_mpc = o->radius_mpc > 0 ? o->radius_mpc : 160;
	double density = o->density_mpc3 > 0 ? o->density_mpc3 : 0.008,
	       r3 = out->radius_mpc * out->radius_mpc * out->radius_mpc;
	size_t wanted = (size_t)(density * 4 / 3 * M_PI * r3), field = wanted * 45 / 100;
	struct grow to = {.sky = out};
	struct rng r;

	if (wanted > MAX_GALAXIES / 2)
		return err_set(e, ERR_LIMIT,
			"made-up sky: %zu galaxies are more than the limit of %d; make radius or "
			"density smaller",
			wanted, MAX_GALAXIES / 2);
	rng_seed(&r, o->seed, "sky");
	while (out->count < field && !to.failed) {
		double p[3], d = out->radius_mpc * cbrt(rng_uniform(&r));
		rng_direction(&r, p);
		for (int k = 0; k < 3; k++)
			p[k] *= d;
		add_galaxy(&to, &r, p);
	}
	while (out->count < wanted && !to.failed)
		add_cluster(&to, &r);
	if (to.failed) {
		sim_sky_free(out);
		return err_set(e, ERR_MEMORY, "made-up sky: no memory for %zu galaxies", wanted);
	}
	list_galaxies(out, o);
	return 0;
}

void sim_sky_free(struct sim_sky *sky)
{
	free(sky->galaxy);
	memset(sky, 0, sizeof *sky);
}

int64_t sim_sky_host(const struct sim_sky *sky, uint64_t seed, const char *stream, double max_mpc)
{
	struct rng r;
	double total = 0, sum = 0;

	for (size_t i = 0; i < sky->count; i++)
		if (sky->galaxy[i].distance_mpc < max_mpc)
			total += pow(10, sky->galaxy[i].log_mstar - 10.6) + 0.1;
	rng_seed(&r, seed, stream);
	double at = rng_uniform(&r) * total;
	int64_t last = -1;
	for (size_t i = 0; i < sky->count; i++) {
		if (sky->galaxy[i].distance_mpc >= max_mpc)
			continue;
		last = (int64_t)i;
		sum += pow(10, sky->galaxy[i].log_mstar - 10.6) + 0.1;
		if (sum > at)
			break;
	}
	return last;
}

void sim_sky_csv(const struct sim_sky *sky, struct text *out)
{
	text_puts(out, "ID,NAME,RA,DEC,DIST_MPC,DISTERR_MPC,B_MAG,LOGMSTAR\n");
	for (size_t i = 0; i < sky->count && !out->failed; i++) {
		const struct sim_galaxy *g = &sky->galaxy[i];
		if (g->listed)
			text_printf(out, "%lld,%s,%.6f,%.6f,%.3f,%.3f,%.2f,%.2f\n",
				(long long)g->id, g->name, g->ra_deg, g->dec_deg, g->listed_mpc,
				g->listed_err_mpc, (double)g->b_mag, g->log_mstar);
	}
}
