/* A disk in memory that can lose power: a SQLite VFS in which every write, sync, truncate and delete is counted, and at the n-th the
 * machine dies. What had been synced is there afterwards; what had not is written, dropped, cut in half or trashed, by the mode and by
 * chance (SQLite's own crash test: src/test6.c, "Method"). One thread uses a disk. */
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

/* An empty disk, registered as SQLite's default VFS until it is freed (NULL is nothing; its databases are closed by then). `name`: of
 * the VFS; borrowed. */
struct disk;
struct disk *disk_new(const char *name);
void disk_free(struct disk *d);

/* The power goes at operation `at` from now (1 = the next); 0: never. From then on every call fails. */
void disk_die_at(struct disk *d, int64_t at);
bool disk_dead(const struct disk *d);

/* Operations since it was made. */
int64_t disk_operations(const struct disk *d);

/* After the databases are closed: what is left is what a reboot finds; the disk works again. */
void disk_reboot(struct disk *d, enum disk_loss how, uint64_t chance);

/* Every later call of these kinds fails without dying: for n-th failure loops. kind: 'w' write, 's' sync, 't' truncate, 'd' delete;
 * error: SQLITE_FULL, SQLITE_IOERR …; 0 ends it. */
void disk_fail(struct disk *d, const char *kinds, int error);
#endif
