/* Writing a catalogue (form: catalog.h) from rows that come one by one, already sorted: any number of them in constant memory (about 15 MB).
 *
 *	catalog_writer_open → catalog_writer_add, row after row by (IPIX29, ID) → catalog_writer_finish, or catalog_writer_abandon
 *
 * The rows go straight into a temporary file beside `path`; finish reads them once more for the index, the columns and the digest, writes the
 * headers, syncs and renames. Until then nothing of that name is touched: a reader has the old file or the new one, never a part. */
#ifndef ENGINE_TARGET_CATALOG_WRITE_H
#define ENGINE_TARGET_CATALOG_WRITE_H
#include "engine/base/err.h"
#include "engine/base/hash.h"
#include "engine/base/text.h"
#include "engine/target/catalog.h"

#define CATALOG_WRITE_CARDS 64 /* what the header has room for beside the caller's cards: form, digest */

struct catalog_writer {
	char *path, *temporary;     /* owned */
	int fd;
	int64_t count;              /* rows added so far */
	uint64_t last_ipix29;       /* of the row before, to keep the order */
	int64_t last_id;
	unsigned char *buffer;      /* owned */
	size_t used;
	uint64_t at;                /* bytes of the file that are written */
	struct hash_running *digest; /* of the rows written so far; owned */
	size_t header_bytes;        /* of GALAXIES, with the room for cards */
};

/* cards: the most 80-byte cards that finish will be given (provenance; blank cards fill what is not used). On error (ERR_SYSTEM: the
 * temporary file cannot be made; ERR_LIMIT: too many cards) there is nothing to abandon. */
int catalog_writer_open(struct catalog_writer *w, const char *path, size_t cards, struct err *e);

/* Rows must come in order (ERR_INPUT says which does not); equal (IPIX29, ID) are allowed. After an error: abandon. */
int catalog_writer_add(struct catalog_writer *w, const struct catalog_row *r, struct err *e);

/* provenance: whole cards (fits_write.h: fits_card_text, fits_card_history…), not more than announced; borrowed. digest may be NULL. Frees
 * the writer, whatever comes of it; on error the temporary file is removed. No row at all is ERR_INPUT. */
int catalog_writer_finish(struct catalog_writer *w, const struct text *provenance, char digest[65], struct err *e);

/* Gives up: removes the temporary file. Harmless on a zeroed writer and after finish. */
void catalog_writer_abandon(struct catalog_writer *w);
#endif
