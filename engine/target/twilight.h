/* The night of a site: when the Sun sets, how dark it gets and when, when the Moon is up.
 *
 * Sunset, sunrise, moonset and moonrise are when the centre of the disc stands 50′ below the geometric horizon (34′ of refraction and 16′
 * of radius: its upper limb at a sea horizon, as almanacs have it: Meeus 1998, Astronomical Algorithms, chapter 15), seen from the site
 * (parallax; the Moon's own radius is 14.7′ to 16.8′: 10 s); a site's height adds no dip. Twilights
 * end and begin with the Sun's centre at 6°, 12° and 18° below. Times are good to 1 s at equal UT1 − UTC where the Sun crosses by more
 * than 3° an hour; towards the poles, where it grazes, a second is less than 1″ of altitude and times are as good as the altitude. */
#ifndef ENGINE_TARGET_TWILIGHT_H
#define ENGINE_TARGET_TWILIGHT_H
#include "engine/target/visibility.h"

enum twilight_kind { TWILIGHT_SUN, TWILIGHT_CIVIL, TWILIGHT_NAUTICAL, TWILIGHT_ASTRONOMICAL, TWILIGHT_KINDS };
#define TWILIGHT_HORIZON_DEG (-50.0 / 60.0)
/* Altitude of the Sun's centre that begins each kind. */
double twilight_sun_deg(enum twilight_kind kind);

/* From one upper culmination of the Sun to the next. UTC_NONE: not in this night (the Sun stays above or below: see its extremes). */
struct twilight {
	int64_t noon_us, midnight_us, next_noon_us;
	int64_t evening_us[TWILIGHT_KINDS], morning_us[TWILIGHT_KINDS];
	int64_t moonrise_us, moonset_us;            /* the first of each */
	double sun_lowest_deg, sun_highest_deg;
	double moon_alt_deg, moon_illuminated;      /* at midnight */
};

#define TWILIGHT_MARGIN_US (50 * 3600 * (int64_t)1000000)
/* The night that goes on at `at_us` at a site, or that comes next when the Sun has risen. n must span at_us ± TWILIGHT_MARGIN_US (its
 * look-ahead counts). What lasts less than four minutes may be missed. Pure. */
void twilight_find(const struct visibility_night *n, size_t site, int64_t at_us, struct twilight *out);
#endif
