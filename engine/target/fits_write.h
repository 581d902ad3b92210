/* Writing FITS by hand: 80-character cards in blocks of 2880 bytes (FITS standard 4.0, §4). Each appends to a struct text, whose
 * `failed` says at the end whether all went in. Characters that FITS forbids become '?'; what does not fit into a card is cut. */
#ifndef ENGINE_TARGET_FITS_WRITE_H
#define ENGINE_TARGET_FITS_WRITE_H
#include "engine/base/text.h"
#include <stdint.h>

/* comment may be "". */
void fits_card(struct text *t, const char *key, const char *value, const char *comment);
void fits_card_int(struct text *t, const char *key, int64_t value, const char *comment);
void fits_card_double(struct text *t, const char *key, double value, const char *comment);
void fits_card_text(struct text *t, const char *key, const char *value, const char *comment);
/* As many HISTORY cards as the words need. */
void fits_card_history(struct text *t, const char *words);

/* The cards of the empty primary unit of a file whose data are in its extensions. */
void fits_primary(struct text *t);
/* The cards every binary table begins with; then its columns, from 1 (unit may be ""). */
void fits_table(struct text *t, int64_t row_bytes, int64_t rows, int columns);
void fits_table_column(struct text *t, int n, const char *name, const char *form, const char *unit);
/* END and blanks to the end of the block. */
void fits_header_end(struct text *t);
/* Zero bytes to the end of the block, behind the rows of a table. */
void fits_rows_end(struct text *t);
#endif
