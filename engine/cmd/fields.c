/* slew fields MAP: pointings of a camera: galaxies packed into its frames, the map tiled where there are none. */
#include "engine/base/embed.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/cmd/cmd.h"
#include "engine/cmd/mapfile.h"
#include "engine/cmd/mocfile.h"
#include "engine/target/fields_hosts.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DESCRIPTORS 32

enum form { FORM_TABLE, FORM_JSON, FORM_CSV };

struct arguments {
	int form;
	const char *map, *catalog, *footprint, *descriptor, *moc;
	int from, weight; /* −1: by whether there is a catalogue */
	double top, probability, level, rotation;
};

static int number_arg(const char *name, const char *text, double least, double most, double *out)
{
	char *end;
	*out = strtod(text, &end);
	if (end == text || *end != '\0' || !(*out >= least && *out <= most))
		return cmd_usage(&command_fields, "%s wants a number from %g to %g, not %s", name, least, most, text);
	return 0;
}

static int word_arg(const char *name, const char *const words[3], const char *value, int *out)
{
	for (*out = 0; *out < 3; ++*out)
		if (strcmp(value, words[*out]) == 0)
			return 0;
	return cmd_usage(&command_fields, "%s is %s, %s or %s, not %s", name, words[0], words[1], words[2], value);
}

static int option_value(struct arguments *a, const char *name, const char *value)
{
	static const char *const froms[3] = {"galaxies", "fields", "both"}, *const weights[3] = {"none", "luminosity", "mass"};
	const struct { const char *name; const char **to; } texts[] = {{"--map", &a->map}, {"--catalog", &a->catalog}, {"--footprint", &a->footprint},
		{"--descriptor", &a->descriptor}, {"--moc", &a->moc}};
	const struct { const char *name; double *to, least, most; } numbers[] = {{"--top", &a->top, 1, 1000}, {"--probability", &a->probability, 0, 1},
		{"--level", &a->level, 0, 1}, {"--rotation", &a->rotation, -360, 360}};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (strcmp(name, texts[i].name) == 0) {
			if (texts[i].to == &a->map && a->map != NULL)
				return cmd_usage(&command_fields, "one MAP at a time (got %s and %s)", a->map, value);
			*texts[i].to = value;
			return 0;
		}
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (strcmp(name, numbers[i].name) == 0)
			return number_arg(name, value, numbers[i].least, numbers[i].most, numbers[i].to);
	return strcmp(name, "--from") == 0 ? word_arg(name, froms, value, &a->from) : word_arg(name, weights, value, &a->weight);
}

static int arguments_read(struct arguments *a, int argc, char **argv)
{
	static const char *const valued[] = {"--map", "--catalog", "--footprint", "--descriptor", "--moc", "--top", "--probability", "--level", "--rotation",
		"--from", "--weight"};
	for (int i = 1; i < argc; i++) {
		size_t v = 0;
		while (v < sizeof valued / sizeof valued[0] && strcmp(argv[i], valued[v]) != 0)
			v++;
		if (v < sizeof valued / sizeof valued[0]) {
			if (i + 1 == argc)
				return cmd_usage(&command_fields, "%s needs a value", argv[i]);
			if (option_value(a, argv[i], argv[i + 1]) != 0)
				return 2;
			i++;
		} else if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "--csv") == 0) {
			int form = argv[i][2] == 'j' ? FORM_JSON : FORM_CSV;
			if (a->form != FORM_TABLE && a->form != form)
				return cmd_usage(&command_fields, "--json or --csv, not both");
			a->form = form;
		} else if (argv[i][0] == '-' && argv[i][1] != '\0') {
			return cmd_usage(&command_fields, "unknown option %s", argv[i]);
		} else if (option_value(a, "--map", argv[i]) != 0) {
			return 2;
		}
	}
	if (a->map == NULL)
		return cmd_usage(&command_fields, "no MAP given");
	if (a->footprint == NULL)
		return cmd_usage(&command_fields, "no --footprint given (sinistro, decam, lsstcam, muscat, facility:instrument, 26.5x26.5, r60)");
	if (a->from < 0)
		a->from = a->catalog ? FIELDS_FROM_BOTH : FIELDS_FROM_SKY;
	if (a->from != FIELDS_FROM_SKY && a->catalog == NULL)
		return cmd_usage(&command_fields, "galaxies need a --catalog (make one with `slew catalog build`)");
	return 0;
}

