/* Which column of a stranger's table is what: usual names of the field's catalogues (GLADE, GLADE+, NED-LVS, 50MGC, VizieR), and units. */
#include "engine/target/catalog_build.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
} fields[FIELD_COUNT] = {
#define X(name, meaning) {#name},
	CATALOG_FIELDS(X)
#undef X
};

/* Best first. Compared without case and without anything but letters, digits and '*'; a name that begins with '=' is compared exactly
 * (50MGC's BMag is absolute, everyone else's Bmag is apparent); "#" is a first column without a name (a pandas index). */
static const char *const usual[FIELD_COUNT][24] = {
	[FIELD_id] = {"id", "gid", "galaxyid", "gladeno", "objid", "gladeid", "pgc", "pgcno", "objectid", "recno", "#"},
	[FIELD_name] = {"name", "objname", "galaxyname", "galaxy", "galname", "object", "gwgcname", "gwgc", "hyperledaname", "hyperleda",
		"2massname", "2mass", "wisexscosname", "wisexsc", "sdssdr16qname", "pgcname"},
	[FIELD_ra] = {"radeg", "raj2000", "ra", "rajd", "raj2000deg", "alphaj2000", "raicrs", "rightascension", "alpha"},
	[FIELD_dec] = {"decdeg", "dej2000", "decj2000", "dec", "dedeg", "dej2000deg", "deltaj2000", "deicrs", "decicrs", "declination",
		"decl", "delta", "de"},
	[FIELD_dist] = {"distmpc", "distancempc", "dl", "dlmpc", "luminositydistance", "lumdist", "distlum", "bestdist", "dist", "distance",
		"distkpc", "distancekpc"},
	[FIELD_dist_err] = {"disterrmpc", "distmpcerr", "distmpcunc", "dlerr", "dlerror", "edl", "bestdisterror", "disterr", "disterror", "edist",
		"distanceerr", "distanceerror", "distanceerrmpc", "edistance", "distunc"},
	[FIELD_z] = {"redshift", "zcmb", "z", "zhelio", "zbest", "zsp", "zspec", "zphot"},
	[FIELD_z_err] = {"zerr", "redshifterr", "zerror", "zunc", "ez", "redshifterror"},
	[FIELD_kind] = {"distflag", "distkind", "distancekind", "distmpcmethod", "bestdistmethod", "distmethod", "fdist", "fdl"},
	[FIELD_b_mag] = {"bmag", "magb", "bt", "btmag", "btot", "b", "bmagapp", "bapp", "mb"},
	[FIELD_b_abs] = {"=BMag", "babs", "bmagabs", "absbmag", "absmagb", "mabsb", "babsmag"},
	[FIELD_log_mass] = {"logmstar", "logmass", "logm*", "lgmstar", "logms", "logstellarmass", "logmstellar"},
	[FIELD_mass] = {"m*", "mstar", "stellarmass", "massstar"},
	[FIELD_z_kind] = {"ztech"},
};

static bool name_is(const char *wanted, const char *name, int column)
{
	char plain[64];
	if (wanted[0] == '=')
		return strcmp(wanted + 1, name) == 0;
	if (wanted[0] == '#')
		return column == 0 && name[0] == '\0';
	catalog_name_plain(plain, name);
	return strcmp(wanted, plain) == 0;
}

/* "kpc", "pc", "km/s", "h", "rad", "arcsec" from the unit, or from the end of the column's name. */
static double scale_of(enum catalog_field f, const char *name, const char *unit, bool *hours, bool *velocity)
{
	char n[64];
	catalog_name_plain(n, name);
	size_t len = strlen(n);
	const char *u = unit ? unit : "";
	bool kpc = strstr(u, "kpc") != NULL || (len > 3 && strcmp(n + len - 3, "kpc") == 0);
	if (f == FIELD_dist || f == FIELD_dist_err)
		return kpc ? 1e-3 : strcasecmp(u, "pc") == 0 ? 1e-6 : strcasecmp(u, "gpc") == 0 ? 1e3 : 1;
	if (f == FIELD_ra || f == FIELD_dec) {
		*hours = f == FIELD_ra && (strcasecmp(u, "h") == 0 || strncasecmp(u, "hour", 4) == 0 || (len > 4 && strcmp(n + len - 4, "hour") == 0));
		return strncasecmp(u, "rad", 3) == 0 || (len > 3 && strcmp(n + len - 3, "rad") == 0) ? 180 / M_PI : 1;
	}
	if (f == FIELD_z || f == FIELD_z_err) {
		*velocity = strstr(u, "km") != NULL || strcmp(n, "vh") == 0 || strcmp(n, "v") == 0 || strcmp(n, "ev") == 0 || strcmp(n, "radvel") == 0;
		return *velocity ? 1 / 299792.458 : 1;
	}
	return 1;
}

