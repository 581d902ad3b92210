/* Sun, Moon and targets over a site: see ephemeris.h for the method and its errors. */
#include "engine/target/ephemeris.h"
#include "engine/base/utc.h"
#include <math.h>
#include <string.h>

#define AU_KM (ERFA_DAU / 1e3)
#define AU_PER_DAY (ERFA_DAU / ERFA_DAYSEC / ERFA_CMPS)       /* in units of c */
#define SPIN (1.00273781191135448 * ERFA_D2PI / ERFA_DAYSEC)  /* rad/s: eraEra00 */
#define NODES 8 /* polynomial of the seventh degree through exact places */
#define NODE_US (6 * UTC_HOUR)

/* TT − UTC [s]. eraDat knows the leap seconds up to its release; later years keep the last value. */
static double tt_ahead_s(int64_t utc_us)
{
	int year, month, day;
	double fraction, tai_ahead_s = 0.0;
	if (eraJd2cal(ERFA_DJ00, floor(utc_j2000_days(utc_us) - 0.5) + 0.5, &year, &month, &day, &fraction) != 0 ||
		eraDat(year, month, day, fraction, &tai_ahead_s) < 0)
		tai_ahead_s = 37.0;
	return tai_ahead_s + ERFA_TTMTAI;
}

double ephemeris_leap_s(int64_t from_us, int64_t to_us)
{
	return tt_ahead_s(to_us) - tt_ahead_s(from_us);
}

/* Terrestrial time in days since J2000. */
static double tt_days(int64_t utc_us)
{
	return utc_j2000_days(utc_us) + tt_ahead_s(utc_us) / ERFA_DAYSEC;
}

void ephemeris_frame_set(struct ephemeris_frame *f, int64_t utc_us)
{
	double earth_h[2][3], earth_b[2][3];
	f->utc_us = utc_us;
	f->dut1_s = 0.0;
	eraEpv00(ERFA_DJ00, tt_days(utc_us), earth_h, earth_b); /* TDB = TT: < 2 ms */
	eraPn(earth_h[0], &f->sun_au, f->from_sun);
}

static void rotation_set(struct ephemeris_bodies *b, int64_t utc_us, double dut1_s)
{
	b->utc_us = utc_us;
	b->dut1_s = dut1_s;
	b->era_rad = eraEra00(ERFA_DJ00, utc_j2000_days(utc_us) + dut1_s / ERFA_DAYSEC);
}

/* All but the Earth's rotation, at a terrestrial time. */
static void bodies_tt(double tt, struct ephemeris_bodies *out)
{
	double earth_h[2][3], earth_b[2][3], moon[2][3], x, y, s, to_sun[3], to_earth[3], moon_au;
	eraEpv00(ERFA_DJ00, tt, earth_h, earth_b);
	eraPn(earth_h[0], &out->sun_au, out->sun);
	eraSxp(-1.0, out->sun, out->sun); /* the Sun moves by 0.01″ in its light time */
	eraSxp(AU_PER_DAY, earth_b[1], out->velocity);
	eraMoon98(ERFA_DJ00, tt, moon);
	moon_au = eraPm(moon[0]);
	eraPpsp(moon[0], -moon_au * ERFA_AULT / ERFA_DAYSEC, moon[1], moon[0]);
	eraSxp(AU_KM, moon[0], out->moon_km);
	for (int i = 0; i < 3; i++) { /* phase angle at the Moon between Sun and Earth */
		to_sun[i] = out->sun[i] * out->sun_au - moon[0][i];
		to_earth[i] = -moon[0][i];
	}
	out->moon_illuminated = 0.5 * (1.0 + cos(eraSepp(to_sun, to_earth)));
	eraXys00b(ERFA_DJ00, tt, &x, &y, &s);
	eraC2ixys(x, y, s, out->bpn);
}

void ephemeris_bodies_at(const struct ephemeris_frame *f, int64_t utc_us, struct ephemeris_bodies *out)
{
	bodies_tt(tt_days(utc_us), out);
	rotation_set(out, utc_us, f->dut1_s);
}

/* Adds a share of what is smooth in time. */
static void smooth_add(const struct ephemeris_bodies *x, double weight, struct ephemeris_bodies *out)
{
	for (int i = 0; i < 3; i++) {
		out->sun[i] += weight * x->sun[i];
		out->moon_km[i] += weight * x->moon_km[i];
		out->velocity[i] += weight * x->velocity[i];
		for (int k = 0; k < 3; k++)
			out->bpn[i][k] += weight * x->bpn[i][k];
	}
	out->sun_au += weight * x->sun_au;
	out->moon_illuminated += weight * x->moon_illuminated;
}

