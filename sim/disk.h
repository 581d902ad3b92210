/* A disk in memory that can lose power or fail: a SQLite VFS that asks before every call what becomes of it. What had been synced is
 * there after the power went; what had not is written, dropped, cut in half or trashed, by the mode and by chance (SQLite's own crash
 * test: src/test6.c, "Method"). One thread uses a disk. */
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

/* Asked before every call of these kinds with its letter: 0 it happens; DISK_DEATH the power goes, from then on every call fails; an
 * SQLITE_ code: this one fails (a write after its first half). 'w' write, 's' sync, 't' truncate, 'd' delete; 'r' read, 'o' open, 'z'
 * size, 'm' shared memory. The place where a test forks its process: what is in memory is the snapshot. NULL: everything happens. */
#define DISK_DEATH (-1)
typedef int disk_fate(void *ctx, char kind);
void disk_ask(struct disk *d, disk_fate *fate, void *ctx);
bool disk_dead(const struct disk *d);

/* After the databases are closed: what is left is what a reboot finds; the disk works again. */
void disk_reboot(struct disk *d, enum disk_loss how, uint64_t chance);
#endif
