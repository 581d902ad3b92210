/* Coverage files of strangers → ranges: FITS by our own bounded reader, JSON, ASCII: see moc.h. */
#include "engine/target/moc.h"
#include "engine/base/bytes.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/target/inflate.h"
#include "engine/target/fits_header.h"
#include "engine/target/skymap.h"
#include "engine/target/skymap_file.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A file's header: what its rows are. */
struct source {
	const unsigned char *rows;
	int64_t count;
	size_t step, size; /* bytes a row, and of its number */
	bool ranges;
	int order;
};

static int dimension_check(const struct fits_header *h, struct err *e)
{
	char dim[72] = "SPACE", frame[72] = "C", word[72];
	fits_header_text(h, "MOCDIM", dim, sizeof dim);
	fits_header_text(h, "COORDSYS", frame, sizeof frame);
	if (strcmp(dim, "SPACE") != 0) {
		text_escape(word, sizeof word, dim, strlen(dim));
		return err_set(e, ERR_INPUT, "MOC: its dimension is %s (MOCDIM); only coverage of the sky (SPACE) is read", word);
	}
	if (strcmp(frame, "C") != 0 && strcmp(frame, "ICRS") != 0) {
		text_escape(word, sizeof word, frame, strlen(frame));
		return err_set(e, ERR_INPUT, "MOC: COORDSYS is %s; a MOC is in equatorial coordinates (C)", word);
	}
	return 0;
}

/* The column of the table, and what its numbers mean. */
static int columns_of(const struct fits_header *h, struct source *s, struct err *e)
{
	struct fits_column c;
	char ordering[72] = "NUNIQ", word[72];
	int64_t fields = 0, width = 0, order = -1;
	size_t offset = 0;
	if (!fits_header_int(h, "TFIELDS", &fields) || !fits_header_int(h, "NAXIS1", &width) || !fits_header_int(h, "NAXIS2", &s->count) ||
		!fits_header_column(h, 1, &offset, &c))
		return err_set(e, ERR_INPUT, "MOC: the table's header is damaged (TFIELDS, NAXIS1, NAXIS2 or TFORM1)");
	if (fields != 1 || c.repeat != 1 || (c.type != 'K' && c.type != 'J'))
		return err_set(e, ERR_INPUT, "MOC: its table has %lld columns, the first of type %c; a MOC has one, of whole numbers: give the "
			"coverage, not a map with probabilities", (long long)fields, c.type);
	fits_header_text(h, "ORDERING", ordering, sizeof ordering);
	s->ranges = strcmp(ordering, "RANGE") == 0;
	if (!s->ranges && strcmp(ordering, "NUNIQ") != 0) {
		text_escape(word, sizeof word, ordering, strlen(ordering));
		return err_set(e, ERR_INPUT, "MOC: ORDERING is %s, not NUNIQ or RANGE; is it another kind of HEALPix file?", word);
	}
	s->step = (size_t)width;
	s->size = fits_type_size(c.type);
	if (!fits_header_int(h, "MOCORD_S", &order))
		fits_header_int(h, "MOCORDER", &order);
	if (order > MOC_ORDER)
		return err_set(e, ERR_INPUT, "MOC: its order is %lld; HEALPix has 0 to 29", (long long)order);
	s->order = order < 0 ? 0 : (int)order;
	if (s->count > LIMIT_MOC_CELLS || (s->ranges && s->count % 2 != 0))
		return err_set(e, s->count > LIMIT_MOC_CELLS ? ERR_LIMIT : ERR_INPUT, "MOC: %lld rows%s", (long long)s->count,
			s->count > LIMIT_MOC_CELLS ? " are over the limit; write it at a lower order" : " of ranges are not even: the file is damaged");
	return 0;
}

static int source_of(const unsigned char *bytes, size_t len, struct source *s, struct err *e)
{
	struct fits_header primary, table;
	if (fits_guard(bytes, len, e) < 0 || fits_header_scan(bytes, len, &primary, e) < 0 ||
		fits_header_scan(bytes + primary.bytes, len - primary.bytes, &table, e) < 0)
		return err_wrap(e, "MOC");
	s->rows = bytes + primary.bytes + table.bytes;
	return dimension_check(&table, e) < 0 ? -1 : columns_of(&table, s, e);
}

static uint64_t number_at(const struct source *s, int64_t row)
{
	const unsigned char *p = s->rows + (size_t)row * s->step;
	return s->size == 8 ? bytes_u64(p) : bytes_u32(p);
}

static int fits_read(const unsigned char *bytes, size_t len, struct moc *out, struct err *e)
{
	struct source s;
	if (source_of(bytes, len, &s, e) < 0)
		return -1;
	for (int64_t row = 0; row < s.count; row += s.ranges ? 2 : 1) {
		uint64_t first = number_at(&s, row), end;
		int order = MOC_ORDER;
		if (s.ranges) {
			end = number_at(&s, row + 1);
		} else if (first < 4 || first >= UINT64_C(16) << 58) {
			return err_set(e, ERR_INPUT, "MOC: UNIQ %llu in row %lld is no HEALPix pixel", (unsigned long long)first, (long long)row + 1);
		} else {
			order = skymap_order(first);
			first -= UINT64_C(4) << (2 * order);
			end = first + 1;
		}
		if (moc_add(out, order, first, end, e) < 0)
			return err_wrap(e, "row %lld", (long long)row + 1);
		if (!s.ranges && order > s.order)
			s.order = order;
	}
	out->order = s.order;
	return 0;
}

