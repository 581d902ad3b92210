/* How each trouble of the menu is drawn into a night: persons, rules and the machine; see swarm_parts.h. */
#include "sim/swarm_parts.h"
#include "engine/base/utc.h"
#include <math.h>
#include <stddef.h>

/* ---- persons ---- */
void trouble_veto(struct draft *d)
{
	double at_s = sometime(d);
	const char *event = any_event(d)->name;
	draft_line(d, at_s, "order try {\"verb\":\"veto\",\"event\":\"%s\"}", event);
	if (die(d, 2))
		draft_line(d, at_s + 1000 * fraction(d), "order try {\"verb\":\"release\",\"event\":\"%s\"}", event);
}

void trouble_veto_target(struct draft *d)
{
	for (int n = 1 + die(d, 4); n > 0; n--) {
		double at_s = sometime(d);
		const char *event = any_event(d)->name;
		int rank = 1 + die(d, 5);
		draft_line(d, at_s, "order try {\"verb\":\"veto\",\"event\":\"%s\",\"what\":\"#%d\"}", event, rank);
		if (die(d, 2))
			draft_line(d, at_s + 600 * fraction(d), "order try {\"verb\":\"release\",\"event\":\"%s\",\"what\":\"#%d\"}", event, rank);
	}
}

void trouble_hold(struct draft *d)
{
	double at_s = sometime(d);
	int kind = die(d, 3);
	const char *what = kind == 0 ? "all" : kind == 1 ? any_facility(d) : any_event(d)->name;
	draft_line(d, at_s, "order try {\"verb\":\"hold\",\"what\":\"%s\"}", what);
	if (die(d, 4))
		draft_line(d, at_s + 2000 * fraction(d), "order try {\"verb\":\"resume\",\"what\":\"%s\"}", what);
}

void trouble_cancel(struct draft *d)
{
	for (int n = 1 + die(d, 5); n > 0; n--) {
		double at_s = sometime(d);
		draft_line(d, at_s, "order try {\"verb\":\"cancel\",\"request\":%d}", 1 + die(d, 20));
	}
}

void trouble_storm(struct draft *d)
{
	static const char *const verbs[] = {"approve", "pin", "boost", "veto", "release", "cancel", "approve"};
	double at_s = sometime(d);
	for (int n = 15; n > 0; n--) {
		const char *verb = verbs[die(d, 7)], *event = any_event(d)->name;
		double after_s = 3 * fraction(d);
		int rank = 1 + die(d, 6), request = 1 + die(d, 15);
		draft_line(d, at_s + after_s, "order try {\"verb\":\"%s\",\"event\":\"%s\",\"target\":\"#%d\",\"request\":%d}", verb, event, rank, request);
	}
}

void trouble_approval(struct draft *d)
{
	text_puts(d->out, "policy {\"approval\":{\"mode\":\"operator\",\"unanswered_min\":5}}\n");
	for (int i = 0; i < d->events; i++)
		if (die(d, 4))
			draft_line(d, d->event[i].at_s + 900 * fraction(d), "order try {\"verb\":\"approve\",\"event\":\"%s\"}", d->event[i].name);
}

void trouble_amend(struct draft *d)
{
	static const char *const facts[] = {"p_bns", "has_remnant", "area90_deg2", "significant"};
	for (int n = 1 + die(d, 3); n > 0; n--) {
		double at_s = sometime(d);
		const char *event = any_event(d)->name, *fact = facts[die(d, 4)];
		draft_line(d, at_s, "order try {\"verb\":\"amend\",\"event\":\"%s\",\"fact\":\"%s\",\"value\":%d,\"source\":\"circular\"}", event, fact, die(d, 2));
	}
}

void trouble_answer(struct draft *d)
{
	for (int n = 1 + die(d, 3); n > 0; n--) {
		double at_s = sometime(d);
		const char *verb = die(d, 2) ? "accepted" : "declined";
		draft_line(d, at_s, "order try {\"verb\":\"%s\",\"request\":%d}", verb, 1 + die(d, 15));
	}
}

