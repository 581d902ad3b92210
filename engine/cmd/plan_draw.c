/* Draws a plan: see plan_draw.h. */
#include "engine/cmd/plan_draw.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/utc.h"
#include "engine/cmd/page.h"
#include "engine/io/mapchild.h"
#include "engine/report/plot.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STARS 7
#define SLOTS (2 * STARS)
#define NAMED 12 /* galaxies with a label on the sky, best first */

static const json_t *find(const json_t *list, const char *member, const char *key)
{
	const json_t *t;
	size_t i;
	json_array_foreach(list, i, t)
		if (strcmp(json_text(t, member, ""), key) == 0)
			return t;
	return NULL;
}

static int sky_draw(const struct plan_drawing *d, struct text *out, struct err *e)
{
	struct plot_galaxy *marks = calloc(json_array_size(d->targets) + 1, sizeof *marks);
	struct skymap m;
	char title[LIMIT_EVENT_ID + 64];
	const json_t *t;
	size_t i;
	if (marks == NULL)
		return err_set(e, ERR_MEMORY, "no memory for a plot of %zu galaxies", json_array_size(d->targets));
	if (mapchild_read(d->map, d->map_len, &m, e) < 0) {
		free(marks);
		return -1;
	}
	json_array_foreach(d->targets, i, t)
		marks[i] = (struct plot_galaxy){json_number(t, "ra_deg", NAN), json_number(t, "dec_deg", NAN), json_number(t, "share", 0),
			i < NAMED ? json_text(t, "name", "") : NULL, find(d->requests, "target", json_text(t, "key", "")) ? PLOT_ASKED : PLOT_RANKED};
	snprintf(title, sizeof title, "%s: sky map and the galaxies ranked by it", d->event);
	int rc = plot_sky(out, &(struct plot_sky){title, &m, marks, json_array_size(d->targets), NAN, NAN, NAN, NAN, NAN, NULL, NULL}, e);
	skymap_free(&m);
	free(marks);
	return rc;
}

/* Altitudes over one site: the first seven targets that are asked there, with their windows. */
static void site_draw(const struct plan_drawing *d, const struct visibility_site *site, struct text *out)
{
	struct plot_star stars[STARS];
	struct plot_slot slots[SLOTS];
	const char *keys[STARS];
	size_t n = 0, used = 0, i, k;
	const json_t *r;
	struct err e = {0};
	char title[160];
	json_array_foreach(d->requests, i, r) {
		const char *key = json_text(r, "target", "");
		const json_t *t = find(d->targets, "key", key);
		for (k = 0; k < n && strcmp(keys[k], key) != 0; k++)
			;
		if (strcmp(json_text(r, "site", ""), site->code) != 0 || t == NULL || k == STARS || used == SLOTS)
			continue;
		if (k == n) {
			keys[n] = key;
			stars[n++] = (struct plot_star){json_text(t, "name", "?"), json_number(t, "ra_deg", 0), json_number(t, "dec_deg", 0)};
		}
		slots[used++] = (struct plot_slot){k, json_int(r, "start_us", 0), json_int(r, "end_us", 0), true, json_text(r, "mode", NULL)};
	}
	struct visibility_night *night = n ? visibility_night_new(site, 1, d->now_us, d->end_us, &e) : NULL;
	if (night == NULL) /* nothing is asked there */
		return;
	snprintf(title, sizeof title, "%s (%s): windows asked for", site->name, site->code);
	plot_altitude(out, &(struct plot_altitude){title, night, 0, d->now_us, d->end_us, stars, n, slots, used, NAN, UTC_NONE});
	visibility_night_free(night);
}

int plan_draw(const char *path, const struct plan_drawing *d, struct err *e)
{
	struct text body = {.max = LIMIT_TEXT};
	struct visibility_site sites[VISIBILITY_SITES];
	size_t i, count = 0;
	const json_t *f;
	int rc = sky_draw(d, &body, e);
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
