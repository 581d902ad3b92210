/* `slew decode`: any alert, as one normal JSON object. */
#include "engine/alert/alert.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/cmd/cmd.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int decode_run(int argc, char **argv)
{
	bool compact = false;
	const char *path = NULL, *stream = NULL;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--compact") == 0)
			compact = true;
		else if (strcmp(argv[i], "--stream") == 0 && i + 1 < argc)
			stream = argv[++i];
		else if (argv[i][0] == '-' && argv[i][1] != '\0')
			return cmd_usage(&command_decode, "unknown option \"%s\"", argv[i]);
		else if (path != NULL)
			return cmd_usage(&command_decode, "one FILE at a time, not also \"%s\"", argv[i]);
		else
			path = argv[i];
	}
	if (path == NULL)
		return cmd_usage(&command_decode, "no FILE is given");
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
	json_t *normal = alert_json(&a, stream);
	char *text = compact ? json_canonical(normal) : json_pretty(normal);
	struct text shown = {.max = LIMIT_TEXT};
	text_json(&shown, text != NULL ? text : "");
	if (text == NULL || shown.failed)
		rc = err_print(&(struct err){ERR_LIMIT, "decode: the alert as JSON is longer than the limit"});
	else
		rc = puts(shown.data) < 0; /* main says what became of standard output */
	text_free(&shown);
	free(text);
	json_decref(normal);
	alert_free(&a);
	return rc;
}

const struct command command_decode = {
	"decode", "[--compact] [--stream TOPIC] FILE|-", "any alert, as one normal JSON object",
	"Reads one alert as it came over the wire (LVK igwn.gwalert as JSON or Avro, with or\n"
	"without its embedded sky map) and prints what slew understands of it, in one form for all senders:\n\n"
	"  event, type, revision_key   which event, which revision (time created, rank of type, digest)\n"
	"  time_utc, created_utc       time of the merger; when the alert was made\n"
	"  is_test                     every sign that this is a test: id prefix, search MDC, topic …\n"
	"  far_hz, significant         false-alarm rate as sent; the sender's own decision\n"
	"  classification, properties  probabilities by name (BNS, NSBH …; HasNS, HasRemnant …)\n"
	"  map                         digest and size of the sky map in the alert (combined, if there is one)\n"
	"  external                    joint detection (GRB, neutrino …), null if none\n"
	"  refs                        links as sent, and notes on what could not be understood\n\n"
	"Unknown values are null. What the sky map says: `slew area FILE`.\n\n"
	"  --compact        one line\n"
	"  --stream TOPIC   where it was heard; a topic for tests is one more sign of a test\n\n"
	"Exit code 1: the bytes are no alert that slew reads; the message says what they look like.\n",
	decode_run};
