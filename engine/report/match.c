/* Names as people type them (match.h). */
#include "engine/report/match.h"
#include "engine/base/limits.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include <string.h>

#define EVENT_NAMED " FROM event WHERE " MATCH_FOLD("name") " = ?1 OR issuer || ':' || " MATCH_FOLD("name") " = ?1"

char *match_fold(char *out, size_t size, const char *name)
{
	size_t n = 0;
	for (; *name != '\0' && n + 1 < size; name++)
		if (*name != ' ')
			out[n++] = (char)(*name >= 'A' && *name <= 'Z' ? *name - 'A' + 'a' : *name);
	out[n] = '\0';
	return out;
}

/* The error of an unknown event: what was heard last, so that a typing mistake is seen. */
static int unknown_event(sqlite3 *ro, const char *name, struct err *e)
{
	char known[300] = "", shown[80];
	text_escape(shown, sizeof shown, name, strnlen(name, LIMIT_EVENT_ID));
	if (query_text(ro, known, sizeof known, e,
	               "SELECT group_concat(name, ', ') FROM (SELECT name FROM event ORDER BY changed_seq DESC, id DESC LIMIT 5)", "") < 0)
		return -1;
	if (known[0] == '\0')
		return err_set(e, ERR_INPUT, "event \"%s\": no event was heard yet", shown);
	return err_set(e, ERR_INPUT, "event \"%s\": is not known; heard last: %s (slew ctl events lists them)", shown, known);
}

int match_event(sqlite3 *ro, const char *name, int64_t *id, struct err *e)
{
	char folded[LIMIT_EVENT_ID + 32];
	int64_t count = 0;
	match_fold(folded, sizeof folded, name);
	if (query_int(ro, &count, e, "SELECT count(*)" EVENT_NAMED, "t", folded) < 0)
		return -1;
	if (count == 0)
		return unknown_event(ro, name, e);
	if (count > 1)
		return err_set(e, ERR_INPUT, "event \"%s\": several issuers have one of this name; write issuer:name (slew ctl events shows them)", folded);
	return query_int(ro, id, e, "SELECT id" EVENT_NAMED, "t", folded) < 0 ? -1 : 0;
}

int match_target(sqlite3 *ro, int64_t event, const char *name, int64_t *id, struct err *e)
{
	char folded[LIMIT_EVENT_ID + 32];
	*id = 0;
	return query_int(ro, id, e,
	                 "SELECT id FROM target WHERE event = ?1 AND (" MATCH_FOLD("name") " = ?2 OR " MATCH_FOLD("key") " = ?2"
	                 " OR substr(" MATCH_FOLD("name") ", -1 - length(?2)) = ':' || ?2"
	                 " OR instr(key, '|') > 0 AND (" MATCH_FOLD("substr(key, 1, instr(key, '|') - 1)") " = ?2"
	                 "  OR " MATCH_FOLD("substr(key, instr(key, '|') + 1)") " = ?2)) ORDER BY rank IS NULL, rank, id LIMIT 1",
	                 "it", event, match_fold(folded, sizeof folded, name)) < 0 ? -1 : 0;
}
