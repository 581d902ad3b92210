/* slew depth: how deep an exposure sees, the chance that it shows a kilonova at a distance, and the exposure that a wanted chance takes. */
#include "engine/base/json.h"
#include "engine/cmd/cmd.h"
#include "engine/cmd/mapfile.h"
#include "engine/cmd/place.h"
#include "engine/io/around.h"
#include "engine/report/table.h"
#include "engine/target/depth.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct depth_arguments {
	const char *facility, *filter, *instrument, *dust, *references, *position;
	bool said_ground;
	double distance_mpc, exposure_s, age_h, wanted, p_bns, p_nsbh, has_remnant;
	int count;
	bool json, curve;
	struct depth_sky sky;
	struct depth_place place;
};

/* What is answered: one filter. */
struct seen {
	const char *filter, *instrument;
	struct depth_camera camera;
	struct depth_place place;
	const char *survey; /* of its reference; NULL */
	double sky_mag, limit_mag, any, wanted_mag, wanted_s, most_s;
};

static const char *const grounds[] = {"host", "subtracted", "blank"};

/* The first instrument (or the one asked for) with photometry of the filter. */
static bool camera_find(const json_t *descriptor, const struct depth_arguments *a, const char *filter, struct seen *out)
{
	const json_t *list = json_object_get(descriptor, "instruments"), *one;
	size_t k;
	json_array_foreach(list, k, one) {
		if (a->instrument != NULL && strcmp(a->instrument, json_text(one, "code", "")) != 0)
			continue;
		if (depth_camera_of(one, filter, &out->camera) && out->camera.band >= 0) {
			out->filter = filter;
			out->instrument = json_text(one, "code", "");
			out->most_s = json_number(one, "max_exposure_s", 14400);
			return true;
		}
	}
	return false;
}

static void look(const struct depth_arguments *a, const struct kilonova_prior *prior, struct seen *s)
{
	enum kilonova_band band = (enum kilonova_band)s->camera.band;
	s->sky_mag = depth_sky_mag(&s->camera, &a->sky);
	s->limit_mag = depth_limit_mag(&s->camera, &a->sky, &s->place, a->exposure_s, a->count);
	s->any = depth_detects_any(prior, band, a->age_h / 24, a->distance_mpc, a->place.ebv_mag, s->limit_mag);
	s->wanted_mag = depth_wanted_mag(prior, band, a->age_h / 24, a->distance_mpc, a->place.ebv_mag, a->wanted);
	s->wanted_s = isnan(s->wanted_mag) ? INFINITY : depth_exposure_s(&s->camera, &a->sky, &s->place, s->wanted_mag, a->count, s->most_s);
}

static json_t *families_json(const struct depth_arguments *a, const struct kilonova_prior *prior, const struct seen *s)
{
	json_t *list = json_array();
	for (int f = 0; f < KILONOVA_FAMILIES; f++) {
		enum kilonova_family family = (enum kilonova_family)f;
		enum kilonova_band band = (enum kilonova_band)s->camera.band;
		double far = 5 * log10(a->distance_mpc * 1e5), dust = depth_dust_ratio(band) * fmax(0, a->place.ebv_mag);
		double absolute = kilonova_mag(family, band, a->age_h / 24);
		json_array_append_new(list, json_pack("{s:s s:s s:f s:f s:f s:f}", "family", kilonova_name(family), "title", kilonova_title(family),
			"prior", prior->weight[f], "absolute_mag", absolute, "mag", absolute + far + dust, "probability",
			depth_detects(family, band, a->age_h / 24, a->distance_mpc, a->place.ebv_mag, s->limit_mag)));
	}
	return list;
}

/* Chance to detect against exposure: so many exposures of so long each, as far as the instrument goes. */
static const double curve_s[] = {10, 20, 30, 60, 120, 180, 300, 600, 900, 1800, 3600};
#define CURVE (sizeof curve_s / sizeof curve_s[0])

