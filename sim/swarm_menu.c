/* The menu of troubles: name, what it does, the chance that a night has it, and by what it is seen that it really acted. */
#include "sim/swarm_parts.h"

#define ORDERS(verb) "SELECT count(*) FROM operator_order WHERE verb='" verb "' AND answer LIKE '%\"ok\":true%'"
#define ALERTS(type) "SELECT count(*) FROM alert WHERE type='" type "'"

const struct trouble_entry swarm_menu[] = {
	/* brokers and skies */
	{{"revisions", "newer revisions of events, with the same or another map", 0.5, "SELECT count(*) FROM alert WHERE type IN ('INITIAL','UPDATE')"}, trouble_revisions},
	{{"reordered", "revisions that were made earlier than what has been heard", 0.5,
		"SELECT count(*) FROM alert a JOIN alert b ON b.event=a.event AND b.seq<a.seq AND b.time_created_us>a.time_created_us"}, trouble_reordered},
	{{"skipped", "an event is first heard by its last revisions", 0.4,
		"SELECT count(*) FROM event e WHERE (SELECT type FROM alert WHERE event=e.id ORDER BY seq LIMIT 1) IN ('INITIAL','UPDATE')"}, trouble_skipped},
	{{"late", "alerts that come up to 48 hours after they were made", 0.3,
		"SELECT count(*) FROM alert WHERE received_us-time_created_us>3600000000"}, trouble_late},
	{{"duplicates", "the same bytes again, there or on another topic", 0.5, "SELECT count(*) FROM duplicate"}, trouble_duplicates},
	{{"retraction", "an event is retracted", 0.5, ALERTS("RETRACTION")}, trouble_retraction},
	{{"retraction-first", "a retraction is heard before its alert", 0.3,
		"SELECT count(*) FROM event e WHERE (SELECT type FROM alert WHERE event=e.id ORDER BY seq LIMIT 1)='RETRACTION'"}, trouble_retraction_first},
	{{"false-alarm", "noise that looks good, and is retracted", 0.4, "SELECT count(*) FROM event WHERE state='retracted'"}, trouble_false_alarm},
	{{"downgrade", "a newer revision is below the policy, perhaps another above it", 0.5,
		"SELECT count(*) FROM gate WHERE kind='downgraded'"}, trouble_downgrade},
	{{"moved", "an update whose map is smaller and elsewhere", 0.5, "SELECT count(*) FROM event WHERE generation_rank>1"}, trouble_moved},
	{{"corrupt", "bytes that are no alert", 0.5, "SELECT count(*) FROM reject r JOIN input i ON i.seq=r.seq WHERE i.kind='alert'"}, trouble_corrupt},
	{{"flipped", "alerts with some bits the other way round", 0.4, "broker:flipped"}, trouble_flipped},
	{{"rebalance", "the partitions are taken away for a while", 0.4, "broker:rebalances"}, trouble_rebalance},
	{{"gap", "messages were not kept until they could be read", 0.2, "SELECT count(*) FROM input WHERE kind='gap'"}, trouble_gap},
	{{"test-late", "a sign that the event is a test comes late", 0.3, "SELECT count(*) FROM gate WHERE kind='test'"}, trouble_test_late},
	/* persons */
	{{"veto", "an event is vetoed, perhaps released", 0.5, ORDERS("veto")}, trouble_veto},
	{{"veto-target", "single targets are vetoed", 0.5, "SELECT count(*) FROM gate WHERE kind='veto' AND target IS NOT NULL"}, trouble_veto_target},
	{{"hold", "everything, a facility or an event is held for a while", 0.5, ORDERS("hold")}, trouble_hold},
	{{"cancel", "single requests are cancelled", 0.5, ORDERS("cancel")}, trouble_cancel},
	{{"storm", "fifteen orders in three seconds", 0.4, "SELECT max(n) FROM (SELECT count(*) AS n FROM operator_order o JOIN input i ON i.seq=o.seq "
		"GROUP BY i.utc_us/4000000) WHERE n>5"}, trouble_storm},
	{{"approval", "a person must approve, and does so late or never", 0.3, "SELECT count(*) FROM gate WHERE kind='approval'"}, trouble_approval},
	{{"amend", "a person amends facts", 0.4, ORDERS("amend")}, trouble_amend},
	{{"answer", "a person says what became of a request", 0.4, "SELECT count(*) FROM operator_order WHERE verb IN ('accepted','declined')"}, trouble_answer},
	{{"reload", "policy or programmes change", 0.4, "SELECT count(*) FROM input WHERE kind='config'"}, trouble_reload},
	/* facilities */
	{{"drop-before", "calls that never arrive", 0.4, "portal:drop_before"}, trouble_drop_before},
	{{"drop-after", "calls whose answer is lost", 0.4, "portal:drop_after"}, trouble_drop_after},
	{{"refused", "no connection", 0.4, "portal:refused"}, trouble_refused},
	{{"503", "service unavailable", 0.4, "portal:503"}, trouble_unavailable},
	{{"504-after", "a gateway gives up, after the call was obeyed", 0.4, "portal:504_after"}, trouble_gateway},
	{{"html500", "500 with a page for people", 0.4, "portal:html500"}, trouble_html500},
	{{"html200", "200 with a page for people", 0.4, "portal:html200"}, trouble_html200},
	{{"truncate", "half an answer", 0.4, "portal:truncate"}, trouble_truncate},
	{{"slow", "answers after 20 s", 0.4, "portal:slow"}, trouble_slow},
	{{"429", "too many requests, with a sensible or absurd Retry-After", 0.4, "portal:429"}, trouble_throttled},
	{{"weather", "sites close and open", 0.5, "portal:weather"}, trouble_weather},
	{{"down", "an instrument cannot be used for a while", 0.4, "portal:down"}, trouble_down},
	{{"rapid", "somebody else's rapid response takes a site", 0.4, "portal:rapid"}, trouble_rapid},
	{{"fails", "first observations fail", 0.4, "portal:fail"}, trouble_fails},
	{{"done-after-cancel", "the telescope begins before the cancel reaches it", 0.4, "portal:late_cancel"}, trouble_done_after_cancel},
	{{"invisible", "new requests are in no list for a while", 0.5, "portal:invisible"}, trouble_invisible},
	{{"renumber", "a portal schedules anew, with new numbers", 0.4, "portal:renumber"}, trouble_renumber},
	{{"wrong-clock", "a portal's clock is wrong", 0.4, "always"}, trouble_wrong_clock},
	{{"clog", "no facility answers; then they are back in any order", 0.3, "portal:clog"}, trouble_clog},
	{{"latency", "calls take long", 0.4, "always"}, trouble_latency},
	/* the machine */
	{{"compute", "computations take long", 0.4, "always"}, trouble_compute},
	{{"crash", "the engine dies between turns", 0.5, "host:crashes"}, trouble_crash},
	{{"die", "the engine dies inside a turn", 0.5, "host:crashes"}, trouble_die_inside},
	{{"clock", "the wall clock jumps, up to an hour", 0.4, "SELECT count(*) FROM input WHERE kind='clock'"}, trouble_clock},
	{{"clock-1970", "the wall clock shows 1970 for a while", 0.2, "SELECT count(*) FROM input WHERE utc_us<31536000000000"}, trouble_clock_1970},
	{{"restored", "an older copy of the state takes over", 0.2, "SELECT count(*) FROM gate WHERE kind='restore'"}, trouble_restored},
	{{"disk-full", "no room on the disk for a while", 0.25, "host:fulls"}, trouble_disk_full},
	{{"disk-fails", "writes fail, once or until it is mended", 0.25, "host:stops"}, trouble_disk_fails},
	{{"disk-power", "the power goes, and what was not synced is lost or spoilt", 0.25, "host:stops"}, trouble_disk_power},
	/* rules */
	{{"poor", "a policy with few hours", 0.4, "SELECT count(*) FROM verdict WHERE code='budget'"}, trouble_poor},
	{{"poor-programme", "a programme with few hours and triggers", 0.4, "SELECT count(*) FROM verdict WHERE code IN ('budget','programme')"}, trouble_poor_programme},
	{{"replan", "a new plan cancels what it no longer wants", 0.4, "SELECT count(*) FROM request WHERE unwanted_why LIKE '%new plan%'"}, trouble_replan},
	{{"fields", "the policy points a camera; perhaps later another one, or galaxies again", 0.25,
		"SELECT count(*) FROM request r JOIN target t ON t.id=r.target WHERE t.kind='field'"}, trouble_fields},
	{{"rules", "a programme with a rule of its observatory", 0.3, "SELECT count(*) FROM verdict WHERE code='programme' OR detail LIKE '%better events%'"}, trouble_rules},
};
const size_t swarm_menu_count = sizeof swarm_menu / sizeof swarm_menu[0];
