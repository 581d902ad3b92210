/* Migrations: schemas/store/NNNN_name.sql (embedded), forward only; PRAGMA user_version counts them. */
#include "engine/base/embed.h"
#include "engine/base/query.h"
#include "engine/core/turn.h"
#include <stdlib.h>
#include <string.h>

#define FOLDER "schemas/store/"

static int number_of(const struct embed *f)
{
	if (strncmp(f->path, FOLDER, sizeof FOLDER - 1) != 0)
		return 0;
	return (int)strtol(f->path + sizeof FOLDER - 1, NULL, 10);
}

static int newest(void)
{
	int n = 0;
	for (const struct embed *f = embed_table; f->path != NULL; f++)
		n = number_of(f) > n ? number_of(f) : n;
	return n;
}

static int apply(sqlite3 *db, const struct embed *f, int number, struct err *e)
{
	char version[64];
	snprintf(version, sizeof version, "PRAGMA user_version=%d", number);
	if (query_script(db, f->start, e) < 0 || query_script(db, version, e) < 0)
		return err_wrap(e, "migration %s", f->path);
	return 0;
}

/* Every number above `have`, in one transaction; a table may be made anew under its references, which must all hold at the end. */
static int climb(sqlite3 *db, int have, struct err *e)
{
	int64_t broken = 0;
	if (query_script(db, "BEGIN IMMEDIATE", e) < 0)
		return -1;
	for (int n = have + 1; n <= newest(); n++) /* numbers may have gaps */
		for (const struct embed *f = embed_table; f->path != NULL; f++)
			if (number_of(f) == n && apply(db, f, n, e) < 0)
				return -1;
	if (query_int(db, &broken, e, "SELECT count(*) FROM pragma_foreign_key_check", "") < 0)
		return -1;
	if (broken > 0)
		return err_set(e, ERR_STORE, "migration: %lld rows name rows that do not exist; the state was changed by something else: take a copy made "
			"before", (long long)broken);
	return query_script(db, "COMMIT", e);
}

int migrate(sqlite3 *db, struct err *e)
{
	int64_t have = 0;
	struct err ignored = {0};
	if (query_int(db, &have, e, "PRAGMA user_version", "") < 0)
		return -1;
	if (have > newest())
		return err_set(e, ERR_STORE, "state: its schema is version %lld, this program knows %d; use the program that wrote it, or a newer one",
			       (long long)have, newest());
	if (have == newest())
		return 0;
	if (query_script(db, "PRAGMA foreign_keys=OFF", e) < 0)
		return -1;
	int rc = climb(db, (int)have, e);
	if (rc < 0)
		query_script(db, "ROLLBACK", &ignored);
	return query_script(db, "PRAGMA foreign_keys=ON", rc < 0 ? &ignored : e) < 0 ? -1 : rc;
}
