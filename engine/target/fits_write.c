/* FITS cards and headers: see fits_write.h. */
#include "engine/target/fits_write.h"
#include "engine/target/fits_header.h"
#include <stdio.h>
#include <string.h>

static char printable(char c)
{
	return c >= 0x20 && c <= 0x7E ? c : '?';
}

void fits_card(struct text *t, const char *key, const char *value, const char *comment)
{
	char line[256];
	int n = snprintf(line, sizeof line, "%-8s= %20s%s%s", key, value, comment[0] ? " / " : "", comment);
	text_printf(t, "%-80.80s", n > 0 ? line : "");
}

void fits_card_int(struct text *t, const char *key, int64_t value, const char *comment)
{
	char word[32];
	snprintf(word, sizeof word, "%lld", (long long)value);
	fits_card(t, key, word, comment);
}

void fits_card_double(struct text *t, const char *key, double value, const char *comment)
{
	char word[40];
	snprintf(word, sizeof word, "%.12E", value);
	fits_card(t, key, word, comment);
}

/* Quotes are doubled; a string has at least 8 characters and is padded to the column where comments begin. */
void fits_card_text(struct text *t, const char *key, const char *value, const char *comment)
{
	char quoted[80] = "'", padded[88];
	size_t o = 1;
	for (; *value && o < 67; value++) {
		quoted[o++] = printable(*value);
		if (*value == '\'')
			quoted[o++] = '\'';
	}
	while (o < 9)
		quoted[o++] = ' ';
	quoted[o++] = '\'';
	quoted[o] = '\0';
	snprintf(padded, sizeof padded, "%-20s", quoted);
	fits_card(t, key, padded, comment);
}

void fits_card_history(struct text *t, const char *words)
{
	for (size_t n = strlen(words), at = 0, take; at < n; at += take) {
		char line[81];
		for (take = n - at < 70 ? n - at : 70; at + take < n && take > 0 && words[at + take - 1] != ' ';)
			take--;
		if (take == 0) /* one long word */
			take = 70;
		snprintf(line, sizeof line, "HISTORY   %.*s", (int)take, words + at);
		for (char *s = line; *s; s++)
			*s = printable(*s);
		text_printf(t, "%-80s", line);
	}
}

void fits_primary(struct text *t)
{
	fits_card(t, "SIMPLE", "T", "conforms to the FITS standard");
	fits_card_int(t, "BITPIX", 8, "");
	fits_card_int(t, "NAXIS", 0, "");
	fits_card(t, "EXTEND", "T", "");
	fits_header_end(t);
}

void fits_table(struct text *t, int64_t row_bytes, int64_t rows, int columns)
{
	fits_card_text(t, "XTENSION", "BINTABLE", "binary table");
	fits_card_int(t, "BITPIX", 8, "");
	fits_card_int(t, "NAXIS", 2, "");
	fits_card_int(t, "NAXIS1", row_bytes, "bytes a row");
	fits_card_int(t, "NAXIS2", rows, "rows");
	fits_card_int(t, "PCOUNT", 0, "");
	fits_card_int(t, "GCOUNT", 1, "");
	fits_card_int(t, "TFIELDS", columns, "");
}

void fits_table_column(struct text *t, int n, const char *name, const char *form, const char *unit)
{
	char key[32];
	snprintf(key, sizeof key, "TTYPE%d", n);
	fits_card_text(t, key, name, "");
	snprintf(key, sizeof key, "TFORM%d", n);
	fits_card_text(t, key, form, "");
	snprintf(key, sizeof key, "TUNIT%d", n);
	if (unit[0])
		fits_card_text(t, key, unit, "");
}

static void pad(struct text *t, const char *with)
{
	while (t->len % FITS_BLOCK != 0 && !t->failed)
		text_add(t, with, 1);
}

void fits_header_end(struct text *t)
{
	text_printf(t, "%-80s", "END");
	pad(t, " ");
}

void fits_rows_end(struct text *t)
{
	pad(t, "");
}