static double curve_at(const struct depth_arguments *a, const struct kilonova_prior *prior, const struct seen *s, size_t k, double *limit_mag)
{
	*limit_mag = depth_limit_mag(&s->camera, &a->sky, &s->place, curve_s[k], a->count);
	return depth_detects_any(prior, (enum kilonova_band)s->camera.band, a->age_h / 24, a->distance_mpc, a->place.ebv_mag, *limit_mag);
}

static json_t *curve_json(const struct depth_arguments *a, const struct kilonova_prior *prior, const struct seen *s)
{
	json_t *list = json_array();
	for (size_t k = 0; k < CURVE && curve_s[k] <= s->most_s; k++) {
		double limit_mag, probability = curve_at(a, prior, s, k, &limit_mag);
		json_array_append_new(list, json_pack("{s:f s:f s:f}", "exposure_s", curve_s[k], "limit_mag", limit_mag, "probability", probability));
	}
	return list;
}

static void curve_print(const struct depth_arguments *a, const struct kilonova_prior *prior, const struct seen *list, size_t count)
{
	printf("\nlimit and chance to detect any, by exposure\nexposure");
	for (size_t i = 0; i < count; i++)
		printf("  %11s", list[i].filter);
	for (size_t k = 0; k < CURVE; k++) {
		printf("\n%6.0f s", curve_s[k]);
		for (size_t i = 0; i < count; i++) {
			double limit_mag, probability = curve_at(a, prior, &list[i], k, &limit_mag);
			if (curve_s[k] <= list[i].most_s)
				printf("  %5.2f %.3f", limit_mag, probability);
			else
				printf("  %11s", "-");
		}
	}
	putchar('\n');
}

/* What is known of the place in this filter: what the options say, else the deepest reference that covers the position. */
static void place_of(const struct depth_arguments *a, const struct around *around, const double at[2], struct seen *s)
{
	const struct around_reference *r = a->position && !a->said_ground ? around_reference(around, s->filter, at[0], at[1]) : NULL;
	s->place = a->place;
	s->survey = NULL;
	if (r != NULL) {
		s->place = (struct depth_place){DEPTH_SUBTRACTED, r->depth_mag, a->place.ebv_mag};
		s->survey = r->survey;
	}
}

static json_t *filter_json(const struct depth_arguments *a, const struct kilonova_prior *prior, const struct seen *s)
{
	return json_pack("{s:s s:s s:o s:s? s:s s:f s:f s:f s:o s:o s:o s:o}", "filter", s->filter, "ground", grounds[s->place.ground], "reference_mag",
		s->place.ground == DEPTH_SUBTRACTED ? json_real_or_null(s->place.reference_mag) : json_null(), "survey", s->survey, "instrument", s->instrument, "sky_mag", s->sky_mag, "limit_mag",
		s->limit_mag, "probability", s->any, "wanted_limit_mag", json_real_or_null(s->wanted_mag), "wanted_exposure_s",
		json_real_or_null(s->wanted_s), "families", families_json(a, prior, s),
		"curve", curve_json(a, prior, s));
}

static int show_json(const struct depth_arguments *a, const struct kilonova_prior *prior, const struct seen *list, size_t count)
{
	json_t *filters = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(filters, filter_json(a, prior, &list[i]));
	return cmd_print_object(json_pack("{s:s s:f s:f s:i s:f s:f s:f s:f s:f s:o s:f s:o}", "facility", a->facility, "distance_mpc",
		a->distance_mpc, "exposure_s", a->exposure_s, "count", a->count, "age_h", a->age_h, "airmass", a->sky.airmass, "moon_illuminated",
		a->sky.moon_illuminated, "moon_deg", a->sky.moon_deg, "moon_alt_deg", a->sky.moon_alt_deg, "ebv_mag", json_real_or_null(a->place.ebv_mag), "wanted", a->wanted, "filters", filters));
}