/* Lagrange: node[i] is at (i − 3) · NODE_US, w in [0, 1) after the fourth. */
static void bodies_through(const struct ephemeris_bodies node[NODES], double w, struct ephemeris_bodies *out)
{
	memset(out, 0, sizeof *out);
	for (int i = 0; i < NODES; i++) {
		double weight = 1.0;
		for (int k = 0; k < NODES; k++)
			if (k != i)
				weight *= (w - (k - NODES / 2 + 1)) / (i - k);
		smooth_add(&node[i], weight, out);
	}
}

void ephemeris_bodies_fill(const struct ephemeris_frame *f, int64_t start_us, int64_t step_us, size_t count, struct ephemeris_bodies *out)
{
	struct ephemeris_bodies node[NODES];
	const double start_tt = tt_days(start_us), ahead_s = tt_ahead_s(start_us), node_days = (double)NODE_US / (double)UTC_DAY;
	int64_t have = -1; /* node[3] is at start + have · NODE_US, in terrestrial time, which knows no leap second */
	if (count <= NODES + (size_t)((int64_t)count * step_us / NODE_US)) { /* few: the nodes would be more work */
		for (size_t n = 0; n < count; n++)
			ephemeris_bodies_at(f, start_us + (int64_t)n * step_us, &out[n]);
		return;
	}
	for (size_t n = 0; n < count; n++) {
		int64_t utc_us = start_us + (int64_t)n * step_us;
		int64_t off_us = utc_us - start_us + (int64_t)((tt_ahead_s(utc_us) - ahead_s) * 1e6), at = off_us / NODE_US;
		for (int i = 0; have < 0 && i < NODES; i++)
			bodies_tt(start_tt + (i - NODES / 2 + 1) * node_days, &node[i]);
		for (have = have < 0 ? 0 : have; have < at; have++) {
			memmove(node, node + 1, sizeof node - sizeof *node);
			bodies_tt(start_tt + (double)(have + 1 + NODES / 2) * node_days, &node[NODES - 1]);
		}
		bodies_through(node, (double)(off_us - at * NODE_US) / (double)NODE_US, &out[n]);
		rotation_set(&out[n], utc_us, f->dut1_s);
	}
}

void ephemeris_bodies_between(const struct ephemeris_bodies *a, const struct ephemeris_bodies *b, int64_t utc_us,
	struct ephemeris_bodies *out)
{
	double w = b->utc_us > a->utc_us ? (double)(utc_us - a->utc_us) / (double)(b->utc_us - a->utc_us) : 0.0;
	memset(out, 0, sizeof *out);
	smooth_add(a, 1.0 - w, out);
	smooth_add(b, w, out);
	rotation_set(out, utc_us, a->dut1_s == b->dut1_s || utc_us < b->utc_us - b->utc_us % UTC_DAY ? a->dut1_s : b->dut1_s);
}

void ephemeris_ground_set(const struct ephemeris_site *s, struct ephemeris_ground *out)
{
	double lat = s->lat_deg * ERFA_DD2R, lon = s->lon_deg * ERFA_DD2R, site_m[3];
	if (eraGd2gc(ERFA_WGS84, 0.0, lat, s->elevation_m, site_m) != 0) /* longitude is in the sidereal time already */
		site_m[0] = site_m[1] = site_m[2] = 0.0;
	*out = (struct ephemeris_ground){.lon_rad = lon, .cos_lat = cos(lat), .sin_lat = sin(lat), .cos_lon = cos(lon), .sin_lon = sin(lon),
		.axis_m = site_m[0], .up_m = site_m[2]};
}

/* The Earth under a site: its axes in the GCRS (x through the site's meridian, z the pole of date) and the mean pole seen from there. */
struct stand {
	double axis[3][3], xp_rad, yp_rad;
};

static void stand_set(const struct ephemeris_bodies *b, const struct ephemeris_ground *g, double lst_rad, struct stand *out)
{
	double c = cos(lst_rad), s = sin(lst_rad), years = utc_j2000_days(b->utc_us) / ERFA_DJY;
	double xp = (0.0550 + 0.001677 * years) * ERFA_DAS2R, yp = (0.3205 + 0.003460 * years) * ERFA_DAS2R;
	out->xp_rad = xp * g->cos_lon - yp * g->sin_lon;
	out->yp_rad = xp * g->sin_lon + yp * g->cos_lon;
	for (int i = 0; i < 3; i++) {
		out->axis[0][i] = c * b->bpn[0][i] + s * b->bpn[1][i];
		out->axis[1][i] = c * b->bpn[1][i] - s * b->bpn[0][i];
		out->axis[2][i] = b->bpn[2][i];
	}
}

/* A vector of the ground (x in the site's meridian, z to the ITRF's pole) into the GCRS. */
static void stand_turn(const struct stand *t, double x, double y, double z, double out[3])
{
	double px = x - t->xp_rad * z, py = y + t->yp_rad * z, pz = z + t->xp_rad * x - t->yp_rad * y;
	for (int i = 0; i < 3; i++)
		out[i] = px * t->axis[0][i] + py * t->axis[1][i] + pz * t->axis[2][i];
}

