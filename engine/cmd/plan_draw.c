/* Draws a plan: see plan_draw.h. */
#include "engine/cmd/plan_draw.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/utc.h"
#include "engine/cmd/page.h"
#include "engine/cmd/plot.h"
#include "engine/io/mapchild.h"
#include "engine/report/altitude.h"
#include "engine/report/frames.h"
#include "engine/report/sky.h"
#include "engine/target/visibility.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 660.0

static const json_t *find(const json_t *list, const char *member, const char *key)
{
	const json_t *t;
	size_t i;
	json_array_foreach(list, i, t)
		if (strcmp(json_text(t, member, ""), key) == 0)
			return t;
	return NULL;
}

static const char *field_colour(const void *ctx, const json_t *target)
{
	const struct plan_drawing *d = ctx;
	return find(d->requests, "target", json_text(target, "key", "")) != NULL ? "#2563eb" : "#98a2b3";
}

static int sky_draw(const struct plan_drawing *d, struct text *out, struct err *e)
{
	size_t n = json_array_size(d->targets), i;
	struct sky_galaxy *g = calloc(n + 1, sizeof *g);
	struct skymap m;
	const json_t *t;
	if (g == NULL)
		return err_set(e, ERR_MEMORY, "no memory for a plot of %zu galaxies", n);
	if (mapchild_read(d->map, d->map_len, &m, e) < 0) {
		free(g);
		return -1;
	}
	json_t *descriptors = json_array();
	struct frames frames;
	size_t galaxies = 0;
	json_array_foreach(d->facilities, i, t)
		json_array_append(descriptors, json_object_get(t, "descriptor"));
	frames_of(d->targets, descriptors, field_colour, d, &frames);
	json_decref(descriptors);
	json_array_foreach(d->targets, i, t) {
		if (frames_is(t))
			continue;
		bool asked = find(d->requests, "target", json_text(t, "key", "")) != NULL;
		g[galaxies++] = (struct sky_galaxy){json_number(t, "ra_deg", NAN), json_number(t, "dec_deg", NAN), json_number(t, "share", NAN),
			json_number(t, "distance_mpc", NAN), json_int(t, "rank", (int64_t)i + 1), json_text(t, "name", ""),
			asked ? "asked" : "not asked", asked ? "#2563eb" : "#98a2b3", NAN};
	}
	text_puts(out, "<figure>");
	sky_close_up(&(struct sky_close_up){.first = &m, .last = &m, .galaxies = g, .count = galaxies, .named = 8, .host_ra_deg = NAN, .host_dec_deg = NAN,
		.whole_if_wide = true, .fields = frames.list, .field_count = frames.count}, out);
	frames_free(&frames);
	text_puts(out, "<figcaption>50 and 90 % regions (ICRS, east left) and the ranked galaxies, area by share, or fields: <b class=\"f2\">●</b> asked "
		"<b class=\"f5\">●</b> not asked; numbers are ranks</figcaption></figure>\n");
	skymap_free(&m);
	free(g);
	return 0;
}

/* Altitudes over one site: the targets that are asked there, with their windows. */
static void site_draw(const struct plan_drawing *d, const struct visibility_site *site, struct text *out)
{
	struct altitude panel = altitude_of(&site->place, d->now_us, d->end_us, WIDTH, 8);
	size_t i, n = 0;
	const json_t *r;
	json_array_foreach(d->requests, i, r) {
		const json_t *t = find(d->targets, "key", json_text(r, "target", ""));
		if (strcmp(json_text(r, "site", ""), site->code) != 0 || t == NULL)
			continue;
		if (n++ == 0) {
			text_printf(out, "<figure><svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"altitudes\">\n", WIDTH, ALTITUDE_STEP);
			altitude_panel(&panel, json_number(r, "max_airmass", 2), out);
		}
		struct altitude_span span = {json_number(t, "ra_deg", 0), json_number(t, "dec_deg", 0), d->now_us, d->end_us};
		altitude_curve(&panel, &span, "class=\"alt\"", out);
		span.from_us = json_int(r, "start_us", 0);
		span.to_us = json_int(r, "end_us", 0);
		text_puts(out, "<g><title>");
		text_html(out, json_text(t, "name", "?"));
		text_puts(out, "</title>");
		altitude_curve(&panel, &span, "class=\"slot\"", out);
		text_puts(out, "</g>\n");
	}
	if (n == 0)
		return;
	altitude_name(&panel, site->code, site->name, out);
	text_printf(out, "</svg><figcaption>%zu windows asked for (thick); dotted line: largest airmass; grey dots: the Moon; tints: day, civil, "
		"nautical and astronomical twilight</figcaption></figure>\n", n);
}

int plan_draw(const char *path, const struct plan_drawing *d, struct err *e)
{
	struct text body = {.max = LIMIT_TEXT};
	struct visibility_site sites[VISIBILITY_SITES];
	size_t i, count = 0;
	const json_t *f;
	int rc = sky_draw(d, &body, e);
	if (rc == 0) {
		text_puts(&body, "<h2>Seen, and identified</h2>\n<figure>");
		plot_plan(d->plan, "seen and identified", false, &body);
		text_puts(&body, "</figure>\n");
	}
	json_array_foreach(d->facilities, i, f) {
		if (rc == 0)
			rc = visibility_sites(json_object_get(f, "descriptor"), sites, VISIBILITY_SITES, &count, e);
		for (size_t s = 0; rc == 0 && s < count; s++)
			site_draw(d, &sites[s], &body);
	}
	if (rc == 0)
		rc = page_write(path, d->event, &body, e);
	text_free(&body);
	return rc;
}
