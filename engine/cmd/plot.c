/* slew plot: pictures as SVG files: the command line and the table of kinds. */
#include "engine/cmd/plot.h"
#include "engine/base/limits.h"
#include "engine/cmd/cmd.h"
#include "engine/cmd/page.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	int (*draw)(const struct plot *p, struct text *out);
} kinds[] = {{"sky", plot_sky}, {"distance", plot_distance}, {"altitude", plot_altitude}, {"probability", plot_probability}};
#define KINDS (sizeof kinds / sizeof kinds[0])

static int option_read(struct plot *p, const char *name, const char *value)
{
	const struct {
		const char *name, **text;
		double *number, least, most;
	} options[] = {{"--catalog", &p->catalog, NULL, 0, 0}, {"--weight", &p->weight, NULL, 0, 0}, {"--at", &p->at, NULL, 0, 0},
		{"--start", &p->at, NULL, 0, 0}, {"--sites", &p->facility, NULL, 0, 0}, {"--facility", &p->facility, NULL, 0, 0},
		{"--site", &p->site, NULL, 0, 0}, {"--targets", &p->targets, NULL, 0, 0}, {"--event", &p->event, NULL, 0, 0},
		{"--fields", &p->fields, NULL, 0, 0}, {"--footprint", &p->footprint, NULL, 0, 0},
		{"-o", &p->out, NULL, 0, 0}, {"--hours", NULL, &p->hours, 0.1, 400}, {"--top", NULL, &p->top, 1, LIMIT_RANKED},
		{"--max-airmass", NULL, &p->max_airmass, 1, 10}, {"--sun", NULL, &p->sun_deg, -90, 90}, {"--min-moon", NULL, &p->moon_deg, 0, 180}};
	size_t k = 0;
	char *end = NULL;
	while (k < sizeof options / sizeof options[0] && strcmp(options[k].name, name) != 0)
		k++;
	if (k == sizeof options / sizeof options[0])
		return cmd_usage(&command_plot, "unknown option %s", name);
	if (value == NULL)
		return cmd_usage(&command_plot, "%s wants a value", name);
	if (options[k].text != NULL) {
		*options[k].text = value;
		return 0;
	}
	*options[k].number = strtod(value, &end);
	if (end == value || *end != '\0' || !(*options[k].number >= options[k].least && *options[k].number <= options[k].most))
		return cmd_usage(&command_plot, "%s wants a number from %g to %g, not \"%.30s\"", name, options[k].least, options[k].most, value);
	return 0;
}

static int arguments_read(struct plot *p, int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		bool number = argv[i][0] == '-' && (strchr("0123456789.", argv[i][1]) != NULL); /* a declination, or standard input */
		if (argv[i][0] == '-' && !number) {
			if (option_read(p, argv[i], i + 1 < argc ? argv[i + 1] : NULL) != 0)
				return 2;
			i++;
		} else if (p->inputs == 2) {
			return cmd_usage(&command_plot, "\"%.40s\" is one thing too many", argv[i]);
		} else {
			p->input[p->inputs++] = argv[i];
		}
	}
	if (p->weight != NULL && strcmp(p->weight, "none") != 0 && strcmp(p->weight, "luminosity") != 0 && strcmp(p->weight, "mass") != 0)
		return cmd_usage(&command_plot, "--weight is none, luminosity or mass, not %.30s", p->weight);
	return 0;
}

static int plot_run(int argc, char **argv)
{
	struct plot p = {.hours = 24, .top = 20, .max_airmass = 2, .sun_deg = -12, .moon_deg = 30};
	struct text picture = {.max = LIMIT_TEXT};
	struct err e = {0};
	char path[64];
	size_t k = 0;
	if (argc < 2)
		return cmd_usage(&command_plot, "no KIND given: sky, distance, altitude or probability");
	while (k < KINDS && strcmp(kinds[k].name, argv[1]) != 0)
		k++;
	if (k == KINDS)
		return cmd_usage(&command_plot, argv[1][0] == '-' ? "%.40s before a KIND: sky, distance, altitude or probability"
			: "there is no kind \"%.40s\": sky, distance, altitude or probability", argv[1]);
	int rc = arguments_read(&p, argc, argv);
	if (rc == 0)
		rc = kinds[k].draw(&p, &picture);
	snprintf(path, sizeof path, "%s.svg", kinds[k].name);
	if (rc == 0 && page_save(p.out ? p.out : path, &picture, &e) < 0)
		rc = err_print(&e);
	text_free(&picture);
	return rc;
}

const struct command command_plot = {
	.name = "plot",
	.args = "sky|distance|altitude|probability [options] MAP | RA DEC | STATE.db",
	.summary = "pictures as SVG: the sky, distances, altitudes, probability against time",
	.help =
		"One picture as an SVG file: KIND.svg in this directory, or where -o says (- is standard output). Times are UTC, positions ICRS.\n"
		"\n"
		"  slew plot sky MAP         the whole sky (Mollweide, east left) with the 50 and 90 % regions and the galactic plane, and a close-up\n"
		"                            where the region fits into one\n"
		"  slew plot distance MAP    p(d) of a 3-D map, mean and standard deviation; --at RA,DEC: also along that line of sight\n"
		"  slew plot altitude RA DEC | --targets FILE   altitude against time over each site, twilights, Moon, airmass; what can be\n"
		"                            observed is thick and shaded\n"
		"  slew plot probability STATE.db | PLAN.json   the chance that the host was looked at, would have shown a kilonova, and be identified\n"
		"                            (two detections 30 min apart, and a colour or a fade), visit by visit; PLAN.json: from `slew plan --json`\n"
		"\n"
		"  -o FILE            where to write\n"
		"  --catalog C        sky, distance: the galaxies of C (`slew catalog build`), ranked as `slew rank` does\n"
		"  --weight W         none (dP/dV), luminosity, mass\n"
		"  --top N            how many galaxies (20)\n"
		"  --fields FILE      sky: outlines of fields, from `slew fields --json`, or any lines with ra_deg and dec_deg (- reads standard input)\n"
		"  --footprint F      … and their camera: decam, muscat, sinistro, 26.5x26.5 (arcmin), r60 (a circle)\n"
		"  --at TIME          sky: Sun and Moon then, ISO 8601; altitude: the start (now). --start is the same\n"
		"  --sites NAME       lco or the path of a descriptor. sky: airmass 2 and horizon (of more than two sites: of those in the dark) at that time,\n"
		"                     or now; altitude: default lco. --facility is the same\n"
		"  --site CODE        only this site of it\n"
		"  --targets FILE     what `slew rank --json` or `--csv` printed (- reads standard input); the first 7 are drawn\n"
		"  --event NAME       probability: of a state, which (the one most was asked for)\n"
		"  --hours H          altitude: for so long (24)\n"
		"  --max-airmass X, --sun DEG, --min-moon DEG   altitude: limits of what can be observed (2, -12, 30)\n"
		"\n"
		"The outline of a region holds its share of the probability, to the width of a pixel; cells wider than a pixel are smoothed. The same\n"
		"input gives the same bytes. For a figure in print: rsvg-convert -f pdf sky.svg > sky.pdf.\n"
		"\n"
		"  slew plot sky --catalog glade.fits --at 2017-08-17T23:30 --sites lco bayestar.fits.gz\n"
		"  slew plot distance --at 197.4488,-23.3839 -o - bayestar.fits.gz | rsvg-convert > distance.png\n"
		"  slew rank --json --catalog glade.fits alert.json | slew plot altitude --targets - --sites lco --site lsc\n",
	.run = plot_run,
};