void ephemeris_local_over(const struct ephemeris_bodies *b, const struct ephemeris_ground *g, struct ephemeris_local *out)
{
	struct stand t;
	double here[3], moon[3], sun[3], far, spin = SPIN * g->axis_m / ERFA_CMPS, at_moon, at_sun;
	out->utc_us = b->utc_us;
	out->lst_rad = eraAnp(b->era_rad + g->lon_rad);
	stand_set(b, g, out->lst_rad, &t);
	stand_turn(&t, g->cos_lat, 0.0, g->sin_lat, out->zenith);
	stand_turn(&t, -g->sin_lat, 0.0, g->cos_lat, out->north);
	stand_turn(&t, 0.0, 1.0, 0.0, out->east);
	stand_turn(&t, 1.0, 0.0, 0.0, out->meridian);
	stand_turn(&t, g->axis_m / 1e3, 0.0, g->up_m / 1e3, here);
	for (int i = 0; i < 3; i++) {
		out->velocity[i] = b->velocity[i] + spin * out->east[i];
		moon[i] = b->moon_km[i] - here[i];
		sun[i] = b->sun[i] * b->sun_au - here[i] / AU_KM;
	}
	eraPn(moon, &far, moon);
	eraPn(sun, &far, sun);
	/* The Moon goes with the Earth: what its light time and the orbit's aberration do cancels, all but its own way around us. */
	at_moon = spin * ephemeris_dot(out->east, moon);
	at_sun = ephemeris_dot(out->velocity, sun);
	for (int i = 0; i < 3; i++) {
		out->moon[i] = moon[i] + spin * out->east[i] - at_moon * moon[i];
		out->sun[i] = sun[i] + out->velocity[i] - at_sun * sun[i];
	}
	out->zenith_velocity = ephemeris_dot(out->zenith, out->velocity);
	out->moon_velocity = ephemeris_dot(out->moon, out->velocity);
	out->sun_sin_alt = ephemeris_dot(out->zenith, out->sun);
	out->moon_sin_alt = ephemeris_dot(out->zenith, out->moon);
	out->moon_illuminated = b->moon_illuminated;
}

void ephemeris_local_at(const struct ephemeris_bodies *b, const struct ephemeris_site *s, struct ephemeris_local *out)
{
	struct ephemeris_ground g;
	ephemeris_ground_set(s, &g);
	ephemeris_local_over(b, &g, out);
}

void ephemeris_target_set(const struct ephemeris_frame *f, double ra_deg, double dec_deg, struct ephemeris_target *out)
{
	double unit[3];
	eraS2c(ra_deg * ERFA_DD2R, dec_deg * ERFA_DD2R, unit);
	eraLdsun(unit, (double *)(size_t)f->from_sun, f->sun_au, out->unit);
}

double ephemeris_asin_deg(double sine)
{
	return asin(fmax(-1.0, fmin(1.0, sine))) * ERFA_DR2D;
}

/* As the observer sees it: aberrated. */
static void apparent(const struct ephemeris_local *l, const struct ephemeris_target *t, double out[3])
{
	double towards = ephemeris_dot(l->velocity, t->unit);
	for (int i = 0; i < 3; i++)
		out[i] = t->unit[i] + l->velocity[i] - towards * t->unit[i];
}

double ephemeris_alt_deg(const struct ephemeris_local *l, const struct ephemeris_target *t)
{
	double s[3];
	apparent(l, t, s);
	return 90.0 - eraSepp((double *)(size_t)l->zenith, s) * ERFA_DR2D;
}

double ephemeris_az_deg(const struct ephemeris_local *l, const struct ephemeris_target *t)
{
	double s[3];
	apparent(l, t, s);
	return eraAnp(atan2(ephemeris_dot(l->east, s), ephemeris_dot(l->north, s))) * ERFA_DR2D;
}

double ephemeris_hour_angle_h(const struct ephemeris_local *l, const struct ephemeris_target *t)
{
	double s[3];
	apparent(l, t, s);
	return atan2(-ephemeris_dot(l->east, s), ephemeris_dot(l->meridian, s)) * 12.0 / ERFA_DPI;
}

bool ephemeris_hour_angle_within(const struct ephemeris_local *l, const struct ephemeris_target *t, double cos_max)
{
	double s[3];
	apparent(l, t, s);
	double east = ephemeris_dot(l->east, s), meridian = ephemeris_dot(l->meridian, s);
	return meridian >= cos_max * sqrt(east * east + meridian * meridian);
}

double ephemeris_moon_deg(const struct ephemeris_local *l, const struct ephemeris_target *t)
{
	double s[3];
	apparent(l, t, s);
	return eraSepp((double *)(size_t)l->moon, s) * ERFA_DR2D;
}

double ephemeris_airmass(double sin_alt)
{
	return sin_alt > 0.0 ? 1.0 / sin_alt : INFINITY;
}
