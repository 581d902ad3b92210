/* One number for a night: SHA-256 over every row of a state, and over what the telescope counted. For comparing runs on one machine and C
 * library only: another libm may differ in the last bit, so no such number is ever kept in the tree. */
#ifndef SIM_DIGEST_H
#define SIM_DIGEST_H
#include "engine/base/err.h"
#include "engine/base/text.h"
#include "sim/portal.h"
#include <sqlite3.h>

/* Over every table in order of name, every row in order of its primary key, every column with its type, doubles by their bits. Appends
 * " TABLE=8hex" for each table, so that what differs can be told. 0; -1 when the state cannot be read. */
int state_digest(sqlite3 *db, struct text *tables, char out[65], struct err *e);

/* Over the portal's ledger. Empty without memory. */
void portal_digest(const struct sim_portal *p, char out[65]);
#endif
