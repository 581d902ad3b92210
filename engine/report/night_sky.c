/* The night's sky: the whole of it with horizon, Sun and Moon, and a close-up of the event with its
 * galaxies. */
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/report/night.h"
#include "engine/report/svg.h"
#include "engine/target/ephemeris.h"
#include "engine/target/region.h"
#include <chealpix.h>
#include <math.h>
#include <string.h>

#define DEG    (M_PI / 180)
#define LABELS 16

static const struct night_map *map_of(const struct night_input *in, const char *event, bool last)
{
	const struct night_map *found = NULL;

	for (size_t i = 0; i < in->map_count; i++)
		if (in->maps[i].ready && strcmp(in->maps[i].event, event) == 0 &&
			(last || found == NULL || strcmp(found->type, "EARLYWARNING") == 0))
			found = &in->maps[i];
	return found;
}

static double threshold(const struct skymap *m, double level)
{
	double area, density = 0;
	struct err e = {0};

	return region_area(m, level, &area, &density, &e) == 0 ? density : 0;
}

static void circle_of(const double axis[3], double angle_deg, double points[][3], size_t n)
{
	double u[3], w[3], a[3] = {fabs(axis[2]) < 0.9 ? 0 : 1, 0, fabs(axis[2]) < 0.9 ? 1 : 0};

	for (int k = 0; k < 3; k++)
		u[k] = axis[(k + 1) % 3] * a[(k + 2) % 3] - axis[(k + 2) % 3] * a[(k + 1) % 3];
	double norm = sqrt(u[0] * u[0] + u[1] * u[1] + u[2] * u[2]);
	for (int k = 0; k < 3; k++)
		u[k] /= norm;
	for (int k = 0; k < 3; k++)
		w[k] = axis[(k + 1) % 3] * u[(k + 2) % 3] - axis[(k + 2) % 3] * u[(k + 1) % 3];
	for (size_t i = 0; i < n; i++) {
		double t = 2 * M_PI * (double)i / (double)(n - 1);
		for (int k = 0; k < 3; k++)
			points[i][k] = cos(angle_deg * DEG) * axis[k] +
				       sin(angle_deg * DEG) * (cos(t) * u[k] + sin(t) * w[k]);
	}
}

static void body(const struct svg_sky *s, const double v[3], const char *glyph, const char *name,
	struct text *out)
{
	double x, y, norm = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]),
		     ra = atan2(v[1], v[0]) / DEG, dec = asin(v[2] / norm) / DEG;

	if (!svg_sky_xy(s, ra, dec, &x, &y))
		return;
	text_printf(out, glyph, x, y);
	text_printf(out, "<text class=\"label\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", x + 11, y + 4,
		name);
}

/* The first exposure of the event (or of any), and where: that moment's horizon is drawn. */
static const json_t *first_light(const json_t *night, int64_t *utc_us)
{
	const json_t *o, *best = NULL;
	size_t i;

	json_array_foreach (json_object_get(night, "observations"), i, o)
		if (json_int(o, "start_us", 0) > 0 &&
			strcmp(json_text(o, "state", ""), "cancelled") != 0 &&
			(best == NULL ||
				json_int(o, "start_us", 0) < json_int(best, "start_us", 0)))
			best = o;
	*utc_us = best != NULL ? json_int(best, "start_us", 0) : json_int(night, "start_us", 0);
	return best;
}

static bool site_place(
	const json_t *night, const char *code, struct ephemeris_site *place, const char **name)
{
	json_t *facility, *site;
	size_t i, k;

	json_array_foreach (json_object_get(night, "descriptors"), i, facility) {
		json_t *d = json_loads(json_text(facility, "descriptor", "{}"), 0, NULL);
		bool found = false;
		json_array_foreach (json_object_get(d, "sites"), k, site)
			if (strcmp(json_text(site, "code", ""), code) == 0 || code[0] == '\0') {
				*place = (struct ephemeris_site){
					json_number(site, "latitude_deg", 0),
					json_number(site, "longitude_deg", 0),
					json_number(site, "elevation_m", 0)};
				found = true;
				break;
			}
		json_decref(d);
		if (found) {
			*name = code;
			return true;
		}
	}
	return false;
}