/* The camera, from the user's descriptor, then from those that come with the program. */
static int footprint_of(const struct arguments *a, struct footprint *out)
{
	json_t *list[DESCRIPTORS];
	const json_t *known[DESCRIPTORS];
	size_t count = 0;
	struct err e = {0};
	if (a->descriptor != NULL && (list[count] = json_read_file(a->descriptor, &json_limits_config, NULL, &e)) == NULL)
		return err_print(&e);
	count += a->descriptor != NULL;
	for (const struct embed *f = embed_table; f->path != NULL && count < DESCRIPTORS; f++)
		if (strncmp(f->path, "facilities/", 11) == 0 && (list[count] = json_loadb(f->start, (size_t)(f->end - f->start), 0, NULL)) != NULL)
			count++;
	for (size_t i = 0; i < count; i++)
		known[i] = list[i];
	int rc = footprint_find(known, count, a->footprint, out, &e);
	for (size_t i = 0; i < count; i++)
		json_decref(list[i]);
	if (rc < 0)
		return err_print(&e);
	footprint_turn(out, a->rotation);
	return 0;
}

/* Everything that is printed. */
struct answer {
	const struct arguments *arguments;
	const struct catalog *catalog; /* NULL: none */
	const struct skymap *map;
	const struct footprint *footprint;
	const struct fields_hosts *hosts;
	const struct fields *fields;
};

static void name_of(const struct answer *a, size_t galaxy, struct catalog_row *row)
{
	catalog_row_at(a->catalog, a->hosts->ranking.list[galaxy].row, row);
}

static int line_json(const struct answer *a, size_t i)
{
	const struct field *f = &a->fields->list[i];
	json_t *names = json_array();
	for (size_t k = 0; k < f->count; k++) {
		struct catalog_row g;
		name_of(a, a->fields->member[f->first + k], &g);
		json_array_append_new(names, json_string(g.name));
	}
	return cmd_print_object(json_pack("{s:I s:o s:o s:s s:o s:o s:o s:o s:o}", "rank", (json_int_t)i + 1, "ra_deg", json_real(f->ra_deg), "dec_deg",
		json_real(f->dec_deg), "kind", fields_kind_name(f->kind), "probability", json_real(f->probability), "cumulative_probability", json_real(f->cumulative),
		"galaxies_probability", json_real(f->galaxies), "sky_probability", json_real(f->sky), "galaxies", names));
}

static void line_csv(const struct answer *a, size_t i)
{
	const struct field *f = &a->fields->list[i];
	printf("%zu,%.8f,%.8f,%s,%.17g,%.17g,%.17g,%.17g,%zu,\"", i + 1, f->ra_deg, f->dec_deg, fields_kind_name(f->kind), f->probability, f->cumulative,
		f->galaxies, f->sky, f->count);
	for (size_t k = 0; k < f->count; k++) {
		struct catalog_row g;
		name_of(a, a->fields->member[f->first + k], &g);
		fputs(k ? ";" : "", stdout);
		for (const char *s = g.name; *s; s++)
			printf(*s == '"' ? "\"\"" : "%c", *s);
	}
	puts("\"");
}

static void line_table(const struct answer *a, size_t i)
{
	const struct field *f = &a->fields->list[i];
	printf("%5zu  %10.5f %+10.5f  %-6s  %7.3f %7.3f  %8zu", i + 1, f->ra_deg, f->dec_deg, fields_kind_name(f->kind), 100 * f->probability,
		100 * f->cumulative, f->count);
	for (size_t k = 0; k < f->count && k < 3; k++) {
		struct catalog_row g;
		name_of(a, a->fields->member[f->first + k], &g);
		printf("%s%s", k ? ", " : "  ", g.name);
	}
	puts(f->count > 3 ? ", …" : "");
}

static void headline(const struct answer *a)
{
	const struct fields *f = a->fields;
	double held = f->count ? f->list[f->count - 1].cumulative : 0;
	printf("%s: %zu fields of %s (%.4g deg² each) hold %.1f %% of the probability", a->map->object[0] ? a->map->object : "map", f->count, a->footprint->name,
		a->footprint->area_deg2, 100 * held);
	if (isfinite(a->hosts->outside))
		printf("; the host is not in the catalogue with %.1f %%", 100 * a->hosts->outside);
	if (a->hosts->galaxies > 0)
		printf("\n%zu galaxies of %lld with a score", a->hosts->galaxies, (long long)a->hosts->ranking.considered);
	printf("\nkind: packed about galaxies, tile of the whole sky's grid, region: all in one\n\n%5s  %10s %10s  %-6s  %7s %7s  %8s  %s\n", "rank",
		"RA [deg]", "Dec [deg]", "kind", "prob. %", "cum. %", "galaxies", "names");
}

static int print_all(const struct answer *a)
{
	if (a->arguments->form == FORM_TABLE)
		headline(a);
	else if (a->arguments->form == FORM_CSV)
		puts("rank,ra_deg,dec_deg,kind,probability,cumulative_probability,galaxies_probability,sky_probability,galaxies,names");
	for (size_t i = 0; i < a->fields->count; i++) {
		if (a->arguments->form == FORM_TABLE)
			line_table(a, i);
		else if (a->arguments->form == FORM_CSV)
			line_csv(a, i);
		else if (line_json(a, i) != 0)
			return 1;
	}
	return 0;
}