static void heading(const struct depth_arguments *a, const struct kilonova_prior *prior)
{
	double dark = 1;
	printf("%.4g Mpc, %.4g h after the merger; %d x %.4g s at airmass %.2f, ", a->distance_mpc, a->age_h, a->count, a->exposure_s, a->sky.airmass);
	if (a->sky.moon_alt_deg > 0)
		printf("Moon %.0f %% lit, %.0f° away\n", a->sky.moon_illuminated * 100, a->sky.moon_deg);
	else
		printf("Moon down\n");
	printf("place: %s", a->place.ground == DEPTH_BLANK ? "blank sky, as an exposure time calculator has it" : a->place.ground == DEPTH_HOST ?
		"on a galaxy; where no reference image is known (--reference) 5 % of its light remains" : "on a galaxy, reference subtracted");
	if (isnan(a->place.ebv_mag))
		printf("; extinction of our galaxy unknown (--ebv, --dust), taken as 0\n");
	else
		printf("; E(B-V) %.3f%s\n", a->place.ebv_mag, a->place.ebv_mag > DEPTH_REDDENED_MAG ? ": too much dust to look through" : "");
	printf("priors:");
	for (int f = 0; f < KILONOVA_FAMILIES; f++) {
		printf(" %s %.3g,", kilonova_title((enum kilonova_family)f), prior->weight[f]);
		dark -= prior->weight[f];
	}
	printf(" dark %.3g\n\n", fmax(0, dark));
}

static void show(const struct depth_arguments *a, const struct kilonova_prior *prior, const struct seen *list, size_t count)
{
	char row[64], head[8];
	heading(a, prior);
	printf("filter  sky mag/\"²  limit 5σ");
	for (int f = 0; f < KILONOVA_FAMILIES; f++)
		printf("  %16s", kilonova_title((enum kilonova_family)f));
	printf("     any  for %.0f %%\n", a->wanted * 100);
	for (size_t i = 0; i < count; i++) {
		const struct seen *s = &list[i];
		printf("%-6s  %10.2f  %8.2f", s->filter, s->sky_mag, s->limit_mag);
		for (int f = 0; f < KILONOVA_FAMILIES; f++) {
			enum kilonova_band band = (enum kilonova_band)s->camera.band;
			double mag = kilonova_mag((enum kilonova_family)f, band, a->age_h / 24) + 5 * log10(a->distance_mpc * 1e5)
				+ depth_dust_ratio(band) * fmax(0, a->place.ebv_mag);
			snprintf(row, sizeof row, "%.2f mag %.3f", mag,
				depth_detects((enum kilonova_family)f, band, a->age_h / 24, a->distance_mpc, a->place.ebv_mag, s->limit_mag));
			printf("  %16s", row);
		}
		snprintf(head, sizeof head, "%.3f", s->any);
		printf("  %6s", head);
		if (isfinite(s->wanted_s))
			printf("  %.0f s (%.2f mag)\n", s->wanted_s, s->wanted_mag);
		else if (isnan(s->wanted_mag))
			printf("  never: more than that is dark\n");
		else
			printf("  not within %.0f s (%.2f mag)\n", s->most_s, s->wanted_mag);
		if (s->place.ground == DEPTH_SUBTRACTED && isfinite(s->place.reference_mag))
			printf("        reference%s%s: 5 sigma at %.2f\n", s->survey ? " of " : "", s->survey ? s->survey : "", s->place.reference_mag);
	}
	if (a->curve)
		curve_print(a, prior, list, count);
	printf("\nmagnitudes: of each family's typical kilonova, and the chance to detect one of its kind; any: over the priors\n");
}

/* Arguments ------------------------------------------------------------------------------------------------------------------ */

static int number_read(const char *option, const char *text, double low, double high, double *out)
{
	char *end = NULL;
	*out = text ? strtod(text, &end) : NAN;
	if (text == NULL || end == text || *end != '\0' || !(*out >= low && *out <= high))
		return cmd_usage(&command_depth, "%s wants a number from %g to %g, not \"%.30s\"", option, low, high, text ? text : "");
	return 0;
}