/* What the name of a column says of the frame of its redshifts. */
static enum catalog_frame frame_of(const char *name)
{
	char n[64];
	catalog_name_plain(n, name);
	if (strcmp(n, "zcmb") == 0 || strcmp(n, "vcmb") == 0)
		return CATALOG_FRAME_CMB;
	return strcmp(n, "zhelio") == 0 || strcmp(n, "vhelio") == 0 || strcmp(n, "vh") == 0 ? CATALOG_FRAME_HELIO : CATALOG_FRAME_NONE;
}

static void candidate_add(struct catalog_columns *c, enum catalog_field f, const char *name, const char *unit, int column)
{
	if (c->count[f] >= CATALOG_CANDIDATES)
		return;
	int k = c->count[f]++;
	c->of[f][k].column = column;
	c->of[f][k].scale = scale_of(f, name, unit, &c->of[f][k].hours, &c->of[f][k].velocity);
	c->of[f][k].frame = frame_of(name);
	if (c->of[f][k].frame == CATALOG_FRAME_NONE && c->format != NULL)
		c->of[f][k].frame = c->format->frame;
	text_copy(c->of[f][k].name, sizeof c->of[f][k].name, name[0] ? name : "(first)");
}

static void names_list(const char *const *names, int n, char *out, size_t size)
{
	out[0] = '\0';
	for (int i = 0; i < n; i++) {
		size_t used = strlen(out);
		if (used + 24 > size) {
			text_copy(out + used, size - used, " …");
			return;
		}
		used += text_escape(out + used, size - used > 24 ? 24 : size - used, names[i], strlen(names[i]));
		text_copy(out + used, size - used, i + 1 < n ? " " : "");
	}
}

/* Names and units (NULL: none) of a table's columns. */
struct titles {
	const char *const *names, *const *units;
	int n;
};

/* One "field=column" of --map. 1: taken, 0: for no field of this file's, -1 error. */
static int map_take(const char *map, const struct titles *t, struct catalog_columns *c, struct err *e)
{
	const char *eq = strchr(map, '=');
	char list[400];
	int f = 0;
	while (eq != NULL && f < FIELD_COUNT && (strlen(fields[f].name) != (size_t)(eq - map) || strncmp(fields[f].name, map, (size_t)(eq - map)) != 0))
		f++;
	if (eq == NULL || f == FIELD_COUNT)
		return err_set(e, ERR_USAGE, "--map %s: write field=column; fields are id name ra dec dist dist_err z z_err kind b_mag b_abs "
			"log_mass mass z_kind z_flow v_err type quality", map);
	c->count[f] = 0;
	c->ours = c->ours && f != FIELD_kind;
	if (eq[1] == '\0')
		return 1; /* "b_mag=": this field is not to be read */
	for (int i = 0; i < t->n; i++)
		if (strcmp(t->names[i], eq + 1) == 0) {
			candidate_add(c, (enum catalog_field)f, t->names[i], t->units ? t->units[i] : NULL, i);
			return 1;
		}
	names_list(t->names, t->n, list, sizeof list);
	return err_set(e, ERR_INPUT, "--map %s: there is no column \"%s\"; columns: %s", map, eq + 1, list);
}

static void columns_told(struct catalog_builder *b, const struct catalog_columns *c)
{
	struct catalog_source *s = &b->source[b->sources - 1];
	for (int f = 0; f < FIELD_COUNT; f++)
		for (int k = 0; k < c->count[f]; k++) {
			size_t used = strlen(s->columns);
			char name[72];
			text_escape(name, sizeof name, c->of[f][k].name, strlen(c->of[f][k].name));
			if (used + strlen(name) + strlen(fields[f].name) + 4 < sizeof s->columns)
				snprintf(s->columns + used, sizeof s->columns - used, "%s%s<-%s", used ? " " : "", fields[f].name, name);
		}
	text_printf(&b->report, "%s: columns %s\n", s->name, s->columns);
}

