/* Runs every night under tests/night; NIGHT=name runs one, NIGHT_KEEP=file.db keeps its state to look at. */
#include "test.h"
#include "night.h"
#include <glob.h>

static void one_night(void **state)
{
	struct err e = {0};
	if (night_run(*state, &e) < 0)
		fail_msg("%s", e.text);
}

int main(void)
{
	glob_t found;
	struct CMUnitTest tests[200];
	size_t count = 0;
	if (glob("tests/night/*.night", 0, NULL, &found) != 0)
		return 1;
	for (size_t i = 0; i < found.gl_pathc && count < 200; i++) {
		const char *only = getenv("NIGHT");
		if (only == NULL || strstr(found.gl_pathv[i], only) != NULL)
			tests[count++] = (struct CMUnitTest){found.gl_pathv[i], one_night, NULL, NULL, found.gl_pathv[i]};
	}
	int rc = _cmocka_run_group_tests("nights", tests, count, NULL, NULL);
	globfree(&found);
	return rc;
}