static int reference_read(struct depth_arguments *a, const char *v)
{
	a->said_ground = true;
	if (strcmp(v, "none") == 0)
		a->place.ground = DEPTH_HOST;
	else if (strcmp(v, "blank") == 0)
		a->place.ground = DEPTH_BLANK;
	else {
		a->place.ground = DEPTH_SUBTRACTED;
		a->place.reference_mag = INFINITY;
		return strcmp(v, "deep") == 0 ? 0 : number_read("--reference MAG (or none, deep, blank)", v, 10, 35, &a->place.reference_mag);
	}
	return 0;
}

static int option_read(struct depth_arguments *a, const char *o, const char *v)
{
	static const struct {
		const char *name;
		size_t at;
		double low, high;
	} numbers[] = {{"--distance", offsetof(struct depth_arguments, distance_mpc), 0.01, 20000}, {"--exposure", offsetof(struct depth_arguments, exposure_s), 0.1, 14400},
		{"--age-h", offsetof(struct depth_arguments, age_h), 0.01, 2160}, {"--want", offsetof(struct depth_arguments, wanted), 0.001, 0.999},
		{"--p-bns", offsetof(struct depth_arguments, p_bns), 0, 1}, {"--p-nsbh", offsetof(struct depth_arguments, p_nsbh), 0, 1},
		{"--has-remnant", offsetof(struct depth_arguments, has_remnant), 0, 1}, {"--airmass", offsetof(struct depth_arguments, sky.airmass), 1, 10},
		{"--moon", offsetof(struct depth_arguments, sky.moon_illuminated), 0, 1}, {"--moon-deg", offsetof(struct depth_arguments, sky.moon_deg), 0, 180},
		{"--moon-alt", offsetof(struct depth_arguments, sky.moon_alt_deg), -90, 90}, {"--ebv", offsetof(struct depth_arguments, place.ebv_mag), 0, 100}};
	double count;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (strcmp(o, numbers[i].name) == 0)
			return number_read(o, v, numbers[i].low, numbers[i].high, (double *)(void *)((char *)a + numbers[i].at));
	if (strcmp(o, "--count") == 0) {
		int rc = number_read(o, v, 1, 1000, &count);
		a->count = rc == 0 ? (int)count : 1;
		return rc;
	}
	const struct {
		const char *name, **to;
	} words[] = {{"--facility", &a->facility}, {"--filter", &a->filter}, {"--instrument", &a->instrument}, {"--dust", &a->dust},
		{"--references", &a->references}, {"--position", &a->position}, {"--reference", NULL}};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strcmp(o, words[i].name) != 0)
			continue;
		if (v == NULL)
			return cmd_usage(&command_depth, "%s wants a value", o);
		if (words[i].to == NULL)
			return reference_read(a, v);
		*words[i].to = v;
		return 0;
	}
	return cmd_usage(&command_depth, "unknown option %s", o);
}

static int arguments_read(struct depth_arguments *a, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int rc = 0;
		if (strcmp(argv[i], "--json") == 0)
			a->json = true;
		else if (strcmp(argv[i], "--curve") == 0)
			a->curve = true;
		else if (argv[i][0] == '-')
			rc = option_read(a, argv[i], i + 1 < argc ? argv[i + 1] : NULL), i++;
		else
			return cmd_usage(&command_depth, "%.40s is no option", argv[i]);
		if (rc != 0)
			return rc;
	}
	if (isnan(a->distance_mpc))
		return cmd_usage(&command_depth, "no --distance given (Mpc)");
	if ((a->dust != NULL || a->references != NULL) && a->position == NULL)
		return cmd_usage(&command_depth, "--dust and --references want a --position");
	if (fmax(0, a->p_bns) + fmax(0, a->p_nsbh) > 1.001) /* fmax takes the 0 for NaN */
		return cmd_usage(&command_depth, "--p-bns and --p-nsbh add up to more than 1");
	if (a->p_bns <= 0 && !(a->p_nsbh > 0) && !(a->has_remnant <= 0))
		return cmd_usage(&command_depth, "--p-bns 0 without --p-nsbh leaves nothing that shines; --has-remnant 0 is a dark merger, no option a BNS");
	if (a->sky.moon_illuminated > 0 && isnan(a->sky.moon_alt_deg))
		a->sky.moon_alt_deg = 45;
	if (isnan(a->sky.moon_alt_deg))
		a->sky.moon_alt_deg = -90;
	return 0;
}