/* By the usual names of the field's catalogues. */
static void usual_take(const struct titles *t, struct catalog_columns *c)
{
	for (int f = 0; f < FIELD_COUNT; f++)
		for (int k = 0; k < 24 && usual[f][k] != NULL; k++)
			for (int i = 0; i < t->n; i++)
				if (name_is(usual[f][k], t->names[i], i) && !(f == FIELD_b_mag && strcmp(t->names[i], "BMag") == 0))
					candidate_add(c, (enum catalog_field)f, t->names[i], t->units ? t->units[i] : NULL, i);
	int flags = -1, ipix = -1;
	for (int i = 0; i < t->n; i++) {
		flags = strcmp(t->names[i], "FLAGS") == 0 ? i : flags;
		ipix = strcmp(t->names[i], "IPIX29") == 0 ? i : ipix;
	}
	c->ours = flags >= 0 && ipix >= 0 && c->count[FIELD_kind] == 0;
	if (c->ours)
		candidate_add(c, FIELD_kind, t->names[flags], NULL, flags);
}

/* The columns of one field in a format: "Column,Column". */
static void format_field(const struct titles *t, struct catalog_columns *c, int f, const char *list, size_t len)
{
	char word[64], wanted[64];
	for (const char *end = list + len; list < end;) {
		size_t n = strcspn(list, ",;");
		snprintf(word, sizeof word, "%.*s", (int)n, list);
		catalog_name_plain(wanted, word);
		for (int i = 0; i < t->n; i++)
			if (name_is(wanted, t->names[i], i))
				candidate_add(c, (enum catalog_field)f, t->names[i], t->units ? t->units[i] : NULL, i);
		list += n + 1;
	}
}

static void format_take(const struct titles *t, struct catalog_columns *c)
{
	for (const char *s = c->format->columns; *s;) {
		size_t name = strcspn(s, "="), all = strcspn(s, ";");
		for (int f = 0; f < FIELD_COUNT; f++)
			if (strlen(fields[f].name) == name && strncmp(fields[f].name, s, name) == 0)
				format_field(t, c, f, s + name + 1, all - name - 1);
		s += all + (s[all] == ';');
	}
}

/* Which format the table is read as; a forced one must fit. */
static int format_find(const struct catalog_builder *b, const struct titles *t, struct catalog_columns *c, struct err *e)
{
	char list[400];
	const struct catalog_format *seen = catalog_format_by_names(t->names, t->n);
	c->format = b->format != NULL ? b->format : b->generic ? NULL : seen;
	if (c->format == NULL || c->format == seen)
		return 0;
	names_list(t->names, t->n, list, sizeof list);
	return err_set(e, ERR_INPUT, "--format %s: the table has not the columns %s; %s%s%scolumns: %s", c->format->name, c->format->marks,
		seen ? "it looks like " : "", seen ? seen->name : "", seen ? "; " : "", list);
}

int catalog_columns_find(struct catalog_builder *b, const char *const *names, const char *const *units, int n,
	struct catalog_columns *c, struct err *e)
{
	const struct titles titles = {names, units, n};
	char list[400];
	*c = (struct catalog_columns){.photo_below_mpc = b->photo_below_mpc};
	if (format_find(b, &titles, c, e) < 0)
		return -1;
	if (c->format != NULL)
		format_take(&titles, c);
	else
		usual_take(&titles, c);
	for (int i = 0; b->map != NULL && b->map[i] != NULL; i++)
		if (map_take(b->map[i], &titles, c, e) < 0)
			return -1;
	if (c->count[FIELD_ra] == 0 || c->count[FIELD_dec] == 0) {
		names_list(names, n, list, sizeof list);
		return err_set(e, ERR_INPUT, "no column for %s is found; name it with --map %s=COLUMN; columns: %s",
			c->count[FIELD_ra] == 0 ? "right ascension" : "declination", c->count[FIELD_ra] == 0 ? "ra" : "dec", list);
	}
	columns_told(b, c);
	text_copy(b->source[b->sources - 1].format, sizeof b->source[0].format, c->ours ? "slew" : c->format ? c->format->name : "by names");
	if (c->count[FIELD_dist] == 0 && c->count[FIELD_z] == 0)
		text_printf(&b->report, "%s: no distance and no redshift is found (--map dist=COLUMN); its galaxies count for 2-D maps only\n",
			b->source[b->sources - 1].name);
	return 0;
}
