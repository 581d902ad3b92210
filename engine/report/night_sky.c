/* The night's sky: the whole of it with horizon, Sun and Moon, and a close-up of the event with its
 * galaxies. */
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/report/frames.h"
#include "engine/report/night.h"
#include "engine/report/sky.h"
#include "engine/target/region.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct night_map *map_of(const struct night_input *in, const char *event, bool last)
{
	const struct night_map *found = NULL;

	for (size_t i = 0; i < in->map_count; i++)
		if (in->maps[i].ready && strcmp(in->maps[i].event, event) == 0 &&
			(last || found == NULL || strcmp(found->type, "EARLYWARNING") == 0))
			found = &in->maps[i];
	return found;
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

/* The site of that code as the facilities' descriptors have it. */
static bool site_find(const json_t *night, const char *code, struct visibility_site *out)
{
	json_t *facility;
	size_t i, count = 0;

	json_array_foreach (json_object_get(night, "descriptors"), i, facility) {
		struct visibility_site sites[VISIBILITY_SITES];
		struct err e = {0};
		json_t *d = json_loads(json_text(facility, "descriptor", "{}"), 0, NULL);
		if (visibility_sites(d, sites, VISIBILITY_SITES, &count, &e) < 0)
			count = 0;
		json_decref(d);
		for (size_t k = 0; k < count; k++)
			if (strcmp(sites[k].code, code) == 0) {
				*out = sites[k];
				return true;
			}
	}
	return false;
}

/* Contours of one event: the first map, and the last in another colour; its name beside the peak. */
static void event_regions(const struct svg_sky *s, const struct night_input *in, const json_t *event, bool chosen, struct labels *l,
	struct text *out)
{
	const char *name = json_text(event, "name", "");
	const struct night_map *m = map_of(in, name, false), *last = map_of(in, name, true);
	struct region r;
	struct err e = {0};
	char words[96];
	double x, y;
	const struct contour first90 = {0.9, chosen ? "class=\"r90\"" : "class=\"r90 other\""},
			     last90 = {0.9, chosen ? "class=\"r90 later\"" : "class=\"r90 other\""};

	if (m == NULL)
		return;
	svg_sky_clip(s, out);
	contour_draw(s, &m->map, &first90, 1, out);
	if (last != m)
		contour_draw(s, &last->map, &last90, 1, out);
	text_puts(out, "</g>\n");
	snprintf(words, sizeof words, "%.60s%s", name, strcmp(json_text(event, "state", ""), "retracted") == 0 ? " (retracted)" : "");
	if (region_of(&last->map, &r, &e) == 0 && svg_sky_xy(s, r.ra_deg, r.dec_deg, &x, &y))
		labels_put(l, x, y, 9, words, out);
}

void night_whole_sky(const struct night_input *in, const json_t *night, struct text *out)
{
	const char *event = json_text(json_object_get(night, "event"), "name", "");
	const struct night_map *chosen = map_of(in, event, true);
	struct region r = {0};
	struct err e = {0};
	struct visibility_site place;
	struct sky_moment at = {.sites = &place};
	const json_t *light = first_light(night, &at.utc_us);
	char hms[32];
	json_t *row;
	size_t i;

	if (chosen != NULL)
		region_of(&chosen->map, &r, &e);
	at.count = light != NULL && site_find(night, json_text(light, "site", ""), &place) ? 1 : 0;
	struct svg_sky s = {.all = true, .ra0_deg = round(r.ra_deg / 15) * 15, .x0 = 40, .y0 = 14, .width = 600, .height = 300};
	struct labels l = {.x0 = s.x0, .y0 = s.y0, .x1 = s.x0 + s.width, .y1 = s.y0 + s.height};
	text_puts(out, "<figure>");
	svg_open(&(struct svg_picture){660, 324, "whole sky", false}, out);
	svg_sky_grid(&s, out);
	sky_moment(&s, &at, &l, out);
	json_array_foreach (json_object_get(night, "events"), i, row)
		event_regions(&s, in, row, strcmp(json_text(row, "name", ""), event) == 0, &l, out);
	text_puts(out, "</svg><figcaption>The whole sky (Mollweide, ICRS, east left): 90 % regions of all events, of the chosen one the first "
		       "map (blue) and the last (orange). Dash and dot: the galactic plane. Sun and Moon");
	if (at.count > 0)
		text_printf(out, ", the horizon (dashed) and airmass 2 (circle) of %s", place.code);
	text_printf(out, " at %.5s UTC%s.</figcaption></figure>\n", utc_format_hms(hms, at.utc_us), light != NULL ? ", the first exposure" : "");
}

/* Galaxies of the event with their fates; malloc'd. */
static struct sky_galaxy *galaxies(const json_t *night, int64_t event, size_t *count)
{
	json_t *targets = json_object_get(night, "targets"), *t;
	struct sky_galaxy *g = calloc(json_array_size(targets) + 1, sizeof *g);
	size_t i;

	*count = 0;
	json_array_foreach (targets, i, t) {
		if (g == NULL || json_int(t, "event", 0) != event || frames_is(t))
			continue;
		struct sky_galaxy *one = &g[(*count)++];
		*one = (struct sky_galaxy){json_number(t, "ra_deg", 0), json_number(t, "dec_deg", 0),
			json_number(t, "share", NAN), json_number(t, "mpc", NAN),
			json_int(t, "rank", 0), json_text(t, "name", ""), NULL, NULL, NAN};
		one->fate = night_fate(night, json_int(t, "id", 0), &one->colour);
	}
	return g;
}

static const char *frame_colour(const void *night, const json_t *target)
{
	const char *colour;

	night_fate(night, json_int(target, "id", 0), &colour);
	return colour;
}

/* The event's fields, coloured by fate. */
static void fields_of(const json_t *night, int64_t event, struct frames *out)
{
	json_t *all = json_array(), *own = json_array(), *row;
	size_t i;

	json_array_foreach (json_object_get(night, "descriptors"), i, row)
		json_array_append_new(all, json_loads(json_text(row, "descriptor", "{}"), 0, NULL));
	json_array_foreach (json_object_get(night, "targets"), i, row)
		if (json_int(row, "event", 0) == event)
			json_array_append(own, row);
	frames_of(own, all, frame_colour, night, out);
	json_decref(own); /* the night holds its rows */
	json_decref(all);
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
	struct frames frames = {0};
	fields_of(night, json_int(json_object_get(night, "event"), "id", 0), &frames);
	text_puts(out, "<figure>");
	sky_close_up(&(struct sky_close_up){.first = &first->map, .last = &last->map, .galaxies = g, .count = count, .named = 6,
			     .host_ra_deg = json_number(host, "ra_deg", NAN), .host_dec_deg = json_number(host, "dec_deg", NAN),
			     .fields = frames.list, .field_count = frames.count},
		out);
	free(g);
	frames_free(&frames);
	text_puts(out, "<figcaption>");
	text_html(out, event);
	text_printf(out,
		" close up (gnomonic, ICRS): 50 and 90 %% regions of %s "
		"(blue)%s%s%s; ranked galaxies, area by share%s, colour by fate: "
		"<b class=\"f1\">●</b> observed <b class=\"f2\">●</b> asked <b class=\"f3\">●</b> "
		"cancelled <b class=\"f4\">●</b> refused <b class=\"f5\">●</b> not asked; numbers "
		"are ranks%s"
		"</figcaption></figure>\n",
		first->type, last != first ? " and " : "", last != first ? last->type : "",
		last != first ? " (orange)" : "", frames.count > 0 ? ", and fields" : "",
		host != NULL ? "; ★ the truth, opened after the night" : "");
}
