/* A disk in memory that can lose power: a SQLite VFS in which every write, sync, truncate and delete is counted, and at the n-th the
 * machine dies. What had been synced is there afterwards; what had not is written, dropped, cut in half or trashed, by the mode and by
 * chance (SQLite's own crash test: src/test6.c, "Method"). One disk a process; single-threaded. */
#ifndef SIM_DISK_H
#define SIM_DISK_H
#include <stdbool.h>
#include <stdint.h>

/* What becomes of each write that was not synced when the power went. */
enum disk_loss {
	DISK_KEEP,   /* all were written: only the process died, the page cache survived */
	DISK_DROP,   /* none was */
	DISK_HALF,   /* all but the last, of which the first half */
	DISK_CHANCE, /* each by chance: written, dropped, or trashed (SQLite trusts sectors only after a sync) */
	DISK_LOSSES
};
const char *disk_loss_name(enum disk_loss l);

/* Registers the disk as SQLite's default VFS (empty). */
void disk_mount(void);

/* The power goes at operation `at` from now (1 = the next); 0: never. From then on every call fails. */
void disk_die_at(int64_t at);
bool disk_dead(void);

/* Operations since mount. */
int64_t disk_operations(void);

/* After the databases are closed: what is left is what a reboot finds; the disk works again. */
void disk_reboot(enum disk_loss how, uint64_t chance);

/* Every later call of these kinds fails without dying: for n-th failure loops. kind: 'w' write, 's' sync, 't' truncate, 'd' delete;
 * error: SQLITE_FULL, SQLITE_IOERR …; 0 ends it. */
void disk_fail(const char *kinds, int error);
#endif
