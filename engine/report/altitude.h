/* Altitude against time over one site: the panel (twilight, hours, airmass, Moon) and the curves in it. Pure; looks: svg_style. */
#ifndef ENGINE_REPORT_ALTITUDE_H
#define ENGINE_REPORT_ALTITUDE_H
#include "engine/report/svg.h"
#include "engine/target/visibility.h"

#define ALTITUDE_HEIGHT 150.0 /* of the axes */
#define ALTITUDE_STEP   176.0 /* from panel to panel: axes, hours, room */

struct altitude {
	struct svg_axis axis;
	double top;
	struct ephemeris_frame frame;
	struct ephemeris_site place;
};

/* A panel of a picture so wide, with its axis and frame set; from_us < to_us. */
struct altitude altitude_of(const struct ephemeris_site *place, int64_t from_us, int64_t to_us, double width, double top);

/* Tints: day, civil, nautical, astronomical twilight (paler and paler; white: night); dotted line: airmass_max; dotted curve: the Moon. */
void altitude_panel(const struct altitude *a, double airmass_max, struct text *out);
/* The site in words, over what is drawn before; name may be "". */
void altitude_name(const struct altitude *a, const char *code, const char *name, struct text *out);

struct altitude_span {
	double ra_deg, dec_deg;
	int64_t from_us, to_us;
};
/* style: attributes of the path. What is below the horizon is not drawn. */
void altitude_curve(const struct altitude *a, const struct altitude_span *s, const char *style, struct text *out);

struct altitude_target {
	const char *name; /* borrowed; "" for none */
	double ra_deg, dec_deg;
};
struct altitude_chart {
	const struct visibility_night *night;
	int64_t from_us, to_us;
	const struct visibility_limits *limits;
	const struct altitude_target *targets; /* the first SVG_COLOURS are drawn */
	size_t count;
};
/* A panel for every site of the night, one below the other or in two columns, windows thick and shaded, and a legend. */
void altitude_picture(const struct altitude_chart *c, const char *title, bool alone, int columns, struct text *out);
#endif