static void horizon(const struct svg_sky *s, const json_t *night, struct text *out)
{
	struct ephemeris_frame frame;
	struct ephemeris_bodies bodies;
	struct ephemeris_local local;
	struct ephemeris_site place;
	double points[181][3];
	int64_t at;
	const char *name = "";
	const json_t *light = first_light(night, &at);
	char hms[32];

	ephemeris_frame_set(&frame, at);
	ephemeris_bodies_at(&frame, at, &bodies);
	if (light != NULL && site_place(night, json_text(light, "site", ""), &place, &name)) {
		ephemeris_local_at(&bodies, &place, &local);
		circle_of(local.zenith, 90, points, 181);
		svg_sky_path(s, (const double(*)[3])points, 181, "class=\"horizon\"", out);
		circle_of(local.zenith, 60, points, 181);
		svg_sky_path(s, (const double(*)[3])points, 181, "class=\"horizon thin\"", out);
		text_printf(out,
			"<text class=\"note\" x=\"%.0f\" y=\"%.0f\">dashed: horizon and airmass 2 "
			"of %s at %s UTC, the first exposure</text>\n",
			s->x0, s->y0 + s->height + 16, name, utc_format_hms(hms, at));
	}
	body(s, bodies.sun, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"8\" class=\"sun\"/>", "Sun", out);
	char moon[32];
	snprintf(moon, sizeof moon, "Moon %.0f %%", 100 * bodies.moon_illuminated);
	body(s, bodies.moon_km, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"7\" class=\"moon\"/>", moon,
		out);
}

void night_whole_sky(const struct night_input *in, const json_t *night, struct text *out)
{
	const char *event = json_text(json_object_get(night, "event"), "name", "");
	const struct night_map *chosen = map_of(in, event, true);
	struct region r = {0};
	struct err e = {0};
	json_t *row;
	size_t i;

	if (chosen != NULL)
		region_of(&chosen->map, &r, &e);
	struct svg_sky s = {.all = true,
		.ra0_deg = round(r.ra_deg / 15) * 15,
		.x0 = 40,
		.y0 = 14,
		.width = 600,
		.height = 300};
	text_puts(out,
		"<figure><svg viewBox=\"0 0 660 340\" role=\"img\" aria-label=\"whole sky\">\n");
	svg_sky_grid(&s, out);
	horizon(&s, night, out);
	json_array_foreach (json_object_get(night, "events"), i, row) {
		const char *name = json_text(row, "name", "");
		const struct night_map *m = map_of(in, name, false), *last = map_of(in, name, true);
		bool this = strcmp(name, event) == 0;
		double x, y;
		if (m == NULL)
			continue;
		svg_contour(&s, &m->map, threshold(&m->map, 0.9),
			this ? "class=\"c90\"" : "class=\"c90 other\"", out);
		if (last != m)
			svg_contour(
				&s, &last->map, threshold(&last->map, 0.9), "class=\"c50\"", out);
		if (region_of(&last->map, &r, &e) == 0 &&
			svg_sky_xy(&s, r.ra_deg, r.dec_deg, &x, &y))
			text_printf(out,
				"<text class=\"label%s\" x=\"%.1f\" y=\"%.1f\">%s%s</text>\n",
				this ? " strong" : "", x + 12,
				fabs(r.dec_deg) < 10 ? y + 18 : y - 10, name,
				strcmp(json_text(row, "state", ""), "retracted") == 0
					? " (retracted)"
					: "");
	}
	text_puts(out, "</svg><figcaption>The whole sky (Mollweide, ICRS, east left): 90 % regions "
		       "of all events; of the chosen one the first and the last map."
		       "</figcaption></figure>\n");
}