static int coverage_write(const struct answer *a)
{
	struct moc m = {0};
	struct err e = {0};
	int rc = 0, order = fields_coverage_order(a->footprint);
	for (size_t i = 0; rc == 0 && i < a->fields->count; i++) {
		struct footprint_at at;
		footprint_point_at(a->footprint, a->fields->list[i].ra_deg, a->fields->list[i].dec_deg, &at);
		rc = footprint_moc(&at, order, &m, &e);
	}
	moc_finish(&m);
	rc = rc < 0 ? err_print(&e) : cmd_write_moc(a->arguments->moc, &m, a->map->object);
	moc_free(&m);
	return rc;
}

static int fields_make(const struct arguments *a, const struct footprint *f, const struct catalog *c, const struct skymap *m)
{
	struct fields_hosts hosts;
	struct fields chosen;
	struct err e = {0};
	if (fields_hosts_make(m, c, (enum fields_from)a->from, (enum weight_kind)a->weight, LIMIT_RANKED, &hosts, &e) < 0)
		return err_print(&e);
	const struct fields_task t = {.footprint = f, .galaxy = hosts.galaxy, .galaxies = hosts.galaxies, .map = m, .missing = hosts.missing, .top = (size_t)a->top,
		.probability = a->probability, .level = a->level};
	int rc = fields_choose(&t, &chosen, &e) < 0 ? err_print(&e) : 0;
	if (rc == 0) {
		const struct answer answer = {a, c, m, f, &hosts, &chosen};
		rc = print_all(&answer);
		if (rc == 0 && a->moc != NULL)
			rc = coverage_write(&answer);
		fields_free(&chosen);
	}
	fields_hosts_free(&hosts);
	return rc;
}

static int fields_run(int argc, char **argv)
{
	struct arguments a = {.from = -1, .weight = WEIGHT_LUMINOSITY, .top = 20, .probability = NAN, .level = 0.9};
	struct footprint f;
	struct catalog c;
	struct skymap m;
	struct err e = {0};
	int rc = arguments_read(&a, argc, argv);
	if (rc == 0)
		rc = footprint_of(&a, &f);
	if (rc != 0)
		return rc;
	if (a.from != FIELDS_FROM_SKY && catalog_open(a.catalog, &c, &e) < 0)
		return err_print(&e);
	rc = cmd_read_map(a.map, &m);
	if (rc == 0) {
		rc = fields_make(&a, &f, a.from != FIELDS_FROM_SKY ? &c : NULL, &m);
		skymap_free(&m);
	}
	if (a.from != FIELDS_FROM_SKY)
		catalog_close(&c);
	return rc;
}

const struct command command_fields = {
	.name = "fields",
	.args = "--footprint F [--catalog C] [--top N] [--probability P] [--moc OUT] [--json|--csv] MAP",
	.summary = "pointings of a camera: galaxies packed into its frames, the map tiled",
	.help =
		"MAP is a sky map or an alert that carries one (--map MAP is the same); C is made by `slew catalog build`.\n"
		"What a field is worth is the probability that it adds: of the galaxies that it holds and of the sky on its chips where the\n"
		"catalogue lacks the host, each once. A galaxy is held when 50 kpc about it lie within the camera's outline and its centre on a\n"
		"chip (never more than 0.9 of the way from the frame's centre to its edge; 1 arcmin where the distance is unknown).\n"
		"\n"
		"  --footprint F      sinistro, decam, lsstcam, muscat: cameras that are known; FACILITY:INSTRUMENT of a descriptor; 26.5x26.5: width and\n"
		"                     height in arcmin; r60: a circle\n"
		"  --descriptor FILE  a facility of your own (schemas/facility.schema.json)\n"
		"  --rotation DEG     position angle of the camera, from north through east (0)\n"
		"  --from WHAT        galaxies; fields: the map alone, its 2-D probability; both: galaxies and what the catalogue lacks. Default:\n"
		"                     both with a catalogue, fields without\n"
		"  --weight W         of a galaxy: none, luminosity (the default), mass\n"
		"  --top N            at most so many fields (20)\n"
		"  --probability P    stop when so much is held\n"
		"  --level P          one centred field if it holds so much of the map (0.9; 0: never)\n"
		"  --moc OUT          writes what the fields cover, without the gaps between chips, as IVOA MOC 2.0: FITS, or by its name .json or .txt\n"
		"  --json, --csv      one object or line a field: rank ra_deg dec_deg kind probability cumulative_probability\n"
		"                     galaxies_probability sky_probability galaxies\n"
		"\n"
		"The 1000 best galaxies are packed. With --from both the others stay on the sky, each in its cell of the map; with --from galaxies\n"
		"they count nowhere. Where the map is 2-D nothing says how much the catalogue lacks: with --from both galaxies and sky then count\n"
		"one half each.\n"
		"\n"
		"  slew fields --footprint decam --probability 0.7 bayestar.multiorder.fits\n"
		"  slew fields --footprint sinistro --catalog glade.fits --top 40 --moc seen.fits alert.json\n",
	.run = fields_run,
};
