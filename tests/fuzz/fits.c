/* A mutator that knows FITS: see fits.h. */
#include "fits.h"
#include "engine/base/bytes.h"
#include "engine/target/fits_header.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct table {
	uint8_t *bytes;
	size_t len, max;
	size_t head, data;   /* where the table's header and its rows begin */
	size_t cards;        /* of that header, without END */
	size_t width, rows;  /* as announced, or as far as they are there */
	struct fits_header h;
};

static bool parse(struct table *t)
{
	struct err e = {0};
	struct fits_header primary;
	int64_t width = 0, rows = 0;
	if (fits_header_scan(t->bytes, t->len, &primary, &e) < 0 || primary.bytes >= t->len)
		return false;
	if (fits_header_scan(t->bytes + primary.bytes, t->len - primary.bytes, &t->h, &e) < 0)
		return false;
	t->head = primary.bytes;
	t->data = t->head + t->h.bytes;
	t->cards = t->h.count;
	fits_header_int(&t->h, "NAXIS1", &width);
	fits_header_int(&t->h, "NAXIS2", &rows);
	t->width = width > 0 && (size_t)width <= t->len - t->data ? (size_t)width : 40;
	t->rows = (t->len - t->data) / t->width;
	if (rows >= 0 && (size_t)rows < t->rows)
		t->rows = (size_t)rows;
	return true;
}

static uint8_t *card_at(struct table *t, size_t i)
{
	return t->bytes + t->head + i * 80;
}

static void card_write(uint8_t *at, const char *text)
{
	char line[81];
	snprintf(line, sizeof line, "%-80.80s", text);
	memcpy(at, line, 80);
}

static const char *const keys[] = {"TZERO1", "TSCAL1", "TNULL1", "TZERO5", "TDIM1", "TDISP1", "THEAP", "PCOUNT", "GCOUNT", "NSIDE", "ORDERING", "COORDSYS",
	"DISTMEAN", "DISTSTD", "OBJECT", "HISTORY", "CONTINUE", "COMMENT", "LONGSTRN", "EXTNAME", "TTYPE1", "TFORM1", "TUNIT1", "TTYPE2", "TFORM2", "TFORM3",
	"TFIELDS", "NAXIS", "NAXIS1", "NAXIS2", "BITPIX", "XTENSION", "INDXSCHM", "ZIMAGE", "BLANK", "FIRSTPIX", "MOCORDER", "SIMPLE", "GROUPS", "INHERIT"};
static const char *const values[] = {"0", "1", "-1", "2", "3", "4", "5", "8", "12", "40", "48", "192", "999", "1000", "2147483647", "2147483648", "4294967296",
	"9223372036854775807", "-9223372036854775808", "9223372036854775808", "1.5", "1E308", "1D5", "NaN", "T", "F", "''", "'1D'", "'1K'", "'D'", "'K'", "'0D'", "'2D'", "'E'",
	"'1J'", "'I'", "'1024E'", "'4096E'", "'4097E'", "'1PD(10)'", "'1QD(10)'", "'16A'", "'16A8'", "'X'", "'C'", "'NESTED'", "'NEST'", "'RING'", "'NUNIQ'", "'sr-1'",
	"'deg-2'", "'pix-1'", "'UNIQ'", "'PROB'", "'PROBDENSITY'", "'PROBABILITY'", "'PIXEL'", "'DISTMU'", "'DISTSIGMA'", "'DISTNORM'", "'G'", "'BINTABLE'", "'IMAGE'", "'TABLE'",
	"'it''s'", "'a' / b", "'&'", "' unclosed", "(1,2)", "'(2,3)'", "/ comment only", "1 / 2", "'12345678901234567890123456789012345678901234567890123456789012345678'"};

static void change_card(struct table *t, struct fuzz_dice *d)
{
	char line[200], key[9] = "";
	uint8_t *at = fuzz_below(d, 12) == 0 ? t->bytes + 80 * fuzz_below(d, t->head / 80) : card_at(t, fuzz_below(d, t->cards + 1));
	memcpy(key, at, 8);
	if (strncmp(key, "END     ", 8) == 0 && fuzz_below(d, 8))
		return;
	switch (fuzz_below(d, 6)) {
	case 0: /* another keyword, the value kept */
		snprintf(line, sizeof line, "%-8.8s", keys[fuzz_below(d, sizeof keys / sizeof *keys)]);
		memcpy(at, line, 8);
		break;
	case 1: { /* any printable byte anywhere */
		at[fuzz_below(d, 80)] = (uint8_t)(0x20 + fuzz_below(d, 0x5F));
		break;
	}
	default:
		snprintf(line, sizeof line, "%-8.8s= %20s", key, values[fuzz_below(d, sizeof values / sizeof *values)]);
		card_write(at, line);
		break;
	}
}