/* Half width that shows so much of a map's probability, 3 to 24 degrees. */
static double close_half_deg(const struct night_map *m, double level, double ra, double dec)
{
	double sum[25] = {0}, total = 0;

	for (int64_t i = 0; i < m->map.cells; i++) {
		int order = skymap_order(m->map.uniq[i]);
		double p = m->map.density[i] * skymap_pixel_sr(order), v[3];
		pix2vec_nest64(INT64_C(1) << order,
			(int64_t)(m->map.uniq[i] - (UINT64_C(4) << (2 * order))), v);
		double sep = svg_separation_deg(ra, dec, atan2(v[1], v[0]) / DEG, asin(v[2]) / DEG);
		sum[sep < 24 ? (int)sep : 24] += p;
	}
	for (int d = 0; d < 24; d++) {
		total += sum[d];
		if (total > level)
			return d < 2 ? 3 : d + 1.3;
	}
	return 24;
}

struct label {
	double x, y;
};

/* Writes a label where none is yet; gives up after a few tries. */
static void place_label(
	struct label *taken, size_t *n, const struct label *at, const char *text, struct text *out)
{
	static const double dx[] = {8, 8, 8, -8, -8, -8}, dy[] = {4, -8, 16, 4, -8, 16};

	for (int k = 0; k < 6 && *n < LABELS; k++) {
		struct label l = {at->x + dx[k], at->y + dy[k]};
		double left = dx[k] < 0 ? l.x - 118 : l.x;
		bool clear = left > 44 && left + 118 < 652;
		for (size_t i = 0; i < *n && clear; i++)
			clear = fabs(taken[i].y - l.y) > 11 || fabs(taken[i].x - left) > 122;
		if (!clear)
			continue;
		text_printf(out, "<text class=\"label\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">",
			l.x, l.y, dx[k] < 0 ? "end" : "start");
		text_html(out, text);
		text_puts(out, "</text>\n");
		taken[(*n)++] = (struct label){left, l.y};
		return;
	}
}

static void star(double x, double y, struct text *out)
{
	text_puts(out, "<path class=\"star\" d=\"");
	for (int k = 0; k < 10; k++) {
		double a = M_PI / 5 * k - M_PI / 2, r = k % 2 ? 4.5 : 11;
		text_printf(out, "%c%.1f %.1f", k ? 'L' : 'M', x + r * cos(a), y + r * sin(a));
	}
	text_puts(out, "Z\"/>\n");
}

static void galaxies(const struct svg_sky *s, const json_t *night, int64_t event,
	struct label *taken, size_t *n, struct text *out)
{
	json_t *targets = json_object_get(night, "targets"), *t;
	size_t i;
	double x, y;
	const char *colour;

	for (size_t k = json_array_size(targets); k-- > 0;) { /* the best on top */
		t = json_array_get(targets, k);
		if (json_int(t, "event", 0) != event ||
			!svg_sky_xy(s, json_number(t, "ra_deg", 0), json_number(t, "dec_deg", 0),
				&x, &y))
			continue;
		const char *fate = night_fate(night, json_int(t, "id", 0), &colour);
		text_printf(out,
			"<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"%s\" "
			"class=\"galaxy\"><title>",
			x, y, 2.2 + 14 * sqrt(fmax(0, json_number(t, "share", 0))), colour);
		text_html(out, json_text(t, "name", ""));
		text_printf(out, ", rank %lld, share %.1f %%, %.0f Mpc: %s</title></circle>\n",
			(long long)json_int(t, "rank", 0), 100 * json_number(t, "share", NAN),
			json_number(t, "mpc", NAN), fate);
	}
	json_array_foreach (targets, i, t) {
		char text[64];
		if (json_int(t, "event", 0) != event || json_int(t, "rank", 99) > 6 ||
			!svg_sky_xy(s, json_number(t, "ra_deg", 0), json_number(t, "dec_deg", 0),
				&x, &y))
			continue;
		snprintf(text, sizeof text, "%lld %.40s", (long long)json_int(t, "rank", 0),
			json_text(t, "name", ""));
		place_label(taken, n, &(struct label){x, y}, text, out);
	}
}

static const json_t *host_of(const struct night_input *in, const char *event)
{
	json_t *row;
	size_t i;

	json_array_foreach (json_object_get(in->truth, "events"), i, row)
		if (strcmp(json_text(row, "event", ""), event) == 0)
			return json_object_get(row, "host");
	return NULL;
}