/* The filter's name as the descriptor writes it: it lives as long. */
static const char *camera_filter(const json_t *descriptor, const struct seen *s, const char *filter)
{
	const json_t *one, *p;
	size_t i, k;
	json_array_foreach(json_object_get(descriptor, "instruments"), i, one)
		json_array_foreach(json_object_get(one, "photometry"), k, p)
			if (strcmp(json_text(one, "code", ""), s->instrument) == 0 && strcmp(json_text(p, "filter", ""), filter) == 0)
				return json_text(p, "filter", "");
	return "";
}

static void filter_refuse(const struct depth_arguments *a, const json_t *descriptor, const char *filter)
{
	const json_t *one, *p;
	size_t i, k;
	fprintf(stderr, "slew: facility %s: filter \"%s\" has no photometry, or is none of the bands of the kilonova tables (g r i z J); give "
		"one that has (instruments[].photometry of its descriptor):", a->facility, filter);
	json_array_foreach(json_object_get(descriptor, "instruments"), i, one)
		json_array_foreach(json_object_get(one, "photometry"), k, p)
			if (kilonova_band_of(json_text(p, "filter", "")) >= 0)
				fprintf(stderr, " %s", json_text(p, "filter", ""));
	fputs("\n", stderr);
}

/* The filters asked for (separated by commas), else all that are known. Returns an exit code. */
static int filters_look(const struct depth_arguments *a, const json_t *descriptor, struct seen *list, size_t most, size_t *count)
{
	static const char *const all[] = {"gp", "rp", "ip", "zs", "g", "r", "i", "z", "J", NULL};
	char word[32][24];
	size_t words = 0;
	for (const char *p = a->filter; p != NULL && *p != '\0' && words < 32;) {
		size_t n = strcspn(p, ",+");
		snprintf(word[words++], sizeof word[0], "%.*s", (int)(n < 23 ? n : 23), p);
		p += n + (p[n] != '\0');
	}
	for (size_t i = 0; a->filter != NULL ? i < words : all[i] != NULL; i++) {
		const char *filter = a->filter != NULL ? word[i] : all[i];
		if (*count < most && camera_find(descriptor, a, filter, &list[*count])) {
			list[*count].filter = camera_filter(descriptor, &list[*count], filter);
			(*count)++;
		} else if (a->filter != NULL) {
			filter_refuse(a, descriptor, filter);
			return 1;
		}
	}
	if (*count == 0 && a->instrument != NULL)
		fprintf(stderr, "slew: facility %s: there is no instrument %s with photometry in g, r, i, z or J; leave --instrument out to see those that have\n",
			a->facility, a->instrument);
	else if (*count == 0)
		fprintf(stderr, "slew: facility %s: no instrument has photometry in g, r, i, z or J; add instruments[].photometry to its descriptor\n", a->facility);
	return *count == 0;
}