/* Takes a card out, or puts one in (a block more when there is no room). */
static void move_cards(struct table *t, struct fuzz_dice *d)
{
	size_t i = fuzz_below(d, t->cards);
	char line[200];
	if (fuzz_below(d, 2)) {
		memmove(card_at(t, i), card_at(t, i + 1), (t->cards - i) * 80);
		memset(card_at(t, t->cards), ' ', 80);
		t->cards--;
		return;
	}
	if ((t->cards + 2) * 80 > t->h.bytes) {
		if (t->len + FITS_BLOCK > t->max)
			return;
		memmove(t->bytes + t->data + FITS_BLOCK, t->bytes + t->data, t->len - t->data);
		memset(t->bytes + t->data, ' ', FITS_BLOCK);
		t->len += FITS_BLOCK;
		t->data += FITS_BLOCK;
		t->h.bytes += FITS_BLOCK;
	}
	memmove(card_at(t, i + 1), card_at(t, i), (t->cards + 1 - i) * 80);
	t->cards++;
	if (fuzz_below(d, 2)) {
		snprintf(line, sizeof line, "%-8.8s= %20s", keys[fuzz_below(d, sizeof keys / sizeof *keys)], values[fuzz_below(d, sizeof values / sizeof *values)]);
		card_write(card_at(t, i), line);
	}
}

/* One value of 8 or 4 bytes in some row. */
static void change_value(struct table *t, struct fuzz_dice *d)
{
	static const double ends[] = {0, -0.0, 1, -1, 0.0795774715, 1e-300, 5e-324, 1e300, 1.7e308, -1.6375e30, -1e31, INFINITY, -INFINITY, NAN, 40, 1e-9};
	static const uint64_t pixels[] = {0, 1, 3, 4, 15, 16, 63, 64, UINT64_C(4) << 58, (UINT64_C(16) << 58) - 1, UINT64_C(16) << 58, UINT64_MAX, UINT64_C(1) << 63};
	if (t->rows == 0 || t->width < 8)
		return;
	uint8_t *at = t->bytes + t->data + fuzz_below(d, t->rows) * t->width + fuzz_below(d, t->width / 4 - 1) * 4;
	uint64_t was = bytes_u64(at);
	switch (fuzz_below(d, 5)) {
	case 0: bytes_put_double(at, ends[fuzz_below(d, sizeof ends / sizeof *ends)]); break;
	case 1: bytes_put_u64(at, pixels[fuzz_below(d, sizeof pixels / sizeof *pixels)]); break;
	case 2: bytes_put_u64(at, was + fuzz_below(d, 17) - 8); break;
	case 3: bytes_put_u64(at, was * 4 + fuzz_below(d, 4)); break; /* a child pixel */
	default: bytes_put_double(at, bytes_double(at) * ldexp(1, (int)fuzz_below(d, 9) - 4)); break;
	}
}

static void move_rows(struct table *t, struct fuzz_dice *d)
{
	size_t a = fuzz_below(d, t->rows), b = fuzz_below(d, t->rows), w = t->width;
	uint8_t *rows = t->bytes + t->data, keep[512];
	if (t->rows < 2 || w > sizeof keep)
		return;
	memcpy(keep, rows + a * w, w);
	switch (fuzz_below(d, 4)) {
	case 0: /* swap */
		memcpy(rows + a * w, rows + b * w, w);
		memcpy(rows + b * w, keep, w);
		break;
	case 1: /* out */
		memmove(rows + a * w, rows + (a + 1) * w, (t->rows - a - 1) * w);
		t->rows--;
		break;
	case 2: /* in, once more */
		if (t->data + (t->rows + 1) * w > t->max)
			return;
		memmove(rows + (b + 1) * w, rows + b * w, (t->rows - b) * w);
		memcpy(rows + b * w, keep, w);
		t->rows++;
		if (t->data + t->rows * w > t->len)
			t->len = t->data + t->rows * w;
		break;
	default: /* split a cell into its four children, the density kept: a finer map of the same sky */
		if (t->data + (t->rows + 3) * w > t->max)
			return;
		memmove(rows + (a + 4) * w, rows + (a + 1) * w, (t->rows - a - 1) * w);
		for (int k = 0; k < 4; k++) {
			memcpy(rows + (a + (size_t)k) * w, keep, w);
			for (size_t at = 0; at + 8 <= w; at += 8) /* the column of pixels is the one that looks like it */
				if (bytes_u64(keep + at) < UINT64_C(1) << 40)
					bytes_put_u64(rows + (a + (size_t)k) * w + at, bytes_u64(keep + at) * 4 + (uint64_t)k);
		}
		t->rows += 3;
		if (t->data + t->rows * w > t->len)
			t->len = t->data + t->rows * w;
		break;
	}
}

