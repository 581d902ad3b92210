/* The disk that loses power: see disk.h. Contents as they would be read now, and beside them what is durable, with the list of
 * changes since the last sync of each file. */
#include "sim/disk.h"
#include "engine/base/err.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DISK_FILES 16
#define DISK_SHM 64

struct change { /* a write of len bytes at offset, or a truncation (bytes NULL) */
	int64_t at;
	int len;
	unsigned char *bytes;
};
struct image {
	unsigned char *bytes;
	int64_t len, cap;
};
struct disk_file {
	char name[128];
	bool exists;
	struct image now, durable;
	struct change *change;
	size_t changes, cap;
	void *shm[DISK_SHM];
	int opened;
};
struct disk {
	sqlite3_vfs vfs; /* first: SQLite hands it back */
	struct disk_file file[DISK_FILES];
	bool dead;
	disk_fate *fate;
	void *ctx;
};

struct handle {
	sqlite3_file base;
	struct disk *disk;
	struct disk_file *file;
	bool temporary;
	struct disk_file own;
};

static void image_put(struct image *i, int64_t at, const void *bytes, int64_t len)
{
	if (at + len > i->cap) {
		i->cap = (at + len) * 2 + 4096;
		i->bytes = realloc(i->bytes, (size_t)i->cap);
		must(i->bytes != NULL);
	}
	if (at > i->len)
		memset(i->bytes + i->len, 0, (size_t)(at - i->len));
	if (len > 0)
		memcpy(i->bytes + at, bytes, (size_t)len);
	if (at + len > i->len)
		i->len = at + len;
}

static void image_copy(struct image *to, const struct image *from)
{
	to->len = 0;
	image_put(to, 0, from->bytes, from->len);
	to->len = from->len;
}

static void changes_forget(struct disk_file *f)
{
	for (size_t i = 0; i < f->changes; i++)
		free(f->change[i].bytes);
	f->changes = 0;
}

static void change_add(struct disk_file *f, int64_t at, const void *bytes, int len)
{
	if (f->changes == f->cap) {
		f->cap = f->cap * 2 + 16;
		f->change = realloc(f->change, f->cap * sizeof *f->change);
		must(f->change != NULL);
	}
	struct change *c = &f->change[f->changes++];
	*c = (struct change){.at = at, .len = len};
	if (bytes != NULL) {
		c->bytes = malloc((size_t)len);
		must(c->bytes != NULL);
		memcpy(c->bytes, bytes, (size_t)len);
	}
}

static void change_apply(struct image *to, const struct change *c, int len, bool trash)
{
	if (c->bytes == NULL) {
		if (c->at < to->len)
			to->len = c->at;
		return;
	}
	image_put(to, c->at, c->bytes, len);
	for (int i = 0; trash && i < len; i++)
		to->bytes[c->at + i] ^= (unsigned char)(0x5A + i);
}

/* What becomes of a call: SQLITE_OK, or the code with which it must not happen. */
static int fate(struct disk *d, char kind, int otherwise)
{
	int rc = d->dead ? DISK_DEATH : d->fate == NULL ? 0 : d->fate(d->ctx, kind);
	if (rc != DISK_DEATH)
		return rc == SQLITE_IOERR ? otherwise : rc;
	d->dead = true;
	return otherwise;
}

/* ---- the file methods ---- */
static int file_close(sqlite3_file *h)
{
	struct handle *f = (struct handle *)h;
	if (f->temporary) {
		changes_forget(&f->own);
		free(f->own.change);
		free(f->own.now.bytes);
		free(f->own.durable.bytes);
	} else {
		f->file->opened--;
	}
	return SQLITE_OK;
}

static int file_read(sqlite3_file *h, void *out, int len, sqlite3_int64 at)
{
	const struct image *i = &((struct handle *)h)->file->now;
	int rc = ((struct handle *)h)->temporary ? SQLITE_OK : fate(((struct handle *)h)->disk, 'r', SQLITE_IOERR_READ);
	if (rc != SQLITE_OK)
		return rc;
	int64_t have = at < i->len ? i->len - at : 0;
	if (have > len)
		have = len;
	if (have > 0)
		memcpy(out, i->bytes + at, (size_t)have);
	memset((char *)out + have, 0, (size_t)(len - have));
	return have == len ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *h, const void *bytes, int len, sqlite3_int64 at)
{
	struct handle *f = (struct handle *)h;
	int rc = f->temporary ? SQLITE_OK : fate(f->disk, 'w', SQLITE_IOERR_WRITE);
	if (rc != SQLITE_OK && !f->disk->dead)
		len /= 2;
	change_add(f->file, at, bytes, len); /* a write that dies half way is in the list: reboot decides what became of it */
	if (!f->disk->dead)
		image_put(&f->file->now, at, bytes, len);
	return rc;
}

