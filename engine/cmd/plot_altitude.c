/* slew plot altitude: targets over the sites of a facility. */
#include "engine/base/utc.h"
#include "engine/cmd/cmd.h"
#include "engine/cmd/place.h"
#include "engine/cmd/plot.h"
#include "engine/cmd/targets.h"
#include "engine/io/clock.h"
#include <stdio.h>
#include <stdlib.h>

int plot_altitude(const struct plot *p, struct text *out)
{
	struct visibility_site sites[VISIBILITY_SITES];
	struct visibility_limits limits = {p->max_airmass, p->sun_deg, p->moon_deg, 300};
	struct place one = {.name = ""}, *list = &one;
	size_t count = 1, site_count = 0;
	struct err e = {0};
	int64_t start = clock_wall_us();
	char title[128], from[32];
	int rc;
	if ((p->targets == NULL) == (p->inputs == 0))
		return cmd_usage(&command_plot, "altitude wants either RA DEC or --targets FILE");
	if (p->at != NULL && utc_parse(p->at, &start, &e) < 0) {
		err_wrap(&e, "--at");
		return err_print(&e);
	}
	if ((rc = cmd_sites_read(p->facility ? p->facility : "lco", p->site, sites, &site_count)) != 0)
		return rc;
	count = p->targets == NULL;
	if (p->targets == NULL && place_read(p->input[0], p->inputs > 1 ? p->input[1] : NULL, &one.ra_deg, &one.dec_deg, &e) < 0)
		return err_print(&e);
	if (p->targets != NULL && (rc = cmd_targets_read(p->targets, &list, &count)) != 0)
		return rc;
	if (p->targets == NULL)
		snprintf(one.name, sizeof one.name, "RA %.4f° Dec %+.4f°", one.ra_deg, one.dec_deg);
	int64_t end = start + (int64_t)(p->hours * 3600e6);
	struct visibility_night *n = visibility_night_new(sites, site_count, start, end, &e);
	if (n != NULL) {
		snprintf(title, sizeof title, "Altitudes for %g h from %s", p->hours, utc_format_s(from, start));
		cmd_altitudes(n, list, count, start, end, &limits, title, out);
	} else {
		rc = err_print(&e);
	}
	visibility_night_free(n);
	if (list != &one)
		free(list);
	return rc;
}
