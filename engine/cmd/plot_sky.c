/* slew plot sky: a sky map with galaxies, Sun, Moon and the sky of each site. */
#include "engine/base/utc.h"
#include "engine/cmd/cmd.h"
#include "engine/cmd/mapfile.h"
#include "engine/cmd/plot.h"
#include "engine/cmd/targets.h"
#include "engine/io/clock.h"
#include "engine/report/sky.h"
#include "engine/target/rank.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMED 10

/* The best galaxies of the catalogue as marks; *names holds their names. Both malloc'd. */
static int galaxies_read(const struct plot *p, const struct skymap *m, struct sky_galaxy **out, size_t *count, char (**names)[CATALOG_NAME + 1])
{
	struct catalog c;
	struct ranking r;
	struct err e = {0};
	struct rank_options o = {.weight = RANK_NONE, .distance_error = true, .top = (int64_t)p->top, .probability = NAN};
	if (p->weight != NULL)
		o.weight = strcmp(p->weight, "luminosity") == 0 ? RANK_LUMINOSITY : strcmp(p->weight, "mass") == 0 ? RANK_MASS : RANK_NONE;
	if (catalog_open(p->catalog, &c, &e) < 0)
		return err_print(&e);
	if (rank_galaxies(m, &c, &o, &r, &e) < 0) {
		catalog_close(&c);
		return err_print(&e);
	}
	*out = calloc(r.count + 1, sizeof **out);
	*names = calloc(r.count + 1, sizeof **names);
	must_memory(*out != NULL && *names != NULL);
	for (size_t i = 0; i < r.count; i++) {
		struct catalog_row g;
		catalog_row_at(&c, r.list[i].row, &g);
		memcpy((*names)[i], g.name, sizeof g.name);
		(*out)[i] = (struct sky_galaxy){g.ra_deg, g.dec_deg, r.list[i].share, g.distance_mpc, (int64_t)i + 1, (*names)[i], "ranked", "#d55e00"};
	}
	*count = r.count;
	rank_free(&r);
	catalog_close(&c);
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

int plot_sky(const struct plot *p, struct text *out)
{
	struct visibility_site sites[VISIBILITY_SITES];
	struct sky_moment moment = {.utc_us = UTC_NONE, .sites = sites};
	struct sky_close_up c = {.named = NAMED, .host_ra_deg = NAN, .host_dec_deg = NAN};
	struct sky_galaxy *galaxies = NULL;
	char (*names)[CATALOG_NAME + 1] = NULL, title[128];
	struct skymap m;
	struct err e = {0};
	int rc = 0;
	if (p->inputs != 1)
		return cmd_usage(&command_plot, p->inputs ? "sky takes one MAP" : "no MAP given");
	if (p->at != NULL && utc_parse(p->at, &moment.utc_us, &e) < 0)
		return err_print(&e);
	if (p->facility != NULL && (rc = cmd_sites_read(p->facility, p->site, sites, &moment.count)) != 0)
		return rc;
	if (moment.utc_us == UTC_NONE && moment.count > 0)
		moment.utc_us = clock_wall_us();
	if ((rc = cmd_read_map(p->input[0], &m)) != 0)
		return rc;
	if (p->catalog != NULL)
		rc = galaxies_read(p, &m, &galaxies, &c.count, &names);
	if (rc == 0) {
		c.first = c.last = &m;
		c.galaxies = galaxies;
		c.moment = moment.utc_us != UTC_NONE ? &moment : NULL;
		title_of(p, &m, title, sizeof title);
		sky_picture(&c, title, out);
	}
	free(galaxies);
	free(names);
	skymap_free(&m);
	return rc;
}
