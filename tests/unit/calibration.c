/* P–P: 1,000 hosts from a clustered mock; the part of them inside the cumulative probability p is p. The mock, the hosts and their
 * localisations are drawn here, with nothing of the ranker: a host by its true weight and the rate of its redshift, a measured direction and a
 * measured distance scattered about the truth, galaxies listed with errors of distance (and their luminosities with them). The seeds are fixed;
 * with others the worst of 19 levels stands at 1 to 3 σ, and what a faint limit leaves out is said 0.02 too high: its shells are wide. */
#include "test.h"
#include "engine/target/catalog_build.h"
#include "engine/target/cosmology.h"
#include "engine/target/probability.h"
#include "sim/random.h"
#include <chealpix.h>
#include <math.h>

#define EVENTS 1000
#define FAR_MPC 260.0
#define TIGHT 0.00045     /* galaxies a Mpc³ */
#define SUN_B 5.44
#define FAINTER 0.46e10   /* Lsun,B: 40 % of the galaxies are */

struct mock_galaxy {
	double v[3], d_c, d_l, z, light;   /* the truth */
	double listed_mpc, listed_err_mpc;
	int64_t row;                       /* of the catalogue, −1: not in it */
	bool listed;
};
struct mock {
	struct mock_galaxy *g;
	size_t n, cap;
	double *below;         /* running sum of true weight / (1 + z) */
	double light_per_mpc3; /* of the whole mock */
};
enum true_weight { TRUE_LIGHT, TRUE_COUNT };
enum unlit { UNLIT_NONE, UNLIT_CHANCE, UNLIT_FAINT }; /* whose magnitude is not listed: none; 40 % by chance; the fainter 40 % */

/* d_L by the redshift that has this comoving distance: bisection on an own integral (midpoint rule). */
static double comoving(double z)
{
	double sum = 0;
	for (int i = 0; i < 64; i++) {
		double a = 1 + z * (i + 0.5) / 64;
		sum += 1 / sqrt(0.30966 * a * a * a + 0.69034);
	}
	return 299792.458 / 67.66 * z * sum / 64;
}

static void galaxy_add(struct mock *m, struct rng *r, const double p[3])
{
	double d = sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]), low = 0, high = 0.2, x;
	if (d > FAR_MPC || d < 2)
		return;
	if (m->n == m->cap) {
		m->cap = m->cap ? 2 * m->cap : 65536;
		m->g = realloc(m->g, m->cap * sizeof *m->g);
	}
	struct mock_galaxy *g = &m->g[m->n++];
	for (int i = 0; i < 40; i++)
		*(comoving(0.5 * (low + high)) < d ? &low : &high) = 0.5 * (low + high);
	do /* a Schechter function above 0.1 L*, by rejection */
		x = 0.1 + 8 * rng_uniform(r);
	while (rng_uniform(r) * 10.7 > pow(x, -1.07) * exp(-x));
	*g = (struct mock_galaxy){.d_c = d, .z = low, .d_l = (1 + low) * d, .light = 2e10 * x};
	for (int k = 0; k < 3; k++)
		g->v[k] = p[k] / d;
	/* 4.4 Mpc of peculiar velocity, or a measured distance to 8 % */
	g->listed_err_mpc = rng_uniform(r) < 0.5 ? 4.4 : 0.08 * g->d_l;
	do
		g->listed_mpc = g->d_l + g->listed_err_mpc * rng_normal(r);
	while (g->listed_mpc < 1);
}

/* A third of the galaxies stand anywhere, the others in groups, of which four may make a crowd: a galaxy has 8 more within 20 Mpc than it would
 * have by chance, as the sky has it: 0.00045 Mpc⁻³ · 4π ∫ (r/8.2 Mpc)^−1.84 r² dr = 8 (Zehavi et al. 2005, arXiv:astro-ph/0408569). */
static void mock_make(struct mock *m, uint64_t seed)
{
	size_t wanted = (size_t)(TIGHT * 4 / 3 * M_PI * pow(FAR_MPC, 3));
	struct rng r;
	*m = (struct mock){0};
	rng_seed(&r, seed, "mock");
	while (m->n < wanted) {
		double centre[3], group[3], p[3];
		bool crowd = rng_uniform(&r) < 0.03, field = rng_uniform(&r) < 0.8;
		rng_direction(&r, centre);
		double d = (FAR_MPC + 20) * cbrt(rng_uniform(&r));
		for (int i = 0, groups = crowd ? 4 : 1; i < groups; i++) {
			for (int k = 0; k < 3; k++)
				group[k] = centre[k] * d + (crowd ? 6 * rng_normal(&r) : 0);
			for (int j = 0, members = field && !crowd ? 1 : 2 + (int)(3.5 * rng_exponential(&r)); j < members; j++) {
				for (int k = 0; k < 3; k++)
					p[k] = group[k] + rng_normal(&r);
				galaxy_add(m, &r, p);
			}
		}
	}
	for (size_t i = 0; i < m->n; i++)
		m->light_per_mpc3 += m->g[i].light;
	m->light_per_mpc3 /= 4. / 3 * M_PI * pow(FAR_MPC, 3);
	m->below = calloc(m->n, sizeof *m->below);
}

