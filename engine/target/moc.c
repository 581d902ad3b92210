/* Coverage as sorted ranges of pixels: building, asking, and writing FITS, JSON and ASCII: see moc.h. Reading: moc_read.c. */
#include "engine/target/moc.h"
#include "engine/base/bytes.h"
#include "engine/base/limits.h"
#include "engine/target/fits_write.h"
#include <chealpix.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEG (180.0 / M_PI)

void moc_free(struct moc *m)
{
	free(m->range);
	*m = (struct moc){0};
}

int moc_add(struct moc *m, int order, uint64_t first, uint64_t end, struct err *e)
{
	if (order < 0 || order > MOC_ORDER || first >= end || end > UINT64_C(12) << (2 * order))
		return err_set(e, ERR_INPUT, "MOC: %llu to %llu are no pixels of order %d", (unsigned long long)first, (unsigned long long)end, order);
	int shift = 2 * (MOC_ORDER - order);
	first <<= shift;
	end <<= shift;
	m->order = order > m->order ? order : m->order;
	if (m->count > 0 && m->range[m->count - 1].end == first) {
		m->range[m->count - 1].end = end;
		return 0;
	}
	if (m->count >= LIMIT_MOC_CELLS)
		return err_set(e, ERR_LIMIT, "MOC: it has more than %u ranges; write it at a lower order", LIMIT_MOC_CELLS);
	if (m->count == m->cap) {
		size_t cap = m->cap ? 2 * m->cap : 64;
		struct moc_range *more = realloc(m->range, cap * sizeof *more);
		if (more == NULL)
			return err_set(e, ERR_MEMORY, "no memory for a coverage of %zu ranges", cap);
		m->range = more;
		m->cap = cap;
	}
	m->range[m->count++] = (struct moc_range){first, end};
	return 0;
}

static int range_compare(const void *a, const void *b)
{
	const struct moc_range *p = a, *q = b;
	return p->first != q->first ? (p->first > q->first) - (p->first < q->first) : (p->end > q->end) - (p->end < q->end);
}

void moc_finish(struct moc *m)
{
	size_t kept = 0;
	if (m->count > 1)
		qsort(m->range, m->count, sizeof *m->range, range_compare);
	for (size_t i = 1; i < m->count; i++) {
		struct moc_range *last = &m->range[kept];
		if (m->range[i].first > last->end)
			m->range[++kept] = m->range[i];
		else if (m->range[i].end > last->end)
			last->end = m->range[i].end;
	}
	m->count = m->count > 0 ? kept + 1 : 0;
}

bool moc_contains(const struct moc *m, uint64_t ipix29)
{
	size_t low = 0, high = m->count; /* the first range that ends behind the pixel */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (m->range[middle].end <= ipix29)
			low = middle + 1;
		else
			high = middle;
	}
	return low < m->count && m->range[low].first <= ipix29;
}

uint64_t moc_pixel(int order, double ra_deg, double dec_deg)
{
	int64_t ipix;
	ang2pix_nest64(INT64_C(1) << order, (90 - dec_deg) / DEG, ra_deg / DEG, &ipix);
	return (uint64_t)ipix;
}

bool moc_contains_at(const struct moc *m, double ra_deg, double dec_deg)
{
	return moc_contains(m, moc_pixel(MOC_ORDER, ra_deg, dec_deg));
}

double moc_area_deg2(const struct moc *m)
{
	uint64_t pixels = 0;
	for (size_t i = 0; i < m->count; i++)
		pixels += m->range[i].end - m->range[i].first;
	return (double)pixels / (double)MOC_END * 4 * M_PI * DEG * DEG;
}

int moc_and(const struct moc *a, const struct moc *b, struct moc *out, struct err *e)
{
	size_t i = 0, j = 0;
	*out = (struct moc){.order = a->order > b->order ? a->order : b->order};
	int order = out->order;
	while (i < a->count && j < b->count) {
		const struct moc_range *p = &a->range[i], *q = &b->range[j];
		uint64_t first = p->first > q->first ? p->first : q->first, end = p->end < q->end ? p->end : q->end;
		if (first < end && moc_add(out, MOC_ORDER, first, end, e) < 0) {
			moc_free(out);
			return -1;
		}
		if (p->end < q->end)
			i++;
		else
			j++;
	}
	out->order = order;
	return 0;
}

/* Of a range, the pixels of an order are those that lie in it whole, without those whose parent does. */
int moc_cells(const struct moc *m, int (*take)(void *ctx, int order, uint64_t ipix), void *ctx)
{
	for (int order = 0; order <= MOC_ORDER; order++) {
		int shift = 2 * (MOC_ORDER - order);
		uint64_t ones = (UINT64_C(1) << shift) - 1;
		for (size_t i = 0; i < m->count; i++) {
			uint64_t first = (m->range[i].first + ones) >> shift, end = m->range[i].end >> shift;
			uint64_t parent = (first + 3) >> 2 << 2, parent_end = end >> 2 << 2;
			if (order == 0 || parent >= parent_end)
				parent = parent_end = end;
			for (uint64_t p = first; p < end; p++) {
				if (p == parent)
					p = parent_end;
				if (p >= end)
					break;
				int rc = take(ctx, order, p);
				if (rc != 0)
					return rc;
			}
		}
	}
	return 0;
}