static int file_truncate(sqlite3_file *h, sqlite3_int64 size)
{
	struct disk_file *f = ((struct handle *)h)->file;
	int rc = ((struct handle *)h)->temporary ? SQLITE_OK : fate(((struct handle *)h)->disk, 't', SQLITE_IOERR_TRUNCATE);
	if (rc == SQLITE_OK) {
		change_add(f, size, NULL, 0);
		if (size < f->now.len)
			f->now.len = size;
	}
	return rc;
}

static int file_sync(sqlite3_file *h, int flags)
{
	struct disk_file *f = ((struct handle *)h)->file;
	(void)flags;
	int rc = ((struct handle *)h)->temporary ? SQLITE_OK : fate(((struct handle *)h)->disk, 's', SQLITE_IOERR_FSYNC);
	if (rc == SQLITE_OK) {
		for (size_t i = 0; i < f->changes; i++)
			change_apply(&f->durable, &f->change[i], f->change[i].len, false);
		changes_forget(f);
	}
	return rc;
}

static int file_size(sqlite3_file *h, sqlite3_int64 *size)
{
	*size = ((struct handle *)h)->file->now.len;
	return ((struct handle *)h)->temporary ? SQLITE_OK : fate(((struct handle *)h)->disk, 'z', SQLITE_IOERR_FSTAT);
}

static int file_lock(sqlite3_file *h, int how)
{
	(void)h;
	(void)how;
	return SQLITE_OK;
}

static int file_reserved(sqlite3_file *h, int *out)
{
	(void)h;
	*out = 0;
	return SQLITE_OK;
}