static void set_int(struct table *t, const char *key, size_t value)
{
	char line[96], padded[9];
	snprintf(padded, sizeof padded, "%-8s", key);
	snprintf(line, sizeof line, "%-8s= %20zu", key, value);
	for (size_t i = 0; i < t->cards; i++)
		if (memcmp(card_at(t, i), padded, 8) == 0)
			card_write(card_at(t, i), line);
}

/* Widths and sizes as the columns make them; padding to whole blocks. */
static void mend(struct table *t)
{
	struct fits_header h;
	struct err e = {0};
	int64_t fields = 0;
	size_t width = 0;
	struct fits_column c;
	if (fits_header_scan(t->bytes + t->head, t->len - t->head, &h, &e) < 0 || !fits_header_int(&h, "TFIELDS", &fields))
		return;
	for (int i = 1; i <= fields && i < 1000; i++)
		if (!fits_header_column(&h, i, &width, &c))
			return;
	t->data = t->head + h.bytes;
	t->cards = h.count;
	size_t have = width == t->width ? t->rows : width > 0 && t->len > t->data ? (t->len - t->data) / width : 0;
	set_int(t, "NAXIS1", width);
	set_int(t, "NAXIS2", have);
	size_t end = t->data + have * width, whole = (end + FITS_BLOCK - 1) / FITS_BLOCK * FITS_BLOCK;
	if (whole > t->max || end > t->len)
		return;
	memset(t->bytes + end, 0, whole - end);
	t->len = whole;
}

size_t fuzz_change_fits(uint8_t *bytes, size_t len, size_t max, struct fuzz_dice *d)
{
	struct table t = {.bytes = bytes, .len = len, .max = max};
	if (!parse(&t) || t.cards < 2)
		return fuzz_mutate_bytes(bytes, len, max);
	for (size_t n = 1 + fuzz_below(d, 4); n > 0; n--) {
		switch (fuzz_below(d, 8)) {
		case 0:
		case 1: change_card(&t, d); break;
		case 2: move_cards(&t, d); break;
		case 3:
		case 4: move_rows(&t, d); break;
		default: change_value(&t, d); break;
		}
	}
	if (fuzz_below(d, 8))
		mend(&t);
	else if (fuzz_below(d, 2) && t.len > 0)
		t.len -= fuzz_below(d, t.len); /* cut short */
	return t.len;
}

/* ---- gzip ---- */
size_t fuzz_gzip(const uint8_t *bytes, size_t len, uint8_t *out, size_t max)
{
	static z_stream z; /* kept: its set-up is most of its cost */
	static bool ready;
	if (!ready)
		ready = deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
	must(ready && deflateReset(&z) == Z_OK);
	z.next_in = (uint8_t *)(size_t)bytes;
	z.avail_in = (unsigned)len;
	z.next_out = out;
	z.avail_out = (unsigned)max;
	return deflate(&z, Z_FINISH) == Z_STREAM_END ? max - z.avail_out : 0;
}

size_t fuzz_gunzip(uint8_t *bytes, size_t len, size_t max)
{
	z_stream z = {0};
	if (len < 2 || bytes[0] != 0x1f || bytes[1] != 0x8b || inflateInit2(&z, 15 + 16) != Z_OK)
		return len;
	uint8_t *out = malloc(max);
	must(out != NULL);
	z.next_in = bytes;
	z.avail_in = (unsigned)len;
	z.next_out = out;
	z.avail_out = (unsigned)max;
	if (inflate(&z, Z_FINISH) == Z_STREAM_END) {
		len = max - z.avail_out;
		memcpy(bytes, out, len);
	}
	inflateEnd(&z);
	free(out);
	return len;
}
