/* Sun, Moon and targets over a site: see ephemeris.h for the method and its errors. */
#include "engine/target/ephemeris.h"
#include "engine/base/utc.h"
#include <math.h>
#include <string.h>

#define AU_KM (ERFA_DAU / 1e3)
#define NODES 8 /* polynomial of the seventh degree through exact places */
#define NODE_US (6 * UTC_HOUR)

/* Terrestrial time as a two-part Julian date. eraDat knows the leap seconds up to its release; later years keep the last value. */
static void terrestrial_time(int64_t utc_us, double tt[2])
{
	double tai[2];
	eraUtctai(ERFA_DJ00, utc_j2000_days(utc_us), &tai[0], &tai[1]);
	eraTaitt(tai[0], tai[1], &tt[0], &tt[1]);
}

void ephemeris_frame_set(struct ephemeris_frame *f, int64_t utc_us)
{
	double tt[2], origin;
	terrestrial_time(utc_us, tt);
	f->utc_us = utc_us;
	eraApci13(tt[0], tt[1], &f->astrom, &origin); /* TDB = TT: < 2 ms */
}

void ephemeris_bodies_at(const struct ephemeris_frame *f, int64_t utc_us, struct ephemeris_bodies *out)
{
	double tt[2], earth_h[2][3], earth_b[2][3], moon[2][3], sun[3], apparent[3], moon_true[3];
	double distance_au;
	terrestrial_time(utc_us, tt);
	eraEpv00(tt[0], tt[1], earth_h, earth_b);
	eraMoon98(tt[0], tt[1], moon);
	eraPn(earth_h[0], &distance_au, sun);
	eraSxp(-1.0, sun, sun);
	/* Aberration by the frame's velocity: the Sun's light time of 499 s shifts the Sun itself by 0.01″ only. */
	eraAb(sun, (double *)f->astrom.v, distance_au, f->astrom.bm1, apparent);
	eraRxp((double(*)[3])f->astrom.bpn, apparent, out->sun);
	eraRxp((double(*)[3])f->astrom.bpn, moon[0], moon_true);
	eraSxp(AU_KM, moon_true, out->moon_km);
	/* Phase angle at the Moon between Sun and Earth. */
	double to_sun[3], to_earth[3];
	for (int i = 0; i < 3; i++) {
		to_sun[i] = sun[i] * distance_au - moon[0][i];
		to_earth[i] = -moon[0][i];
	}
	out->moon_illuminated = 0.5 * (1.0 + cos(eraSepp(to_sun, to_earth)));
	out->era_rad = eraEra00(ERFA_DJ00, utc_j2000_days(utc_us));
	out->utc_us = utc_us;
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
		for (int axis = 0; axis < 3; axis++) {
			out->sun[axis] += weight * node[i].sun[axis];
			out->moon_km[axis] += weight * node[i].moon_km[axis];
		}
		out->moon_illuminated += weight * node[i].moon_illuminated;
	}
}

void ephemeris_bodies_fill(const struct ephemeris_frame *f, int64_t start_us, int64_t step_us, size_t count, struct ephemeris_bodies *out)
{
	struct ephemeris_bodies node[NODES];
	int64_t have = -1; /* node[3] is at start + have · NODE_US */
	if (count <= NODES + (size_t)((int64_t)count * step_us / NODE_US)) { /* few: the nodes would be more work */
		for (size_t n = 0; n < count; n++)
			ephemeris_bodies_at(f, start_us + (int64_t)n * step_us, &out[n]);
		return;
	}
	for (size_t n = 0; n < count; n++) {
		int64_t off_us = (int64_t)n * step_us, at = off_us / NODE_US;
		for (int i = 0; have < 0 && i < NODES; i++)
			ephemeris_bodies_at(f, start_us + (i - NODES / 2 + 1) * NODE_US, &node[i]);
		for (have = have < 0 ? 0 : have; have < at; have++) {
			memmove(node, node + 1, sizeof node - sizeof *node);
			ephemeris_bodies_at(f, start_us + (have + 1 + NODES / 2) * NODE_US, &node[NODES - 1]);
		}
		bodies_through(node, (double)(off_us - at * NODE_US) / (double)NODE_US, &out[n]);
		out[n].utc_us = start_us + off_us;
		out[n].era_rad = eraEra00(ERFA_DJ00, utc_j2000_days(out[n].utc_us));
	}
}

