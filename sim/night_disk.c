/* The disk under a night's state: full for a while, failing once or until it is mended, or losing power; see night.h. */
#include "sim/night_parts.h"
#include "engine/base/query.h"
#include "sim/disk.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BALLAST_WRITES 4000 /* 8 MiB: a header and a page each */

enum trouble { TROUBLE_NONE, TROUBLE_FULL, TROUBLE_ONCE, TROUBLE_ON, TROUBLE_POWER };
struct night_disk {
	struct night *night;
	struct disk *disk;
	enum trouble trouble;
	int64_t in, room;     /* calls until it happens; writes that still fit */
	enum disk_loss loss;
	uint64_t chance;
	struct sim_host_disk host;
};

static int fate(void *ctx, char kind)
{
	struct night_disk *d = ctx;
	if (strchr("wstd", kind) == NULL || d->trouble == TROUBLE_NONE)
		return 0;
	if (d->trouble == TROUBLE_FULL)
		return kind == 'w' && d->room-- <= 0 ? SQLITE_FULL : 0;
	if (d->in > 0 && --d->in > 0)
		return 0;
	if (d->trouble == TROUBLE_POWER)
		return DISK_DEATH;
	if (d->trouble == TROUBLE_ONCE)
		d->trouble = TROUBLE_NONE;
	return SQLITE_IOERR;
}

static void ballast_free(void *ctx)
{
	struct night_disk *d = ctx;
	d->room = BALLAST_WRITES;
}

static bool has_room(void *ctx)
{
	const struct night_disk *d = ctx;
	return d->trouble != TROUBLE_FULL;
}

static bool gone(void *ctx)
{
	const struct night_disk *d = ctx;
	return disk_dead(d->disk);
}

static int reopen(void *ctx, sqlite3 **db, struct err *e)
{
	struct night_disk *d = ctx;
	bool dead = disk_dead(d->disk);
	sqlite3_close(d->night->db);
	d->night->db = NULL;
	if (d->trouble != TROUBLE_POWER || dead)
		d->trouble = TROUBLE_NONE; /* a person has mended it; a power cut that is still to come is nobody's to mend */
	disk_reboot(d->disk, dead ? d->loss : DISK_KEEP, d->chance);
	if (night_db_open(d->night, e) < 0)
		return -1;
	*db = d->night->db;
	return 0;
}

int night_disk_new(struct night *n, struct err *e)
{
	if (n->disk != NULL || n->host != NULL)
		return err_set(e, ERR_INPUT, "disk: once, before the night begins");
	n->disk = calloc(1, sizeof *n->disk);
	must(n->disk != NULL);
	*n->disk = (struct night_disk){.night = n, .disk = disk_new("night"), .host = {n->disk, ballast_free, has_room, gone, reopen}};
	disk_ask(n->disk->disk, fate, n->disk);
	return 0;
}

void night_disk_free(struct night_disk *d)
{
	if (d == NULL)
		return;
	disk_free(d->disk);
	free(d);
}

void night_disk_calm(struct night_disk *d)
{
	if (d != NULL)
		d->trouble = TROUBLE_NONE;
}

const struct sim_host_disk *night_disk_host(const struct night_disk *d)
{
	return d ? &d->host : NULL;
}

static int loss_of(const char *name)
{
	for (int l = 0; l < DISK_LOSSES; l++)
		if (strcmp(disk_loss_name((enum disk_loss)l), name) == 0)
			return l;
	return -1;
}

int night_disk_do(struct night *n, const char *rest, struct err *e)
{
	struct night_disk *d = n->disk;
	char word[16] = "", loss[16] = "", on[8] = "";
	int in = 0;
	unsigned chance = 0;
	if (d == NULL)
		return err_set(e, ERR_INPUT, "this night has no disk: put the line `disk` before it begins");
	d->trouble = TROUBLE_NONE;
	if (sscanf(rest, "power %15s in %d %u", loss, &in, &chance) >= 2 && in > 0 && loss_of(loss) >= 0) {
		d->trouble = TROUBLE_POWER;
		d->loss = (enum disk_loss)loss_of(loss);
		d->chance = chance;
		d->in = in;
		return 0;
	}
	if (sscanf(rest, "fails %d %7s", &in, on) >= 1 && in > 0 && (on[0] == '\0' || strcmp(on, "on") == 0)) {
		d->trouble = on[0] ? TROUBLE_ON : TROUBLE_ONCE;
		d->in = in;
		return 0;
	}
	sscanf(rest, "%15s", word);
	if (strcmp(word, "full") == 0) {
		d->trouble = TROUBLE_FULL;
		d->room = 0;
		return 0;
	}
	return strcmp(word, "mend") == 0 ? 0 : err_set(e, ERR_INPUT, "disk full | mend | fails N [on] | power keep|drop|half|chance in N [CHANCE]");
}