/* Adds the direction of a map's inner half: cells denser than its 50 % threshold, by probability. */
static void add_half(const struct skymap *m, double sum[3])
{
	double least = threshold(m, 0.5);

	for (int64_t i = 0; i < m->cells; i++) {
		int order = skymap_order(m->uniq[i]);
		double v[3], p = m->density[i] * skymap_pixel_sr(order);
		if (m->density[i] < least)
			continue;
		pix2vec_nest64(INT64_C(1) << order,
			(int64_t)(m->uniq[i] - (UINT64_C(4) << (2 * order))), v);
		for (int k = 0; k < 3; k++)
			sum[k] += p * v[k];
	}
}

static void centre(
	const struct night_map *first, const struct night_map *last, double *ra, double *dec)
{
	double v[3] = {0};

	add_half(&first->map, v);
	add_half(&last->map, v);
	*ra = atan2(v[1], v[0]) / DEG;
	*dec = atan2(v[2], hypot(v[0], v[1])) / DEG;
}

static void maps_close(const struct svg_sky *s, const struct night_map *first,
	const struct night_map *last, struct text *out)
{
	svg_contour(s, &first->map, threshold(&first->map, 0.9), "class=\"c90\"", out);
	svg_contour(s, &first->map, threshold(&first->map, 0.5), "class=\"c90\"", out);
	if (last != first) {
		svg_contour(s, &last->map, threshold(&last->map, 0.9), "class=\"c50\"", out);
		svg_contour(s, &last->map, threshold(&last->map, 0.5), "class=\"c50\"", out);
	}
}

void night_close_up(const struct night_input *in, const json_t *night, struct text *out)
{
	const char *event = json_text(json_object_get(night, "event"), "name", "");
	const struct night_map *first = map_of(in, event, false), *last = map_of(in, event, true);
	struct label taken[LABELS];
	size_t n = 0;
	const json_t *host = host_of(in, event);
	double x, y, ra, dec;

	if (last == NULL) {
		text_puts(out, "<p class=\"note\">No sky map of this event was read: nothing to "
			       "draw close up.</p>\n");
		return;
	}
	centre(first, last, &ra, &dec);
	double half =
		fmax(close_half_deg(first, 0.68, ra, dec), close_half_deg(last, 0.9, ra, dec));
	struct svg_sky s = {.ra0_deg = ra,
		.dec0_deg = dec,
		.half_deg = half,
		.x0 = 44,
		.y0 = 10,
		.width = 608,
		.height = 500};
	text_puts(out, "<figure><svg viewBox=\"0 0 660 534\" role=\"img\" "
		       "aria-label=\"close-up\">\n<clipPath id=\"close\"><rect x=\"44\" y=\"10\" "
		       "width=\"608\" height=\"500\"/></clipPath>\n");
	svg_sky_grid(&s, out);
	text_puts(out, "<g clip-path=\"url(#close)\">\n");
	maps_close(&s, first, last, out);
	bool star_in = host != NULL && svg_sky_xy(&s, json_number(host, "ra_deg", 0),
					       json_number(host, "dec_deg", 0), &x, &y);
	if (star_in)
		taken[n++] = (struct label){x - 60, y + 26};
	galaxies(&s, night, json_int(json_object_get(night, "event"), "id", 0), taken, &n, out);
	if (star_in) {
		star(x, y, out);
		text_printf(out,
			"<text class=\"label strong\" x=\"%.1f\" y=\"%.1f\" "
			"text-anchor=\"middle\">true host</text>\n",
			x, y + 26);
	}
	text_printf(out,
		"</g></svg><figcaption>%s close up (gnomonic, ICRS): 50 and 90 %% regions of %s "
		"(blue)%s%s%s; ranked galaxies, area by share, colour by fate: "
		"<b class=\"f1\">●</b> observed <b class=\"f2\">●</b> asked <b class=\"f3\">●</b> "
		"cancelled <b class=\"f4\">●</b> refused <b class=\"f5\">●</b> not asked; numbers "
		"are ranks%s"
		"</figcaption></figure>\n",
		event, first->type, last != first ? " and " : "", last != first ? last->type : "",
		last != first ? " (orange)" : "",
		host != NULL ? "; ★ the truth, opened after the night" : "");
}
