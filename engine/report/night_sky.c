/* The night's sky: the whole of it with horizon, Sun and Moon, and a close-up of the event with its
 * galaxies. */
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/report/night.h"
#include "engine/report/sky.h"
#include "engine/target/ephemeris.h"
#include "engine/target/region.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEG    (M_PI / 180)

static const struct night_map *map_of(const struct night_input *in, const char *event, bool last)
{
	const struct night_map *found = NULL;

	for (size_t i = 0; i < in->map_count; i++)
		if (in->maps[i].ready && strcmp(in->maps[i].event, event) == 0 &&
			(last || found == NULL || strcmp(found->type, "EARLYWARNING") == 0))
			found = &in->maps[i];
	return found;
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
		sky_circle(local.zenith, 90, points, 181);
		svg_sky_path(s, (const double(*)[3])points, 181, "class=\"horizon\"", out);
		sky_circle(local.zenith, 60, points, 181);
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
		svg_contour(&s, &m->map, sky_threshold(&m->map, 0.9),
			this ? "class=\"c90\"" : "class=\"c90 other\"", out);
		if (last != m)
			svg_contour(
				&s, &last->map, sky_threshold(&last->map, 0.9), "class=\"c50\"", out);
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

/* Galaxies of the event with their fates; malloc'd. */
static struct sky_galaxy *galaxies(const json_t *night, int64_t event, size_t *count)
{
	json_t *targets = json_object_get(night, "targets"), *t;
	struct sky_galaxy *g = calloc(json_array_size(targets) + 1, sizeof *g);
	size_t i;

	*count = 0;
	json_array_foreach (targets, i, t) {
		if (g == NULL || json_int(t, "event", 0) != event)
			continue;
		struct sky_galaxy *one = &g[(*count)++];
		*one = (struct sky_galaxy){json_number(t, "ra_deg", 0), json_number(t, "dec_deg", 0),
			json_number(t, "share", NAN), json_number(t, "mpc", NAN),
			json_int(t, "rank", 0), json_text(t, "name", ""), NULL, NULL};
		one->fate = night_fate(night, json_int(t, "id", 0), &one->colour);
	}
	return g;
}

void night_close_up(const struct night_input *in, const json_t *night, struct text *out)
{
	const char *event = json_text(json_object_get(night, "event"), "name", "");
	const struct night_map *first = map_of(in, event, false), *last = map_of(in, event, true);
	const json_t *host = night_host(in, event);
	size_t count;

	if (last == NULL) {
		text_puts(out, "<p class=\"note\">No sky map of this event was read: nothing to "
			       "draw close up.</p>\n");
		return;
	}
	struct sky_galaxy *g = galaxies(night, json_int(json_object_get(night, "event"), "id", 0), &count);
	text_puts(out, "<figure>");
	sky_close_up(&(struct sky_close_up){&first->map, &last->map, g, count, 6,
			     json_number(host, "ra_deg", NAN), json_number(host, "dec_deg", NAN), false},
		out);
	free(g);
	text_puts(out, "<figcaption>");
	text_html(out, event);
	text_printf(out,
		" close up (gnomonic, ICRS): 50 and 90 %% regions of %s "
		"(blue)%s%s%s; ranked galaxies, area by share, colour by fate: "
		"<b class=\"f1\">●</b> observed <b class=\"f2\">●</b> asked <b class=\"f3\">●</b> "
		"cancelled <b class=\"f4\">●</b> refused <b class=\"f5\">●</b> not asked; numbers "
		"are ranks%s"
		"</figcaption></figure>\n",
		first->type, last != first ? " and " : "", last != first ? last->type : "",
		last != first ? " (orange)" : "",
		host != NULL ? "; ★ the truth, opened after the night" : "");
}