static int depth_run(int argc, char **argv)
{
	struct depth_arguments a = {.facility = "lco", .distance_mpc = NAN, .exposure_s = 300, .age_h = 12, .wanted = 0.9, .p_bns = NAN, .p_nsbh = NAN,
		.has_remnant = NAN, .count = 1, .sky = {1.2, 0, 60, NAN}, .place = {DEPTH_HOST, INFINITY, NAN}};
	struct kilonova_prior prior;
	struct seen list[16];
	size_t count = 0;
	struct err e = {0};
	int rc = arguments_read(&a, argc, argv);
	if (rc != 0)
		return rc;
	json_t *descriptor = place_descriptor(a.facility, &e);
	if (descriptor == NULL) {
		err_wrap(&e, "facility %s", a.facility);
		return err_print(&e);
	}
	struct around *around = malloc(sizeof *around);
	double at[2] = {NAN, NAN};
	kilonova_prior_of(a.p_bns, a.p_nsbh, a.has_remnant, &prior);
	if (around == NULL)
		rc = err_set(&e, ERR_MEMORY, "no memory"), err_print(&e);
	else if (around_read(a.dust, a.references, around, &e) < 0 || (a.position && place_read(a.position, NULL, &at[0], &at[1], &e) < 0))
		rc = err_print(&e);
	if (rc == 0 && a.position && isnan(a.place.ebv_mag))
		a.place.ebv_mag = around_ebv_mag(around, at[0], at[1]);
	if (rc == 0)
		rc = filters_look(&a, descriptor, list, sizeof list / sizeof list[0], &count);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		place_of(&a, around, at, &list[i]);
		look(&a, &prior, &list[i]);
	}
	if (rc == 0 && a.json)
		rc = show_json(&a, &prior, list, count);
	else if (rc == 0)
		show(&a, &prior, list, count);
	if (around != NULL)
		around_free(around);
	free(around);
	json_decref(descriptor);
	return rc;
}

const struct command command_depth = {
	.name = "depth",
	.args = "--distance MPC [--facility NAME] [--filter F,F] [--exposure S] [options]",
	.summary = "how deep an exposure sees, and the chance that it shows a kilonova",
	.help =
		"The limit (5 sigma) of an exposure, and how likely a kilonova at that distance and age is above it: for AT 2017gfo, a faint red\n"
		"one, a red one of a neutron star and a black hole, and over all of them by the alert's classification; and the exposure that\n"
		"a wanted probability takes.\n"
		"\n"
		"  --distance MPC     luminosity distance\n"
		"  --facility NAME    lco (default), or the path of a descriptor: its instruments[].photometry is used\n"
		"  --instrument CODE  of it; default: the first with photometry of the filter\n"
		"  --filter F,F       default: all that have photometry in g, r, i, z or J\n"
		"  --exposure S       seconds (300); --count N so many of them, added up (1)\n"
		"  --age-h H          hours since the merger (12)\n"
		"  --airmass X        1.2\n"
		"  --moon F           lit part of the Moon, 0 to 1 (0: down); --moon-deg DEG from the field (60), --moon-alt DEG (45)\n"
		"  --reference R      what can be subtracted: none (default: 5 % of a bright host's light stays, no exposure beats that), the 5 sigma\n"
		"                     limit of a reference image in that filter (22.5), deep (without noise), blank (there is no host)\n"
		"  --ebv E            E(B-V) of our galaxy; not given: taken as 0, and said\n"
		"  --position RA,DEC  with it, in one word (\"13:09:47.7 -23:23:02\"):\n"
		"  --dust FILE        E(B-V) from a HEALPix map in FITS that you have (lambda_sfd_ebv.fits; none is shipped)\n"
		"  --references FILE  a JSON list of {\"survey\", \"band\", \"depth_mag\", \"moc\": FILE}: the deepest that covers the position\n"
		"  --p-bns P, --p-nsbh P, --has-remnant P   of the alert; default: a BNS that left matter outside\n"
		"  --want P           probability to reach (0.9)\n"
		"  --curve            also the limit and the chance against exposure, 10 s to an hour (always in --json)\n"
		"  --json             one object: … filters[{filter, sky_mag, limit_mag, probability, wanted_exposure_s, families[…], curve[…]}]\n"
		"\n"
		"Tables of the light, with their papers: engine/target/kilonova.h; noise: engine/target/depth.h. A kilonova of a family scatters\n"
		"about its table by 0.5 to 1 mag; afterglows and dust in the host are left out.\n"
		"\n"
		"  slew depth --distance 40\n"
		"  slew depth --distance 160 --filter rp,ip --exposure 600 --moon 0.8 --moon-deg 35 --reference 23.3 --json | jq '.filters[].probability'\n",
	.run = depth_run,
};