static int file_control(sqlite3_file *h, int what, void *arg)
{
	(void)h;
	(void)what;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static int file_sector(sqlite3_file *h)
{
	(void)h;
	return 512;
}

static int file_traits(sqlite3_file *h)
{
	(void)h;
	return 0;
}

static int shm_map(sqlite3_file *h, int page, int size, int extend, void volatile **out)
{
	struct disk_file *f = ((struct handle *)h)->file;
	int rc = fate(((struct handle *)h)->disk, 'm', SQLITE_IOERR_SHMMAP);
	must(page < DISK_SHM);
	*out = NULL;
	if (rc != SQLITE_OK)
		return rc;
	if (f->shm[page] == NULL && extend) {
		f->shm[page] = calloc(1, (size_t)size);
		must(f->shm[page] != NULL);
	}
	*out = f->shm[page];
	return SQLITE_OK;
}

static int shm_lock(sqlite3_file *h, int offset, int n, int flags)
{
	(void)h;
	(void)offset;
	(void)n;
	(void)flags;
	return SQLITE_OK;
}

static void shm_barrier(sqlite3_file *h)
{
	(void)h;
}

static int shm_unmap(sqlite3_file *h, int gone)
{
	struct disk_file *f = ((struct handle *)h)->file;
	for (int i = 0; gone && i < DISK_SHM; i++) {
		free(f->shm[i]);
		f->shm[i] = NULL;
	}
	return SQLITE_OK;
}

static const sqlite3_io_methods methods = {.iVersion = 2, .xClose = file_close, .xRead = file_read, .xWrite = file_write,
	.xTruncate = file_truncate, .xSync = file_sync, .xFileSize = file_size, .xLock = file_lock, .xUnlock = file_lock,
	.xCheckReservedLock = file_reserved, .xFileControl = file_control, .xSectorSize = file_sector, .xDeviceCharacteristics = file_traits,
	.xShmMap = shm_map, .xShmLock = shm_lock, .xShmBarrier = shm_barrier, .xShmUnmap = shm_unmap};

/* ---- the disk's methods ---- */
static struct disk_file *find(struct disk *d, const char *name, bool make)
{
	struct disk_file *free_one = NULL;
	const char *base = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
	for (int i = 0; i < DISK_FILES; i++) {
		if (d->file[i].name[0] && strcmp(d->file[i].name, base) == 0)
			return &d->file[i];
		if (d->file[i].name[0] == '\0' && free_one == NULL)
			free_one = &d->file[i];
	}
	must(!make || free_one != NULL);
	if (make)
		strncpy(free_one->name, base, sizeof free_one->name - 1);
	return make ? free_one : NULL;
}

static int disk_open(sqlite3_vfs *v, const char *name, sqlite3_file *h, int flags, int *out)
{
	struct handle *f = (struct handle *)h;
	memset(f, 0, sizeof *f);
	f->disk = (struct disk *)v;
	f->temporary = name == NULL;
	f->file = name ? find((struct disk *)v, name, true) : &f->own;
	if (!f->temporary && fate(f->disk, 'o', SQLITE_CANTOPEN) != SQLITE_OK)
		return SQLITE_CANTOPEN;
	if (!f->file->exists && !f->temporary && !(flags & SQLITE_OPEN_CREATE))
		return SQLITE_CANTOPEN;
	f->file->exists = true;
	f->file->opened++;
	f->base.pMethods = &methods;
	if (out != NULL)
		*out = flags;
	return SQLITE_OK;
}

static int disk_delete(sqlite3_vfs *v, const char *name, int sync)
{
	struct disk_file *f = find((struct disk *)v, name, false);
	(void)sync;
	int rc = fate((struct disk *)v, 'd', SQLITE_IOERR_DELETE);
	if (rc != SQLITE_OK)
		return rc;
	if (f == NULL || !f->exists)
		return SQLITE_IOERR_DELETE_NOENT;
	f->exists = false;
	f->now.len = f->durable.len = 0;
	changes_forget(f);
	return SQLITE_OK;
}

static int disk_access(sqlite3_vfs *v, const char *name, int flags, int *out)
{
	const struct disk_file *f = find((struct disk *)v, name, false);
	(void)flags;
	*out = f != NULL && f->exists && (flags != SQLITE_ACCESS_EXISTS || f->now.len > 0);
	return SQLITE_OK;
}

static int disk_full_name(sqlite3_vfs *v, const char *name, int size, char *out)
{
	(void)v;
	int len = snprintf(out, (size_t)size, "/disk/%s", strrchr(name, '/') ? strrchr(name, '/') + 1 : name);
	return len < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

struct disk *disk_new(const char *name)
{
	struct disk *d = calloc(1, sizeof *d);
	must(d != NULL);
	d->vfs = *sqlite3_vfs_find(NULL); /* time, sleep, randomness as they are */
	d->vfs.iVersion = 1;
	d->vfs.szOsFile = sizeof(struct handle);
	d->vfs.mxPathname = 128;
	d->vfs.zName = name;
	d->vfs.pNext = NULL;
	d->vfs.xOpen = disk_open;
	d->vfs.xDelete = disk_delete;
	d->vfs.xAccess = disk_access;
	d->vfs.xFullPathname = disk_full_name;
	must(sqlite3_vfs_register(&d->vfs, 1) == SQLITE_OK);
	return d;
}

void disk_free(struct disk *d)
{
	if (d == NULL)
		return;
	sqlite3_vfs_unregister(&d->vfs);
	for (int i = 0; i < DISK_FILES; i++) {
		struct disk_file *f = &d->file[i];
		must(f->opened == 0);
		changes_forget(f);
		free(f->change);
		free(f->now.bytes);
		free(f->durable.bytes);
		for (int n = 0; n < DISK_SHM; n++)
			free(f->shm[n]);
	}
	free(d);
}

void disk_ask(struct disk *d, disk_fate *asked, void *ctx)
{
	d->fate = asked;
	d->ctx = ctx;
}

bool disk_dead(const struct disk *d)
{
	return d->dead;
}

const char *disk_loss_name(enum disk_loss l)
{
	static const char *const names[] = {"keep", "drop", "half", "chance"};
	return names[l];
}

static uint64_t chance_next(uint64_t *s)
{
	uint64_t z = (*s += 0x9E3779B97F4A7C15u);
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

static void reboot_file(struct disk_file *f, enum disk_loss how, uint64_t *chance)
{
	for (size_t i = 0; i < f->changes && how != DISK_DROP; i++) {
		const struct change *c = &f->change[i];
		uint64_t dice = chance_next(chance) % 3;
		bool last = i + 1 == f->changes;
		if (how == DISK_CHANCE && dice == 0)
			continue;
		change_apply(&f->durable, c, how == DISK_HALF && last ? c->len / 2 : c->len, how == DISK_CHANCE && dice == 1);
	}
	image_copy(&f->now, &f->durable);
	changes_forget(f);
	for (int i = 0; i < DISK_SHM; i++) {
		free(f->shm[i]);
		f->shm[i] = NULL;
	}
}

void disk_reboot(struct disk *d, enum disk_loss how, uint64_t chance)
{
	for (int i = 0; i < DISK_FILES; i++) {
		must(d->file[i].opened == 0);
		if (d->file[i].exists)
			reboot_file(&d->file[i], how, &chance);
	}
	d->dead = false;
}
