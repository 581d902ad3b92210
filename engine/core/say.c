/* Words for people: alarms, messages, verdicts. */
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/core/turn.h"
#include <stdlib.h>
#include <string.h>

/* A stranger's words go out as printable text. */
static void words(char *out, size_t size, const char *format, va_list ap)
{
	char raw[2048];
	vsnprintf(raw, sizeof raw, format, ap);
	text_escape(out, size, raw, strlen(raw));
}

void alarm_raise(struct core *c, const char *subject, const char *what, const char *format, ...)
{
	static const char again[] = "UPDATE alarm SET times=times+1,detail=? WHERE subject=? AND what=? AND cleared_seq IS NULL";
	static const char insert[] = "INSERT INTO alarm(seq,utc_us,subject,what,detail) VALUES(?,?,?,?,?)";
	static const char open[] = "SELECT 1 FROM alarm WHERE subject=? AND what=? AND cleared_seq IS NULL";
	char detail[2048];
	va_list ap;
	va_start(ap, format);
	words(detail, sizeof detail, format, ap);
	va_end(ap);
	if (get_int(c, 0, open, "tt", subject, what)) {
		put(c, again, "ttt", detail, subject, what);
		return;
	}
	put(c, insert, "iittt", c->seq, c->utc_us, subject, what, detail);
	json_t *a = json_pack("{s:s,s:s,s:s,s:I}", "subject", subject, "what", what, "detail", detail, "utc_us", (json_int_t)c->utc_us);
	if (a != NULL)
		json_array_append_new(c->alarms, a);
}

void alarm_clear(struct core *c, const char *subject, const char *what)
{
	put(c, "UPDATE alarm SET cleared_seq=? WHERE subject=? AND what=? AND cleared_seq IS NULL", "itt", c->seq, subject, what);
}

void say(struct core *c, int64_t event, const char *kind, const char *format, ...)
{
	static const char name_of[] = "SELECT name FROM event WHERE id=?";
	/* one input may say several things of a kind: of two policies, of two galaxies */
	static const char insert[] = "INSERT INTO message_out(seq,event,sink,kind,body,state) VALUES(?,?,'log',?,?,'waiting') ON CONFLICT DO UPDATE SET "
				     "body=body||'; '||excluded.body WHERE instr(body,excluded.body)=0";
	static const char id_of[] = "SELECT id FROM message_out WHERE sink='log' AND kind=? AND event=? AND seq=?";
	static const char effect[] = "INSERT INTO effect(seq,kind,state,once,event,body) VALUES(?,'message','waiting',0,?,?)";
	char text[2048], name[LIMIT_EVENT_ID + 1];
	va_list ap;
	va_start(ap, format);
	words(text, sizeof text, format, ap);
	va_end(ap);
	get_text(c, name, sizeof name, name_of, "i", event);
	put(c, insert, "iitt", c->seq, event, kind, text);
	if (failed(c) || sqlite3_changes(c->db) == 0)
		return;
	json_t *body = json_pack("{s:s,s:s,s:s,s:I}", "kind", kind, "event", name, "text", text, "message",
				 (json_int_t)get_int(c, last_id(c), id_of, "tii", kind, event, c->seq));
	char *s = json_compact(body);
	put(c, effect, "iit", c->seq, event, s);
	free(s);
	json_decref(body);
}

void verdict_put(struct core *c, int64_t event, const char *policy, int64_t target, const char *code, const char *facility, const char *detail)
{
	static const char upsert[] =
		"INSERT INTO verdict(event,policy,target,facility,code,detail,seq) VALUES(?,?,?,?,?,?,?) "
		"ON CONFLICT(event,policy,ifnull(target,0)) DO UPDATE SET facility=excluded.facility,code=excluded.code,"
		"detail=excluded.detail,seq=excluded.seq WHERE code<>excluded.code OR detail<>excluded.detail";
	put(c, upsert, "itnttti", event, policy, target ? target : UTC_NONE, facility, code, detail ? detail : "", c->seq);
}

void verdict_drop(struct core *c, int64_t event, const char *policy)
{
	put(c, "DELETE FROM verdict WHERE event=? AND policy=? AND target IS NULL", "it", event, policy);
}