/* ---- rules ---- */
void trouble_reload(struct draft *d)
{
	static const char *const patches[] = {"policy {\"when\":\"p_bns > 2\"}", "policy {\"targets\":{\"top\":3}}", "policy {\"offer_wait_s\":1}",
		"policy {\"when\":\"p_bns > 0.5\"}", "policy {\"budget_h\":{\"event\":0.5}}", "config {\"programmes\":[]}", "policy {\"approval\":{\"mode\":\"operator\"}}"};
	for (int n = 1 + die(d, 2); n > 0; n--) {
		double at_s = sometime(d);
		draft_line(d, at_s, "%s", patches[die(d, 7)]);
	}
}

void trouble_fields(struct draft *d)
{
	static const char *const froms[] = {"galaxies", "fields", "both"}, *const cameras[] = {"sinistro", "r20", "9.1x9.1", "lco:1M0-SCICAM-SINISTRO"};
	const char *from = froms[die(d, 3)], *first = cameras[die(d, 4)], *later = cameras[die(d, 4)];
	text_printf(d->out, "policy {\"targets\":{\"from\":\"%s\",\"footprint\":\"%s\"}}\n", from, first);
	if (die(d, 3) == 0)
		draft_line(d, sometime(d), "policy {\"targets\":{\"footprint\":\"%s\"}}", later);
	if (die(d, 3) == 0)
		draft_line(d, sometime(d), "policy {\"targets\":{\"from\":\"galaxies\",\"footprint\":null}}");
}

void trouble_poor(struct draft *d)
{
	double event_h = 0.3 + fraction(d), night_h = 0.3 + 2 * fraction(d);
	text_printf(d->out, "policy {\"budget_h\":{\"event\":%.1f,\"night\":%.1f}}\n", event_h, night_h);
}

void trouble_poor_programme(struct draft *d)
{
	const char *facility = any_facility(d);
	double normal_h = 2 * fraction(d), critical_h = fraction(d), rapid_h = fraction(d);
	text_printf(d->out, "programme %s {\"hours\":{\"NORMAL\":%.2f,\"TIME_CRITICAL\":%.2f,\"RAPID_RESPONSE\":%.2f},\"triggers\":%d}\n", facility, normal_h,
		critical_h, rapid_h, 1 + die(d, 3));
}

void trouble_rules(struct draft *d)
{
	char from[32], until[32];
	const char *facility = any_facility(d);
	double a = fraction(d), b = fraction(d);
	int kind = die(d, 7), n = die(d, 3);
	utc_format_s(from, d->start_us - die(d, 2) * UTC_DAY);
	utc_format_s(until, d->start_us + (int64_t)(24 * a) * UTC_HOUR);
	text_printf(d->out, "programme %s {", facility);
	if (kind == 0)
		text_printf(d->out, "\"blocked_nights\":[\"%.10s\"]", from);
	else if (kind == 1)
		text_printf(d->out, "\"notice_h\":%.1f", 8 * a);
	else if (kind == 2)
		text_printf(d->out, "\"max_visit_h\":%.2f", 0.05 + 0.2 * a);
	else if (kind == 3)
		text_printf(d->out, "\"semester\":{\"end\":\"%s\"},\"triggers\":%d", until, n);
	else if (kind == 4)
		text_printf(d->out, "\"reserve\":{\"for\":\"dist_mean_mpc < %.0f\",\"fraction\":%.2f},\"triggers\":%d", 40 + 150 * a, b, n + 1);
	else if (kind == 5)
		text_printf(d->out, "\"charge\":{\"of\":\"%s\",\"overheads\":%s,\"minimum_h\":%.2f,\"lost\":\"%s\"},\"hours\":{\"TIME_CRITICAL\":%.2f,\"RAPID_RESPONSE\":%.2f}",
			    n ? "observed" : "asked", a > 0.5 ? "true" : "false", 0.3 * b, b > 0.5 ? "charged" : "returned", 2 * a, 2 * b);
	else
		text_printf(d->out, "\"may_trigger\":{\"uids\":[%d]}", n / 2); /* orders of a night come from 0 */
	text_puts(d->out, "}\n");
}

void trouble_replan(struct draft *d)
{
	text_puts(d->out, "policy {\"replan\":\"cancel\"}\n");
}