static int json_read_moc(const char *text, size_t len, struct moc *out, struct err *e)
{
	static const struct json_limits limits = {.bytes = LIMIT_TEXT / 4, .tokens = 1000000, .depth = 3};
	json_t *root = json_read(text, len, &limits, e), *list, *v;
	const char *key;
	size_t i;
	int rc = root == NULL ? -1 : json_is_object(root) ? 0 : err_set(e, ERR_INPUT, "MOC: this JSON is no object {\"order\": [pixels]}");
	if (rc == 0)
		json_object_foreach(root, key, list) {
			char *end;
			long order = strtol(key, &end, 10);
			if (end == key || *end != '\0' || order < 0 || order > MOC_ORDER || !json_is_array(list))
				rc = err_set(e, ERR_INPUT, "MOC: its JSON has a member that is no \"order\": [pixels] with an order from 0 to 29");
			else if (order > out->order)
				out->order = (int)order;
			json_array_foreach(list, i, v) {
				json_int_t n = json_is_integer(v) ? json_integer_value(v) : -1;
				if (rc == 0 && n < 0)
					rc = err_set(e, ERR_INPUT, "MOC: order %ld holds something that is no pixel number", order);
				if (rc == 0)
					rc = moc_add(out, (int)order, (uint64_t)n, (uint64_t)n + 1, e);
			}
			if (rc < 0)
				break;
		}
	json_decref(root);
	return rc;
}

/* A number of at most 19 digits at *at, which moves behind it; UINT64_MAX when there is none. */
static uint64_t digits(const char *text, size_t len, size_t *at)
{
	uint64_t v = 0;
	size_t n = 0;
	for (; *at < len && isdigit((unsigned char)text[*at]) && n < 19; ++*at, n++)
		v = 10 * v + (uint64_t)(text[*at] - '0');
	return n > 0 ? v : UINT64_MAX;
}

static int ascii_read(const char *text, size_t len, struct moc *out, struct err *e)
{
	int order = -1;
	size_t at = len > 0 && text[0] == 's' ? 1 : 0; /* MOC 2.0 marks the dimension */
	for (;;) {
		while (at < len && (isspace((unsigned char)text[at]) || text[at] == ','))
			at++;
		if (at == len)
			return order >= 0 ? 0 : err_set(e, ERR_INPUT, "MOC: it names no order");
		uint64_t first = digits(text, len, &at), last = first;
		if (first != UINT64_MAX && at < len && text[at] == '/') {
			if (first > MOC_ORDER)
				return err_set(e, ERR_INPUT, "MOC: order %llu at byte %zu; HEALPix has 0 to 29", (unsigned long long)first, at);
			order = (int)first;
			out->order = order > out->order ? order : out->order;
			at++;
			continue;
		}
		if (first != UINT64_MAX && at < len && text[at] == '-') {
			at++;
			last = digits(text, len, &at);
		}
		if (order < 0 || first == UINT64_MAX || last == UINT64_MAX)
			return err_set(e, ERR_INPUT, "MOC: byte %zu is not what \"order/pixel,pixel-pixel order/…\" has there", at);
		if (moc_add(out, order, first, last + 1, e) < 0)
			return err_wrap(e, "byte %zu", at);
	}
}

int moc_read(const void *bytes, size_t len, struct moc *out, struct err *e)
{
	const unsigned char *b = bytes;
	struct inflated inflated = {NULL, 0};
	*out = (struct moc){0};
	if (len > LIMIT_TEXT)
		return err_set(e, ERR_LIMIT, "MOC: a file of %zu bytes is over the limit of %u; write it at a lower order", len, LIMIT_TEXT);
	if (len >= 2 && b[0] == 0x1f && b[1] == 0x8b) {
		if (inflate_gzip(bytes, len, LIMIT_MAP_INFLATED, &inflated, e) < 0)
			return err_wrap(e, "MOC");
		b = inflated.data;
		len = inflated.len;
	}
	size_t blank = 0;
	while (blank < len && isspace(b[blank]))
		blank++;
	int rc;
	if (len - blank > 0 && b[blank] == '{')
		rc = json_read_moc((const char *)b + blank, len - blank, out, e);
	else if (len - blank > 0 && (isdigit(b[blank]) || (b[blank] == 's' && len - blank > 1 && isdigit(b[blank + 1]))))
		rc = ascii_read((const char *)b + blank, len - blank, out, e);
	else if (len >= 9 && memcmp(b, "SIMPLE  =", 9) == 0)
		rc = fits_read(b, len, out, e);
	else
		rc = skymap_not_fits(b, len, e);
	free(inflated.data);
	if (rc < 0)
		moc_free(out);
	else
		moc_finish(out);
	return rc;
}