/* The resolution it claims, or a finer one that its ranges need. */
static int order_of(const struct moc *m)
{
	uint64_t bits = 0;
	for (size_t i = 0; i < m->count; i++)
		bits |= m->range[i].first | m->range[i].end;
	int needed = bits ? MOC_ORDER - __builtin_ctzll(bits) / 2 : 0;
	return needed > m->order ? needed : m->order;
}

static int count_cell(void *ctx, int order, uint64_t ipix)
{
	(void)order;
	(void)ipix;
	++*(int64_t *)ctx;
	return 0;
}

static void number_put(struct text *t, uint64_t v)
{
	unsigned char b[8];
	bytes_put_u64(b, v);
	text_add(t, b, sizeof b);
}

static int uniq_cell(void *ctx, int order, uint64_t ipix)
{
	number_put(ctx, ipix + (UINT64_C(4) << (2 * order)));
	return 0;
}

/* Keywords: MOC 2.0, table 4; MOCORDER, PIXTYPE as in MOC 1.1, for readers that know no other. */
void moc_fits(const struct moc *m, enum moc_form form, const char *name, struct text *t)
{
	int64_t rows = 0;
	if (form == MOC_NUNIQ)
		moc_cells(m, count_cell, &rows);
	else
		rows = 2 * (int64_t)m->count;
	fits_primary(t);
	fits_table(t, 8, rows, 1);
	fits_table_column(t, 1, form == MOC_NUNIQ ? "UNIQ" : "RANGE", "1K", "");
	fits_card_text(t, "MOCVERS", "2.0", "IVOA MOC");
	fits_card_text(t, "MOCDIM", "SPACE", "coverage of the sky");
	fits_card_text(t, "ORDERING", form == MOC_NUNIQ ? "NUNIQ" : "RANGE", form == MOC_NUNIQ ? "pixel + 4 * 4^order" : "first pixel, end, ...");
	fits_card_text(t, "COORDSYS", "C", "ICRS");
	fits_card_int(t, "MOCORD_S", order_of(m), "resolution");
	fits_card_int(t, "MOCORDER", order_of(m), "the same, for readers of MOC 1.1");
	fits_card_text(t, "PIXTYPE", "HEALPIX", "");
	fits_card_text(t, "MOCTOOL", "slew", "");
	if (name[0])
		fits_card_text(t, "MOCID", name, "");
	fits_header_end(t);
	if (form == MOC_NUNIQ)
		moc_cells(m, uniq_cell, t);
	for (size_t i = 0; form == MOC_RANGE && i < m->count; i++) {
		number_put(t, m->range[i].first);
		number_put(t, m->range[i].end);
	}
	fits_rows_end(t);
}

/* What was written last: cells of one order come one behind the other. */
struct writer {
	struct text *t;
	int order;
	bool begun;          /* a number of this order stands there */
	uint64_t first, end; /* a run not yet written; empty when equal */
};

static void run_flush(struct writer *w)
{
	if (w->first == w->end)
		return;
	text_printf(w->t, "%s%llu", w->begun ? " " : "", (unsigned long long)w->first);
	if (w->end - w->first > 1)
		text_printf(w->t, "-%llu", (unsigned long long)w->end - 1);
	w->first = w->end;
	w->begun = true;
}

static int ascii_cell(void *ctx, int order, uint64_t ipix)
{
	struct writer *w = ctx;
	if (order == w->order && ipix == w->end) {
		w->end++;
		return 0;
	}
	run_flush(w);
	if (order != w->order) {
		text_printf(w->t, "%s%d/", w->order < 0 ? "" : " ", order);
		w->begun = false;
	}
	w->order = order;
	w->first = ipix;
	w->end = ipix + 1;
	return 0;
}

void moc_ascii(const struct moc *m, struct text *t)
{
	struct writer w = {.t = t, .order = -1};
	moc_cells(m, ascii_cell, &w);
	run_flush(&w);
	if (order_of(m) != w.order)
		text_printf(t, "%s%d/", w.order < 0 ? "" : " ", order_of(m));
	text_puts(t, "\n");
}

static int json_cell(void *ctx, int order, uint64_t ipix)
{
	struct writer *w = ctx;
	if (order != w->order) {
		text_printf(w->t, "%s\"%d\":[", w->order < 0 ? "" : "],", order);
		w->begun = false;
	}
	text_printf(w->t, "%s%llu", w->begun ? "," : "", (unsigned long long)ipix);
	w->order = order;
	w->begun = true;
	return 0;
}

void moc_json(const struct moc *m, struct text *t)
{
	struct writer w = {.t = t, .order = -1};
	text_puts(t, "{");
	moc_cells(m, json_cell, &w);
	if (w.order >= 0)
		text_puts(t, "]");
	if (order_of(m) != w.order)
		text_printf(t, "%s\"%d\":[]", w.order < 0 ? "" : ",", order_of(m));
	text_puts(t, "}\n");
}
