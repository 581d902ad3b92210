/* Lists of targets and of sites that a command line names: see targets.h. */
#include "engine/cmd/targets.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include "engine/cmd/cmd.h"
#include "engine/cmd/place.h"
#include "engine/report/altitude.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fields of a CSV line, in place: empty ones count, a comma between quotes is text, two quotes in them are one. */
static int csv_split(char *line, char *field[], int max)
{
	int n = 0;
	for (char *p = line; n < max && p != NULL; n++) {
		char *out = p;
		field[n] = p;
		bool quoted = *p == '"';
		for (p += quoted; *p != '\0' && (quoted || *p != ','); p++) {
			if (quoted && *p == '"' && p[1] != '"') {
				quoted = false;
				continue;
			}
			p += quoted && *p == '"';
			*out++ = *p;
		}
		char *next = *p == ',' ? p + 1 : NULL;
		*out = '\0';
		p = next;
	}
	return n;
}

/* One line of `slew rank`: JSON, or CSV with its columns' places. 0 read, 1 skip, -1 wrong. */
static int line_read(char *line, size_t number, int columns[3], struct place *out, struct err *e)
{
	if (line[0] == '\0' || line[0] == '#')
		return 1;
	if (line[0] == '{') {
		json_t *j = json_read(line, strlen(line), &json_limits_alert, e);
		double ra = json_number(j, "ra_deg", NAN), dec = json_number(j, "dec_deg", NAN);
		text_copy(out->name, sizeof out->name, json_text(j, "name", "?"));
		out->ra_deg = ra;
		out->dec_deg = dec;
		json_decref(j);
		if (j == NULL)
			return err_wrap(e, "line %zu", number);
	} else {
		char *field[64];
		int n = csv_split(line, field, 64), head = columns[1] < 0;
		for (int i = 0; head && i < n; i++) {
			static const char *const heads[] = {"name", "ra_deg", "dec_deg"};
			for (int k = 0; k < 3; k++)
				if (strcmp(field[i], heads[k]) == 0)
					columns[k] = i;
		}
		if (columns[1] < 0 || columns[2] < 0)
			return err_set(e, ERR_INPUT, "line %zu: neither JSON nor a CSV heading with ra_deg and dec_deg; give the output of slew rank --json or --csv",
				number);
		if (head)
			return 1;
		if (columns[1] >= n || columns[2] >= n)
			return err_set(e, ERR_INPUT, "line %zu: has only %d columns", number, n);
		snprintf(out->name, sizeof out->name, "%.63s", columns[0] >= 0 && columns[0] < n ? field[columns[0]] : "?");
		if (place_angle(field[columns[1]], false, &out->ra_deg, e) < 0 || place_angle(field[columns[2]], false, &out->dec_deg, e) < 0)
			return err_wrap(e, "line %zu", number);
	}
	if (!(out->ra_deg >= 0 && out->ra_deg <= 360) || !(fabs(out->dec_deg) <= 90))
		return err_set(e, ERR_INPUT, "line %zu: ra_deg must be 0 to 360 and dec_deg within ±90", number);
	return 0;
}

int cmd_targets_read(const char *path, struct place **out, size_t *count)
{
	unsigned char *bytes = NULL;
	unsigned long len = 0;
	struct err e = {0};
	int columns[3] = {-1, -1, -1}, rc = cmd_read_file(path, LIMIT_ALERT_BYTES, &bytes, &len);
	if (rc != 0)
		return rc;
	char *text = realloc(bytes, len + 1), *rest = text, *line;
	struct place *list = calloc(LIMIT_RANKED, sizeof *list);
	if (text != NULL)
		text[len] = '\0';
	else
		free(bytes);
	for (size_t number = 1; text != NULL && list != NULL && rc >= 0 && (line = strsep(&rest, "\n")) != NULL; number++) {
		line[strcspn(line, "\r")] = '\0';
		if (*count == LIMIT_RANKED) {
			fprintf(stderr, "slew: only the first %d targets are shown\n", LIMIT_RANKED);
			break;
		}
		rc = line_read(line, number, columns, &list[*count], &e);
		*count += rc == 0;
	}
	free(text);
	if (rc >= 0 && *count == 0)
		rc = err_set(&e, ERR_INPUT, "no target in it; give the output of slew rank --json or --csv");
	if (rc < 0) {
		free(list);
		err_wrap(&e, "%s", path);
		return err_print(&e);
	}
	*out = list;
	return 0;
}

int cmd_sites_read(const char *facility, const char *site, struct visibility_site *sites, size_t *count)
{
	struct err e = {0};
	json_t *d = place_descriptor(facility, &e);
	int rc = d ? visibility_sites(d, sites, VISIBILITY_SITES, count, &e) : -1;
	json_decref(d);
	if (rc < 0) {
		err_wrap(&e, "facility %s", facility);
		return err_print(&e);
	}
	if (site == NULL)
		return 0;
	for (size_t i = 0; i < *count; i++)
		if (strcmp(sites[i].code, site) == 0) {
			sites[0] = sites[i];
			*count = 1;
			return 0;
		}
	fprintf(stderr, "slew: facility %s has no site \"%.20s\"; it has", facility, site);
	for (size_t i = 0; i < *count; i++)
		fprintf(stderr, " %s", sites[i].code);
	fputc('\n', stderr);
	return 1;
}

void cmd_altitudes(const struct visibility_night *n, const struct place *list, size_t count, int64_t start_us, int64_t end_us,
	const struct visibility_limits *limits, const char *title, struct text *out)
{
	struct altitude_target targets[SVG_COLOURS];
	for (size_t i = 0; i < count && i < SVG_COLOURS; i++)
		targets[i] = (struct altitude_target){list[i].name, list[i].ra_deg, list[i].dec_deg};
	altitude_picture(&(struct altitude_chart){n, start_us, end_us, limits, targets, count}, title ? title : "altitudes", title != NULL, title ? 2 : 1,
		out);
}