void trouble_replace(struct draft *d)
{
	double night_h = 0.3 + 2 * fraction(d), exposure_s = 20 + 40 * fraction(d);
	text_printf(d->out, "policy {\"replace\":\"pending\",\"budget_h\":{\"event\":4,\"night\":%.1f},\"floor\":{\"exposure_s\":%.0f,\"count\":1},"
		"\"ceiling\":{\"max_airmass\":2.5,\"min_moon_deg\":10}}\n", night_h, exposure_s);
}

/* ---- the machine ---- */
void trouble_compute(struct draft *d)
{
	double a = fraction(d), b = fraction(d);
	text_printf(d->out, "compute %.1f\n", 0.5 + 20 * a * b);
}

void trouble_crash(struct draft *d)
{
	for (int n = 1 + die(d, 6); n > 0; n--) {
		double at_s = sometime(d), longest_s = die(d, 3) ? 5 : 400, down_s = longest_s * fraction(d);
		draft_line(d, at_s, "crash %.3f%s", down_s, die(d, 2) ? " lost" : "");
	}
}

/* In the middle of a turn: between what was decided and its commit, or between the commit and what it hands over. */
void trouble_die_inside(struct draft *d)
{
	for (int n = 1 + die(d, 4); n > 0; n--) {
		double at_s = any_event(d)->at_s - 0.01, a = fraction(d), b = fraction(d);
		bool asks = die(d, 2); /* a turn that hands over what may leave but once */
		int commits = asks ? 4 : die(d, 3) ? 40 : 3, in = 1 + die(d, commits);
		const char *lost = die(d, 2) ? " lost" : "", *after = die(d, 3) ? "" : " after";
		at_s += die(d, 2) ? 0 : 10 * fraction(d);
		draft_line(d, fmax(0, at_s), "crash %.3f%s in %d%s%s", 60 * a * b, lost, in, asks ? " asks" : "", after);
	}
}

void trouble_clock(struct draft *d)
{
	for (int n = 1 + die(d, 3); n > 0; n--) {
		double at_s = sometime(d);
		int step_s = die(d, 3) ? 1 + die(d, 3600) : 3600; /* an hour: summer time */
		draft_line(d, at_s, "clock %d", die(d, 2) ? step_s : -step_s);
	}
}

/* Back to the epoch, as a machine without a battery begins, and some time later right again. */
void trouble_clock_1970(struct draft *d)
{
	double at_s = sometime(d);
	long long back_s = (long long)(d->start_us / 1000000) - 86400; /* no other jump leads before 1970 */
	draft_line(d, at_s, "clock -%lld", back_s);
	draft_line(d, at_s + 5 + 200 * fraction(d), "clock %lld", back_s);
}

void trouble_restored(struct draft *d)
{
	double at_s = when(d), after_s = 1 + (die(d, 2) ? 30 : 2000) * fraction(d), down_s = 30 * fraction(d);
	draft_line(d, at_s, "copy");
	draft_line(d, at_s + after_s, "restore %.3f", down_s);
}

void trouble_disk_full(struct draft *d)
{
	double at_s = sometime(d);
	draft_disk(d);
	draft_line(d, at_s, "disk full");
	draft_line(d, at_s + 10 + 600 * fraction(d), "disk mend");
}

void trouble_disk_fails(struct draft *d)
{
	draft_disk(d);
	for (int n = 1 + die(d, 3); n > 0; n--) {
		double at_s = sometime(d);
		int in = 1 + die(d, die(d, 2) ? 5 : 300);
		draft_line(d, at_s, "disk fails %d%s", in, die(d, 2) ? " on" : "");
	}
}

void trouble_disk_power(struct draft *d)
{
	static const char *const loss[] = {"keep", "drop", "half", "chance", "chance"};
	draft_disk(d);
	for (int n = 1 + die(d, 3); n > 0; n--) {
		double at_s = sometime(d);
		const char *how = loss[die(d, 5)];
		int in = 1 + die(d, die(d, 2) ? 5 : 300);
		draft_line(d, at_s, "disk power %s in %d %d", how, in, die(d, 1000));
	}
}
