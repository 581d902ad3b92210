/* Every cell of the life-cycle table against its rules, written here a second time and in another form. */
#include "test.h"
#include "engine/observation/lifecycle.h"

static bool one_of(int x, const int *list, int n)
{
	for (int i = 0; i < n; i++)
		if (list[i] == x)
			return true;
	return false;
}
#define IN(x, ...) one_of((int)(x), (const int[]){__VA_ARGS__}, (int)(sizeof((const int[]){__VA_ARGS__}) / sizeof(int)))

/* What a facility reports is believed in any state: also at rest, also before it was asked (a restored copy). */
static int reported(enum life s, enum life to)
{
	if (s == to)
		return -1;
	if (s == LIFE_cancelling && life_is_live(to))
		return -1;
	if (to == LIFE_cancelled && life_class(s) == LIFE_CLASS_rest)
		return -1;
	return (int)to;
}

static int unwanted(enum life s, bool unsent, bool can_stop)
{
	if (life_class(s) == LIFE_CLASS_idle || (s == LIFE_asked && unsent))
		return LIFE_cancelled;
	if (IN(s, LIFE_accepted, LIFE_scheduled) || (s == LIFE_running && can_stop))
		return LIFE_cancelling;
	return -1;
}

static int expected(enum life s, enum life_signal g)
{
	switch (g) {
	case SIGNAL_offer_taken: return s == LIFE_planned ? LIFE_offered : -1;
	case SIGNAL_offer_second: return IN(s, LIFE_planned, LIFE_offered) ? LIFE_held : -1;
	case SIGNAL_offer_refused: return life_class(s) == LIFE_CLASS_idle ? LIFE_declined : -1;
	case SIGNAL_chosen: return IN(s, LIFE_offered, LIFE_held) ? LIFE_asked : -1;
	case SIGNAL_accepted: return IN(s, LIFE_asked, LIFE_unsure) ? LIFE_accepted : -1;
	case SIGNAL_declined: return s == LIFE_asked ? LIFE_declined : -1;
	case SIGNAL_not_sent: return -1;
	case SIGNAL_doubt: return s == LIFE_asked ? LIFE_unsure : -1;
	case SIGNAL_absent_twice: return s == LIFE_unsure ? LIFE_offered : -1;
	case SIGNAL_absent: return IN(s, LIFE_accepted, LIFE_scheduled) ? LIFE_unsure : -1;
	case SIGNAL_queued: return reported(s, LIFE_accepted);
	case SIGNAL_scheduled: return reported(s, LIFE_scheduled);
	case SIGNAL_running: return reported(s, LIFE_running);
	case SIGNAL_done: return reported(s, LIFE_done);
	case SIGNAL_failed: return reported(s, LIFE_failed);
	case SIGNAL_expired: return reported(s, LIFE_expired);
	case SIGNAL_cancelled: return reported(s, LIFE_cancelled);
	case SIGNAL_unwanted: return unwanted(s, false, false);
	case SIGNAL_unwanted_unsent: return unwanted(s, true, false);
	case SIGNAL_unwanted_stoppable: return unwanted(s, false, true);
	case SIGNAL_COUNT: break;
	}
	fail();
	return -1;
}

static void every_cell(void **state)
{
	(void)state;
	int changes = 0;
	for (int s = 0; s < LIFE_COUNT; s++)
		for (int g = 0; g < SIGNAL_COUNT; g++) {
			int want = expected((enum life)s, (enum life_signal)g);
			bool counted;
			enum life got = life_next((enum life)s, (enum life_signal)g, false, &counted);
			if ((want < 0) != counted || (int)got != (want < 0 ? s : want))
				fail_msg("%s + %s: %s%s, expected %s", life_name((enum life)s), signal_name((enum life_signal)g), life_name(got),
					 counted ? " (counted)" : "", want < 0 ? "no change" : life_name((enum life)want));
			changes += !counted;
		}
	assert_int_equal(LIFE_COUNT * SIGNAL_COUNT, 280);
	assert_int_equal(changes, 95 + 3 * 7);
}

/* A flagged row never goes forward: what would make it live makes it cancelling, what would offer it again cancels it. */
static void flagged_rows(void **state)
{
	(void)state;
	for (int s = 0; s < LIFE_COUNT; s++)
		for (int g = 0; g < SIGNAL_COUNT; g++) {
			bool counted;
			enum life to = life_next((enum life)s, (enum life_signal)g, true, &counted);
			if (!counted)
				assert_false(IN(to, LIFE_offered, LIFE_held, LIFE_asked, LIFE_accepted, LIFE_scheduled, LIFE_running));
		}
	assert_int_equal(life_next(LIFE_unsure, SIGNAL_absent_twice, true, NULL), LIFE_cancelled);
	assert_int_equal(life_next(LIFE_asked, SIGNAL_accepted, true, NULL), LIFE_cancelling);
	assert_int_equal(life_next(LIFE_declined, SIGNAL_queued, true, NULL), LIFE_cancelling);
	assert_int_equal(life_next(LIFE_cancelling, SIGNAL_done, true, NULL), LIFE_done);
}

static void names(void **state)
{
	(void)state;
	for (int s = 0; s < LIFE_COUNT; s++)
		assert_int_equal(life_from_name(life_name((enum life)s)), s);
	assert_int_equal(life_from_name("sent"), -1);
	assert_int_equal(life_unwanted(LIFE_asked, true, false), SIGNAL_unwanted_unsent);
	assert_int_equal(life_unwanted(LIFE_running, false, true), SIGNAL_unwanted_stoppable);
	assert_int_equal(life_unwanted(LIFE_running, false, false), SIGNAL_unwanted);
	assert_int_equal(life_entry(LIFE_unsure), LIFE_ENTRY_find);
	for (int g = 0; g < SIGNAL_COUNT; g++)
		assert_true(strlen(signal_text((enum life_signal)g)) > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_cell), cmocka_unit_test(flagged_rows), cmocka_unit_test(names)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
