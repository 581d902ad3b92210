/* A directory with all that a command may want: alert.json, map.fits, cat.csv, cat.fits, night.json, short.night; and for each worker a
 * folder of its own ("0", "1" …) with state.db, the state that the canonical night left. */
#ifndef TESTS_TORTURE_FIXTURES_H
#define TESTS_TORTURE_FIXTURES_H

struct fixtures {
	char dir[64];
};
extern struct fixtures fixtures;

void fixtures_make(int workers); /* ends the process where it cannot */
void fixtures_remove(void);
#endif
