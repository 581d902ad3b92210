/* Sun, Moon and targets over a site: see ephemeris.h for the method and its errors. */
#include "engine/target/ephemeris.h"
#include "engine/base/utc.h"
#include <math.h>

#define AU_KM (ERFA_DAU / 1e3)

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
	out->utc_us = utc_us;
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
	out->utc_us = utc_us;
}

void ephemeris_local_at(const struct ephemeris_bodies *b, const struct ephemeris_site *s, struct ephemeris_local *out)
{
	double lat = s->lat_deg * ERFA_DD2R, lon = s->lon_deg * ERFA_DD2R, here[3], site_m[3], moon_km[3], distance;
	double lst = eraAnp(eraEra00(ERFA_DJ00, utc_j2000_days(b->utc_us)) + lon);
	double cl = cos(lst), sl = sin(lst), cp = cos(lat), sp = sin(lat);
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
	if (eraGd2gc(ERFA_WGS84, 0.0, lat, s->elevation_m, site_m) != 0) /* longitude is in lst already */
		site_m[0] = site_m[1] = site_m[2] = 0.0;
	here[0] = site_m[0] * cl / 1e3;
	here[1] = site_m[0] * sl / 1e3;
	here[2] = site_m[2] / 1e3;
	eraPmp((double *)b->moon_km, here, moon_km);
	eraPn(moon_km, &distance, out->moon);
	out->sun_sin_alt = eraPdp(out->zenith, (double *)b->sun);
	out->moon_sin_alt = eraPdp(out->zenith, out->moon);
	out->moon_illuminated = b->moon_illuminated;
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
