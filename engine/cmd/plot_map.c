/* slew plot sky and distance: what is drawn of a sky map and the galaxies in it. */
#include "engine/base/utc.h"
#include "engine/cmd/cmd.h"
#include "engine/cmd/mapfile.h"
#include "engine/cmd/place.h"
#include "engine/cmd/plot.h"
#include "engine/cmd/targets.h"
#include "engine/io/clock.h"
#include "engine/report/distance.h"
#include "engine/report/sky.h"
#include "engine/target/rank.h"
#include "engine/target/region.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMED 10
#define CORNERS FOOTPRINT_POINTS

struct galaxies {
	struct sky_galaxy *list;
	size_t count;
	char (*names)[CATALOG_NAME + 1];
};

static void galaxies_free(struct galaxies *g)
{
	free(g->list);
	free(g->names);
}

/* The best of the catalogue as marks; none without --catalog. Returns an exit code. */
static int galaxies_read(const struct plot *p, const struct skymap *m, struct galaxies *out)
{
	struct catalog c;
	struct ranking r;
	struct err e = {0};
	struct rank_options o = {.weight = RANK_NONE, .distance_error = true, .top = (int64_t)p->top, .probability = NAN};
	if (p->catalog == NULL)
		return 0;
	if (p->weight != NULL)
		o.weight = strcmp(p->weight, "luminosity") == 0 ? RANK_LUMINOSITY : strcmp(p->weight, "mass") == 0 ? RANK_MASS : RANK_NONE;
	if (catalog_open(p->catalog, &c, &e) < 0)
		return err_print(&e);
	if (rank_galaxies(m, &c, &o, &r, &e) < 0) {
		catalog_close(&c);
		return err_print(&e);
	}
	out->count = r.count;
	out->list = calloc(r.count + 1, sizeof *out->list);
	out->names = calloc(r.count + 1, sizeof *out->names);
	must_memory(out->list != NULL && out->names != NULL);
	for (size_t i = 0; i < r.count; i++) {
		struct catalog_row g;
		catalog_row_at(&c, r.list[i].row, &g);
		memcpy(out->names[i], g.name, sizeof g.name);
		out->list[i] = (struct sky_galaxy){g.ra_deg, g.dec_deg, r.list[i].share, g.distance_mpc, (int64_t)i + 1, out->names[i], "ranked", "#d55e00",
			(double)g.distance_err_mpc};
	}
	if (r.count == 0)
		fprintf(stderr, "slew: plot: no galaxy of %s is in this map\n", p->catalog);
	rank_free(&r);
	catalog_close(&c);
	return 0;
}

struct pointings {
	struct sky_field *list;
	size_t count;
	double (*corners)[2]; /* CORNERS of each */
	struct place *places;
};

static void pointings_free(struct pointings *p)
{
	free(p->list);
	free(p->corners);
	free(p->places);
}

/* The fields of --fields, in the shape of --footprint; none without. Returns an exit code. */
static int pointings_read(const struct plot *p, struct pointings *out)
{
	struct footprint camera;
	struct err e = {0};
	if (p->fields == NULL && p->footprint == NULL)
		return 0;
	if (p->fields == NULL || p->footprint == NULL)
		return cmd_usage(&command_plot, "--fields FILE and --footprint CAMERA belong together");
	if (place_footprint(p->footprint, &camera, &e) < 0)
		return err_print(&e);
	int rc = cmd_targets_read(p->fields, &out->places, &out->count);
	if (rc != 0)
		return rc;
	out->list = calloc(out->count + 1, sizeof *out->list);
	out->corners = calloc(out->count * CORNERS + 1, sizeof *out->corners);
	must_memory(out->list != NULL && out->corners != NULL);
	for (size_t i = 0; i < out->count; i++) {
		double (*corners)[2] = out->corners + i * CORNERS;
		out->list[i] = (struct sky_field){(const double(*)[2])corners,
			sky_corners(&camera, out->places[i].ra_deg, out->places[i].dec_deg, corners), out->places[i].name, NULL};
	}
	return 0;
}

