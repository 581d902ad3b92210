/* Digests of a night: see digest.h. Row by row, each with what was before it. */
#include "sim/digest.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void cell_add(sqlite3_stmt *q, int i, struct text *row)
{
	int type = sqlite3_column_type(q, i);
	uint64_t bits = 0;
	if (type == SQLITE_FLOAT) {
		double v = sqlite3_column_double(q, i);
		memcpy(&bits, &v, sizeof bits);
		text_printf(row, "|%d:%016llx", type, (unsigned long long)bits);
		return;
	}
	const void *bytes = sqlite3_column_blob(q, i); /* of a number: its decimal digits */
	size_t n = (size_t)sqlite3_column_bytes(q, i);
	text_printf(row, "|%d:%zu:", type, n);
	text_add(row, bytes, n);
}

static int table_digest(sqlite3 *db, const char *name, char out[65], struct err *e)
{
	static const char keys[] = "SELECT name FROM pragma_table_info(?) WHERE pk>0 ORDER BY pk";
	struct text sql = {.max = 1000}, row = {.max = 80u << 20};
	json_t *columns = query_rows(db, 16, e, keys, "t", name), *key;
	size_t i;
	text_printf(&sql, "SELECT * FROM \"%s\"", name);
	json_array_foreach(columns, i, key)
		text_printf(&sql, "%s\"%s\"", i ? "," : " ORDER BY ", json_text(key, "name", ""));
	sqlite3_stmt *q = columns && !sql.failed ? query_prepare(db, sql.data, e) : NULL;
	int rc = q ? 1 : -1;
	hash_sha256_hex(name, strlen(name), out);
	while (rc == 1 && (rc = query_step(q, e)) == 1) {
		text_reset(&row);
		text_puts(&row, out);
		for (int c = 0; c < sqlite3_column_count(q); c++)
			cell_add(q, c, &row);
		if (row.failed)
			rc = err_set(e, ERR_MEMORY, "no memory for a row of %s", name);
		else
			hash_sha256_hex(row.data, row.len, out);
	}
	sqlite3_finalize(q);
	json_decref(columns);
	text_free(&sql);
	text_free(&row);
	return rc;
}

int state_digest(sqlite3 *db, struct text *tables, char out[65], struct err *e)
{
	static const char made[] = "SELECT name FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
	struct text all = {.max = 1u << 20};
	json_t *list = query_rows(db, 200, e, made, ""), *row;
	int rc = list ? 0 : -1;
	char one[65];
	size_t i;
	json_array_foreach(list, i, row) {
		const char *name = json_text(row, "name", "");
		if (rc == 0)
			rc = table_digest(db, name, one, e);
		if (rc == 0) {
			text_puts(&all, one);
			text_printf(tables, " %s=%.8s", name, one);
		}
	}
	hash_sha256_hex(all.data ? all.data : "", all.len, out);
	json_decref(list);
	text_free(&all);
	return rc;
}

void portal_digest(const struct sim_portal *p, char out[65])
{
	json_t *ledger = sim_portal_ledger(p);
	char *text = ledger ? json_canonical(ledger) : NULL;
	out[0] = '\0';
	if (text != NULL)
		hash_sha256_hex(text, strlen(text), out);
	free(text);
	json_decref(ledger);
}