static void hosts_by(struct mock *m, enum true_weight by)
{
	double sum = 0;
	for (size_t i = 0; i < m->n; i++)
		m->below[i] = sum += (by == TRUE_LIGHT ? m->g[i].light : 1) / (1 + m->g[i].z);
}

static size_t host_draw(const struct mock *m, struct rng *r)
{
	double at = rng_uniform(r) * m->below[m->n - 1];
	size_t low = 0, high = m->n - 1;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (m->below[mid] < at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The catalogue of those that `keep` holds: true apparent magnitudes, listed distances. */
static void mock_list(struct mock *m, bool (*keep)(const struct mock_galaxy *, struct rng *), enum unlit unlit, struct catalog *out)
{
	char folder[] = "/tmp/slew-calibration-XXXXXX", csv[64], fits[64];
	struct catalog_builder b;
	struct err e = {0};
	struct rng r;
	rng_seed(&r, 5, "list");
	assert_non_null(mkdtemp(folder));
	snprintf(csv, sizeof csv, "%s/in.csv", folder);
	snprintf(fits, sizeof fits, "%s/c.fits", folder);
	FILE *f = fopen(csv, "w");
	fprintf(f, "id,ra,dec,dist,dist_err,bmag\n");
	for (size_t i = 0; i < m->n; i++) {
		struct mock_galaxy *g = &m->g[i];
		double ra = atan2(g->v[1], g->v[0]) * 180 / M_PI;
		g->row = -1;
		g->listed = keep == NULL || keep(g, &r);
		if (!g->listed)
			continue;
		fprintf(f, "%zu,%.6f,%.6f,%.4f,%.4f,", i, ra < 0 ? ra + 360 : ra, asin(g->v[2]) * 180 / M_PI, g->listed_mpc, g->listed_err_mpc);
		if (unlit == UNLIT_NONE || (unlit == UNLIT_CHANCE ? i % 5 > 1 : g->light > FAINTER))
			fprintf(f, "%.4f", SUN_B - 2.5 * log10(g->light) + 5 * log10(g->d_l) + 25);
		fprintf(f, "\n");
	}
	fclose(f);
	catalog_builder_init(&b);
	assert_ok(catalog_build_add(&b, csv, &e), &e);
	assert_ok(catalog_build_write(&b, fits, NULL, &e), &e);
	catalog_builder_free(&b);
	assert_ok(catalog_open(fits, out, &e), &e);
	for (int64_t row = 0; row < out->count; row++) {
		struct catalog_row g;
		catalog_row_at(out, row, &g);
		m->g[g.id].row = row;
	}
	unlink(csv);
	unlink(fits);
	rmdir(folder);
}

/* One localisation: a direction measured to kappa (von Mises-Fisher), a distance to sigma, both as drawn beforehand; prior d_L². */
#define CELLS_MAX 4096
struct localised {
	struct skymap m;
	uint64_t uniq[CELLS_MAX];
	double density[CELLS_MAX], mu[CELLS_MAX], sigma[CELLS_MAX], norm[CELLS_MAX];
};

static double norm_of(double mu, double sigma)
{
	double sum = 0, step = sigma / 50;
	for (double r = step / 2; r < mu + 9 * sigma; r += step)
		sum += r * r * exp(-0.5 * (r - mu) * (r - mu) / (sigma * sigma)) / (sigma * sqrt(2 * M_PI)) * step;
	return 1 / sum;
}

/* false: what was measured lies so far that the mock ends within it. That is judged by what was measured, not by the truth. */
static bool localise(const struct mock_galaxy *host, struct rng *r, struct localised *l)
{
	double width = rng_between(r, 2, 7) * M_PI / 180, kappa = 1 / (width * width), sigma = rng_between(r, 10, 30);
	double mu = host->d_l + sigma * rng_normal(r), centre[3], t[3], u[3], sum = 0;
	if (mu + 3.5 * sigma > FAR_MPC || mu < 3 * sigma)
		return false;
	/* the measured direction: cos of its angle to the truth by inversion, any position angle */
	double w = 1 + log(1 - rng_uniform(r) * (1 - exp(-2 * kappa))) / kappa, angle = 2 * M_PI * rng_uniform(r);
	double pole[3] = {0, 0, 1}, s = sqrt(fmax(0, 1 - w * w));
	if (fabs(host->v[2]) > 0.9)
		pole[0] = 1, pole[2] = 0;
	for (int k = 0; k < 3; k++)
		t[k] = pole[(k + 1) % 3] * host->v[(k + 2) % 3] - pole[(k + 2) % 3] * host->v[(k + 1) % 3];
	double length = sqrt(t[0] * t[0] + t[1] * t[1] + t[2] * t[2]);
	for (int k = 0; k < 3; k++)
		u[k] = (t[(k + 1) % 3] * host->v[(k + 2) % 3] - t[(k + 2) % 3] * host->v[(k + 1) % 3]) / length;
	for (int k = 0; k < 3; k++)
		centre[k] = w * host->v[k] + s * (cos(angle) * t[k] / length + sin(angle) * u[k]);
	const int order = 5;
	int64_t n = 0;
	for (int64_t pix = 0; pix < 12288; pix++) {
		double v[3];
		pix2vec_nest64(INT64_C(1) << order, pix, v);
		double c = v[0] * centre[0] + v[1] * centre[1] + v[2] * centre[2];
		if (kappa * (1 - c) > 14)
			continue;
		assert_true(n < CELLS_MAX);
		l->uniq[n] = (UINT64_C(4) << (2 * order)) + (uint64_t)pix;
		sum += l->density[n] = exp(kappa * (c - 1));
		l->mu[n] = mu;
		l->sigma[n++] = sigma;
	}
	double norm = norm_of(mu, sigma);
	for (int64_t i = 0; i < n; i++) {
		l->density[i] /= sum * 4 * M_PI / 12288;
		l->norm[i] = norm;
	}
	l->m = (struct skymap){.cells = n, .uniq = l->uniq, .density = l->density, .mu = l->mu, .sigma = l->sigma, .norm = l->norm,
		.ordering = SKYMAP_NUNIQ, .order_max = order, .distmean_mpc = NAN, .diststd_mpc = NAN};
	return true;
}

/* Where in the cumulative probability a host falls: uniform on 0 … 1 when the probabilities are right. Between the sums before and behind its
 * row the place is drawn; hosts that are not in the catalogue stand behind it. */
struct judged {
	double place[EVENTS], outside_mean;
	int outside; /* hosts not in the catalogue */
};

static void judge(const struct mock *m, const struct catalog *c, enum weight_kind kind, double density, struct judged *out)
{
	static struct localised l;
	struct census *k;
	struct weight w;
	struct missing lacks;
	struct rng r;
	struct err e = {0};
	rng_seed(&r, 11, "events");
	assert_ok(census_make(c, &k, &e), &e);
	weight_make(&w, kind, c, k, NULL, density);
	missing_make(&lacks, k, &w);
	*out = (struct judged){.outside = 0};
	for (int event = 0; event < EVENTS;) {
		const struct mock_galaxy *host = &m->g[host_draw(m, &r)];
		const struct rank_options o = {.distance_error = true, .probability = NAN, .by = &w};
		struct ranking ranked;
		struct probability p;
		if (!localise(host, &r, &l))
			continue;
		assert_ok(rank_galaxies(&l.m, c, &o, &ranked, &e), &e);
		probability_make(&p, &l.m, &lacks, &ranked, NULL);
		double sum = 0, place = p.inside + rng_uniform(&r) * p.outside;
		for (size_t i = 0; i < ranked.count; i++) {
			double mine = probability_row(&p, &w, c, &ranked.list[i]);
			if (ranked.list[i].row == host->row)
				place = sum + rng_uniform(&r) * mine;
			sum += mine;
		}
		out->outside += host->row < 0;
		out->outside_mean += p.outside / EVENTS;
		out->place[event++] = place;
		rank_free(&ranked);
	}
	free(k);
}

/* Largest excess over p, in σ, at p = 0.05 … 0.95; *most: in parts. */
static double deviation(const struct judged *j, double *most)
{
	double worst = 0;
	*most = 0;
	for (int i = 1; i < 20; i++) {
		double p = i / 20.0, in = 0;
		for (int k = 0; k < EVENTS; k++)
			in += j->place[k] < p;
		double off = in / EVENTS - p, sigmas = off / sqrt(p * (1 - p) / EVENTS);
		worst = fabs(sigmas) > fabs(worst) ? sigmas : worst;
		*most = fabs(off) > fabs(*most) ? off : *most;
	}
	return worst;
}

static struct mock mock;

static void told(const char *what, const struct judged *j, double sigmas, double most)
{
	printf("# %s: worst %.1f sigma, %+.3f; P(not in the catalogue) %.3f, hosts not in it %.3f\n", what, sigmas, most, j->outside_mean,
		(double)j->outside / EVENTS);
}

static void right_weights(void **state)
{
	static struct judged j;
	struct catalog c;
	double most, worst;
	(void)state;
	mock_list(&mock, NULL, UNLIT_NONE, &c);
	hosts_by(&mock, TRUE_LIGHT);
	judge(&mock, &c, WEIGHT_LUMINOSITY, mock.light_per_mpc3, &j);
	worst = deviation(&j, &most);
	told("hosts by luminosity, ranked by luminosity", &j, worst, most);
	assert_true(fabs(worst) < 3);
	hosts_by(&mock, TRUE_COUNT);
	judge(&mock, &c, WEIGHT_NONE, TIGHT, &j);
	worst = deviation(&j, &most);
	told("hosts by count, ranked by count", &j, worst, most);
	assert_true(fabs(worst) < 3);
	catalog_close(&c);
}

/* Wrong weights. A weight that knows less than the truth is as right as the right one: hosts by luminosity, ranked by count, or with the mean of
 * the distance for magnitudes that are missing by chance. Where it is the faint ones that have none, the mean makes too much of them, by 3 % of
 * the hosts. A weight that prefers what hosts do not is too sure, and nothing in a catalogue can show it: of hosts by count, ranked by
 * luminosity, 25 % lie inside 50 %. README and slew rank --help say so. */
static void wrong_weights(void **state)
{
	static const struct {
		const char *what;
		enum true_weight by;
		enum weight_kind kind;
		enum unlit unlit;
		double least_sigmas, most_sigmas;
	} cases[] = {
		{"hosts by luminosity, ranked by count", TRUE_LIGHT, WEIGHT_NONE, UNLIT_NONE, -3, 3},
		{"hosts by luminosity, 40 % of the magnitudes missing by chance", TRUE_LIGHT, WEIGHT_LUMINOSITY, UNLIT_CHANCE, -3, 3},
		{"hosts by luminosity, the magnitudes of the fainter 40 % missing", TRUE_LIGHT, WEIGHT_LUMINOSITY, UNLIT_FAINT, -3, 6},
		{"hosts by count, ranked by luminosity", TRUE_COUNT, WEIGHT_LUMINOSITY, UNLIT_NONE, -25, -4},
	};
	static struct judged j;
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct catalog c;
		double most, worst, half = 0;
		mock_list(&mock, NULL, cases[i].unlit, &c);
		hosts_by(&mock, cases[i].by);
		judge(&mock, &c, cases[i].kind, cases[i].kind == WEIGHT_NONE ? TIGHT : mock.light_per_mpc3, &j);
		worst = deviation(&j, &most);
		for (int k = 0; k < EVENTS; k++)
			half += j.place[k] < 0.5;
		told(cases[i].what, &j, worst, most);
		printf("#   inside 50 %%: %.1f %% of the hosts\n", 100 * half / EVENTS);
		assert_true(worst > cases[i].least_sigmas && worst < cases[i].most_sigmas);
		catalog_close(&c);
	}
}

static bool every_other(const struct mock_galaxy *g, struct rng *r)
{
	(void)g;
	return rng_uniform(r) < 0.5;
}

static bool bright(const struct mock_galaxy *g, struct rng *r)
{
	(void)r;
	return SUN_B - 2.5 * log10(g->light) + 5 * log10(g->d_l) + 25 < 15.5;
}

static bool half_sky(const struct mock_galaxy *g, struct rng *r)
{
	(void)r;
	return g->v[2] > 0;
}

/* What a catalogue does not hold: by chance, by its faint limit, by a part of the sky. */
static void holes(void **state)
{
	static struct judged j;
	static const struct {
		const char *what;
		bool (*keep)(const struct mock_galaxy *, struct rng *);
	} cases[3] = {{"every other galaxy", every_other}, {"brighter than B = 15.5", bright}, {"one half of the sky", half_sky}};
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct catalog c;
		double most, worst;
		mock_list(&mock, cases[i].keep, UNLIT_NONE, &c);
		hosts_by(&mock, TRUE_LIGHT);
		judge(&mock, &c, WEIGHT_LUMINOSITY, mock.light_per_mpc3, &j);
		worst = deviation(&j, &most);
		told(cases[i].what, &j, worst, most);
		double said = j.outside_mean, are = (double)j.outside / EVENTS;
		assert_true(fabs(are - said) < 3 * sqrt(said * (1 - said) / EVENTS));
		assert_true(fabs(worst) < 3);
		catalog_close(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(right_weights), cmocka_unit_test(wrong_weights), cmocka_unit_test(holes)};
	mock_make(&mock, 4);
	printf("# a mock of %zu galaxies\n", mock.n);
	return cmocka_run_group_tests_name("calibration", tests, NULL, NULL);
}