void ephemeris_bodies_between(const struct ephemeris_bodies *a, const struct ephemeris_bodies *b, int64_t utc_us,
	struct ephemeris_bodies *out)
{
	double w = b->utc_us > a->utc_us ? (double)(utc_us - a->utc_us) / (double)(b->utc_us - a->utc_us) : 0.0;
	for (int i = 0; i < 3; i++) {
		out->sun[i] = a->sun[i] + w * (b->sun[i] - a->sun[i]);
		out->moon_km[i] = a->moon_km[i] + w * (b->moon_km[i] - a->moon_km[i]);
	}
	out->moon_illuminated = a->moon_illuminated + w * (b->moon_illuminated - a->moon_illuminated);
	out->era_rad = eraEra00(ERFA_DJ00, utc_j2000_days(utc_us));
	out->utc_us = utc_us;
}

void ephemeris_ground_set(const struct ephemeris_site *s, struct ephemeris_ground *out)
{
	double lat = s->lat_deg * ERFA_DD2R, site_m[3];
	if (eraGd2gc(ERFA_WGS84, 0.0, lat, s->elevation_m, site_m) != 0) /* longitude is in the sidereal time already */
		site_m[0] = site_m[1] = site_m[2] = 0.0;
	*out = (struct ephemeris_ground){.lon_rad = s->lon_deg * ERFA_DD2R, .cos_lat = cos(lat), .sin_lat = sin(lat), .axis_m = site_m[0], .up_m = site_m[2]};
}

void ephemeris_local_over(const struct ephemeris_bodies *b, const struct ephemeris_ground *g, struct ephemeris_local *out)
{
	double here[3], moon_km[3], distance, lst = eraAnp(b->era_rad + g->lon_rad);
	double cl = cos(lst), sl = sin(lst), cp = g->cos_lat, sp = g->sin_lat;
	out->utc_us = b->utc_us;
	out->lst_rad = lst;
	out->zenith[0] = cp * cl;
	out->zenith[1] = cp * sl;
	out->zenith[2] = sp;
	out->north[0] = -sp * cl;
	out->north[1] = -sp * sl;
	out->north[2] = cp;
	out->east[0] = -sl;
	out->east[1] = cl;
	out->east[2] = 0.0;
	here[0] = g->axis_m * cl / 1e3;
	here[1] = g->axis_m * sl / 1e3;
	here[2] = g->up_m / 1e3;
	eraPmp((double *)b->moon_km, here, moon_km);
	eraPn(moon_km, &distance, out->moon);
	out->sun_sin_alt = eraPdp(out->zenith, (double *)b->sun);
	out->moon_sin_alt = eraPdp(out->zenith, out->moon);
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
	double ra, dec;
	eraAtciqz(ra_deg * ERFA_DD2R, dec_deg * ERFA_DD2R, (eraASTROM *)&f->astrom, &ra, &dec);
	eraS2c(ra, dec, out->unit);
	out->ra_rad = ra;
}

double ephemeris_asin_deg(double sine)
{
	return asin(fmax(-1.0, fmin(1.0, sine))) * ERFA_DR2D;
}

double ephemeris_alt_deg(const struct ephemeris_local *l, const struct ephemeris_target *t)
{
	return ephemeris_asin_deg(ephemeris_sin_alt(l, t));
}

double ephemeris_az_deg(const struct ephemeris_local *l, const struct ephemeris_target *t)
{
	double n = eraPdp((double *)l->north, (double *)t->unit), e = eraPdp((double *)l->east, (double *)t->unit);
	return eraAnp(atan2(e, n)) * ERFA_DR2D;
}

double ephemeris_hour_angle_h(const struct ephemeris_local *l, const struct ephemeris_target *t)
{
	return eraAnpm(l->lst_rad - t->ra_rad) * 12.0 / ERFA_DPI;
}

double ephemeris_moon_deg(const struct ephemeris_local *l, const struct ephemeris_target *t)
{
	return eraSepp((double *)l->moon, (double *)t->unit) * ERFA_DR2D;
}

double ephemeris_airmass(double sin_alt)
{
	return sin_alt > 0.0 ? 1.0 / sin_alt : INFINITY;
}
