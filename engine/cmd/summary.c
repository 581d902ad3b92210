/* slew summary FILE: an alert as a chat channel wants it. */
#include "engine/report/summary.h"
#include "engine/base/json.h"
#include "engine/cmd/cmd.h"
#include "engine/io/mapchild.h"
#include "engine/target/region.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the map says; a map that cannot be read costs its two lines, and is told. */
static void map_of(const struct alert *a, const char *path, struct summary_map *out)
{
	struct skymap m;
	struct region r;
	struct err e = {0};
	*out = (struct summary_map){NAN, NAN, NAN};
	if (a->map == NULL) {
		if (a->map_error[0] != '\0')
			fprintf(stderr, "slew: %s: no distance: the sky map: %s\n", path, a->map_error);
		return;
	}
	if (mapchild_read(a->map, a->map_len, &m, &e) < 0) {
		fprintf(stderr, "slew: %s: no distance: the sky map: %s\n", path, e.text);
		return;
	}
	if (region_of(&m, &r, &e) < 0)
		fprintf(stderr, "slew: %s: no distance: the sky map: %s\n", path, e.text);
	else
		*out = (struct summary_map){r.distmean_mpc, r.diststd_mpc, r.area90_deg2};
	skymap_free(&m);
}

/* As Slack's chat.postMessage wants it: one section of mrkdwn; `text` is what a notification shows. */
static int print_json(const struct alert *a, const struct text *words)
{
	json_t *section = json_pack("{s:s,s:{s:s,s:s}}", "type", "section", "text", "type", "mrkdwn", "text", words->data);
	json_t *out = json_pack("{s:o,s:s,s:[o]}", "channels", summary_channels(a), "text", a->event, "blocks", section);
	char *line = json_canonical(out);
	struct text shown = {.max = LIMIT_TEXT};
	text_json(&shown, line != NULL ? line : "");
	int rc = line == NULL || shown.failed || puts(shown.data) < 0;
	text_free(&shown);
	free(line);
	json_decref(out);
	return rc;
}

static int summary_print(const struct alert *a, const char *path, bool more, bool json)
{
	struct summary_map map;
	struct text words = {.max = LIMIT_TEXT};
	map_of(a, path, &map);
	summary_text(&words, a, &map);
	if (more) {
		text_puts(&words, "\n");
		summary_more(&words, a, &map);
	}
	int rc = words.failed ? err_print(&(struct err){ERR_LIMIT, "summary: the text is longer than the limit"})
		: json ? print_json(a, &words) : fputs(words.data, stdout) < 0;
	text_free(&words);
	return rc;
}

static int summary_run(int argc, char **argv)
{
	bool more = false, json = false;
	const char *path = NULL, *stream = NULL;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--more") == 0)
			more = true;
		else if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (strcmp(argv[i], "--stream") == 0 && i + 1 < argc)
			stream = argv[++i];
		else if (argv[i][0] == '-' && argv[i][1] != '\0')
			return cmd_usage(&command_summary, "unknown option \"%s\"", argv[i]);
		else if (path != NULL)
			return cmd_usage(&command_summary, "one FILE at a time, not also \"%s\"", argv[i]);
		else
			path = argv[i];
	}
	if (path == NULL)
		return cmd_usage(&command_summary, "no FILE is given");
	unsigned char *bytes = NULL;
	unsigned long len = 0;
	int rc = cmd_read_file(path, LIMIT_ALERT_BYTES, &bytes, &len);
	if (rc != 0)
		return rc;
	struct alert a = {0};
	struct err e = {0};
	rc = alert_decode(bytes, len, stream, &a, &e);
	free(bytes);
	if (rc < 0) {
		err_wrap(&e, "%s", path);
		return err_print(&e);
	}
	rc = summary_print(&a, path, more, json);
	alert_free(&a);
	return rc;
}

const struct command command_summary = {
	"summary", "[--more] [--json] [--stream TOPIC] FILE|-", "an LVK alert in the few lines that a chat channel wants",
	"FILE is an alert as it came over the wire; - reads standard input. Prints the text of the SCiMMA alert bot, field by field:\n"
	"type and event, times (UTC), false alarms a year (FAR [Hz] × 31557600 s), detectors; for a compact binary the classes and\n"
	"properties, the luminosity distance of the sky map (of its header, else its moments; of the joint map, if there is one); then\n"
	"the event's channel and links (Slack's form). A retraction is one sentence. Where the alert has no such field it says\n"
	"unknown: the bot falls silent there. Dates are written anew: event times to the millisecond.\n\n"
	"  --more           and what a person asks next: significance, other classes, 90 % area, delay, joint detection, tests\n"
	"  --json           one object for chat.postMessage: blocks (one section of mrkdwn), text, and the channels it belongs to:\n"
	"                   #bot-alerts and the event's own; #bot-alerts-good when significant, of two detectors, and a burst or\n"
	"                   P(NSBH) or P(BNS) > 0.3 or HasRemnant > 0.1; a retraction goes to the event's own; a test to none\n"
	"  --stream TOPIC   where it was heard; a topic for tests is one more sign of a test\n\n"
	"Nothing is sent. Exit code 1: no alert that slew reads. A map that cannot be read costs the distance, and is told.\n\n"
	"  slew summary alert.json\n"
	"  slew summary --json alert.json | jq '.channels'\n",
	summary_run};