static void title_of(const struct plot *p, const struct skymap *m, char *out, size_t size)
{
	const char *slash = strrchr(p->input[0], '/');
	if (m->object[0] != '\0')
		snprintf(out, size, "%s", m->object);
	else
		snprintf(out, size, "%.80s", strcmp(p->input[0], "-") == 0 ? "sky map" : slash ? slash + 1 : p->input[0]);
}

/* The map and its galaxies, to be freed by the caller when 0 is returned. */
static int map_read(const struct plot *p, struct skymap *m, struct galaxies *g)
{
	if (p->inputs != 1)
		return cmd_usage(&command_plot, p->inputs ? "one MAP at a time (got %s and %s)" : "no MAP given", p->input[0], p->input[1]);
	int rc = cmd_read_map(p->input[0], m);
	if (rc != 0)
		return rc;
	rc = galaxies_read(p, m, g);
	if (rc != 0)
		skymap_free(m);
	return rc;
}

int plot_sky(const struct plot *p, struct text *out)
{
	struct visibility_site sites[VISIBILITY_SITES];
	struct sky_moment moment = {.utc_us = UTC_NONE, .sites = sites};
	struct galaxies g = {.count = 0};
	struct pointings f = {.count = 0};
	char title[128];
	struct skymap m;
	struct err e = {0};
	int rc = 0;
	if (p->at != NULL && utc_parse(p->at, &moment.utc_us, &e) < 0) {
		err_wrap(&e, "--at");
		return err_print(&e);
	}
	if (p->facility != NULL && (rc = cmd_sites_read(p->facility, p->site, sites, &moment.count)) != 0)
		return rc;
	if (moment.utc_us == UTC_NONE && moment.count > 0)
		moment.utc_us = clock_wall_us();
	rc = pointings_read(p, &f);
	if (rc == 0)
		rc = map_read(p, &m, &g);
	if (rc != 0) {
		pointings_free(&f);
		return rc;
	}
	title_of(p, &m, title, sizeof title);
	sky_picture(&(struct sky_close_up){.first = &m, .last = &m, .galaxies = g.list, .count = g.count, .named = NAMED, .host_ra_deg = NAN,
		.host_dec_deg = NAN, .fields = f.list, .field_count = f.count, .moment = moment.utc_us != UTC_NONE ? &moment : NULL}, title, out);
	pointings_free(&f);
	galaxies_free(&g);
	skymap_free(&m);
	return 0;
}

int plot_distance(const struct plot *p, struct text *out)
{
	struct distance_chart c = {.ra_deg = NAN, .dec_deg = NAN};
	struct galaxies g = {.count = 0};
	char title[128], place[96];
	struct skymap m;
	struct err e = {0};
	double mean, std;
	int rc = 0;
	if (p->at != NULL) {
		snprintf(place, sizeof place, "%.90s", p->at);
		char *comma = strchr(place, ',');
		if (comma != NULL)
			*comma++ = '\0';
		if (place_read(place, comma, &c.ra_deg, &c.dec_deg, &e) < 0) {
			err_wrap(&e, "--at wants RA,DEC");
			return err_print(&e);
		}
	}
	if ((rc = map_read(p, &m, &g)) != 0)
		return rc;
	if (m.mu == NULL) {
		err_set(&e, ERR_INPUT, "%s: the map is 2-D: it says nothing of distance; `slew plot sky` can draw it", p->input[0]);
		rc = err_print(&e);
	} else if (region_moments(&m, &mean, &std), !isfinite(mean)) {
		err_set(&e, ERR_INPUT, "%s: no cell of the map has a distance; `slew plot sky` can draw it", p->input[0]);
		rc = err_print(&e);
	} else {
		int64_t cell = isnan(c.ra_deg) ? 0 : contour_cell(&m, c.ra_deg, c.dec_deg);
		if (cell < 0 || !(m.norm[cell] > 0 || isnan(c.ra_deg)))
			fprintf(stderr, "slew: plot: the map has no distance toward %s: only the whole map is drawn\n", p->at);
		title_of(p, &m, title, sizeof title);
		c.map = &m;
		c.galaxies = g.list;
		c.count = g.count;
		distance_picture(&c, title, out);
	}
	galaxies_free(&g);
	skymap_free(&m);
	return rc;
}
