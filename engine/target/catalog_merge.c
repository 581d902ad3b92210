/* Duplicates between sources: see catalog_merge.h. Rows stand in a file in their order; in memory stays what finding needs: a key of declination
 * zone and right ascension, sorted, over which two fingers run (Gray et al. 2006, "The zones algorithm"), distance and error, and the links. */
#include "engine/target/catalog_merge.h"
#include "engine/target/catalog_sort.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ZONES 10800 /* of one arcminute: the widest join reaches into the next zone only */
#define REACH_RAD (60 / 206264.80624709636)
#define PIECE 2048  /* rows written or read at once */

/* Zone 14 bits, right ascension 30, declination within the zone 14, source 5: a few mas. */
struct mark {
	uint64_t key;
	uint32_t row;
};

struct link {
	float apart; /* radians */
	uint32_t a, b;
};

struct catalog_merge {
	int fd;
	size_t count, cap;
	struct mark *mark;
	float (*distance)[2];     /* and its error, Mpc */
	uint8_t *grade;           /* of the distance; less is better */
	struct catalog_row *piece; /* the rows being written or read */
	size_t piece_count, at;
	struct link *link;
	size_t link_count, link_cap;
	uint32_t *parent, *next, *sources; /* groups: root, ring of members, sources of the root's group */
	struct catalog_row *same; /* rows of one pixel, waiting to be in order */
	size_t same_count, same_at, same_cap;
};

static uint64_t key_of(const struct catalog_row *r)
{
	double north = (r->dec_deg + 90) * 60, zone = floor(north);
	zone = zone < ZONES ? zone : ZONES - 1;
	double part = (north - zone) * 16384, ra = r->ra_deg / 360 * 1073741824;
	uint64_t p = part < 16383 ? (uint64_t)part : 16383, a = ra < 1073741823 ? (uint64_t)ra : 1073741823;
	return (uint64_t)zone << 49 | a << 19 | p << 5 | (r->source & 31u);
}
static uint32_t zone_of(uint64_t key)
{
	return (uint32_t)(key >> 49);
}
static double ra_of(uint64_t key)
{
	return (double)(key >> 19 & 0x3FFFFFFF) * (2 * M_PI / 1073741824);
}
static double dec_of(uint64_t key)
{
	return ((double)zone_of(key) + ((double)(key >> 5 & 16383) + 0.5) / 16384) * (M_PI / ZONES) - M_PI / 2;
}

static uint8_t grade_of(const struct catalog_row *r)
{
	static const uint8_t grades[CATALOG_DIST_KINDS] = {[CATALOG_DIST_MEASURED] = 0, [CATALOG_DIST_GIVEN] = 2, [CATALOG_DIST_SPEC] = 3,
		[CATALOG_DIST_COSMOLOGY] = 4, [CATALOG_DIST_PHOT] = 5, [CATALOG_DIST_NONE] = 6};
	uint32_t kind = r->flags & CATALOG_FLAG_KIND;
	if (kind == CATALOG_DIST_SPEC && (r->flags & CATALOG_FLAG_FRAME) >> CATALOG_FRAME_SHIFT == CATALOG_FRAME_FLOW)
		return 1;
	return r->flags & CATALOG_FLAG_PHOTO_Z ? grades[CATALOG_DIST_PHOT] : grades[kind];
}

struct catalog_merge *catalog_merge_open(const char *beside, struct err *e)
{
	struct catalog_merge *m = calloc(1, sizeof *m);
	must_memory(m != NULL);
	m->fd = catalog_file_nameless(beside, e);
	m->piece = calloc(PIECE, sizeof *m->piece);
	if (m->fd >= 0 && m->piece != NULL)
		return m;
	if (m->fd >= 0)
		err_set(e, ERR_MEMORY, "no memory to merge");
	catalog_merge_close(m);
	return NULL;
}

void catalog_merge_close(struct catalog_merge *m)
{
	if (m == NULL)
		return;
	if (m->fd >= 0)
		close(m->fd);
	free(m->mark);
	free(m->distance);
	free(m->grade);
	free(m->piece);
	free(m->link);
	free(m->parent);
	free(m->next);
	free(m->sources);
	free(m->same);
	free(m);
}

static int flush(struct catalog_merge *m, struct err *e)
{
	size_t len = m->piece_count * sizeof *m->piece;
	for (size_t done = 0; done < len;) {
		ssize_t n = write(m->fd, (const char *)m->piece + done, len - done);
		if (n < 0 && errno != EINTR)
			return err_set(e, ERR_SYSTEM, "rows cannot be kept on disk: %s; free room beside the output", strerror(errno));
		done += n > 0 ? (size_t)n : 0;
	}
	m->piece_count = 0;
	return 0;
}

static int rows_read(const struct catalog_merge *m, struct catalog_row *out, size_t first, size_t n, struct err *e)
{
	size_t len = n * sizeof *out;
	for (size_t done = 0; done < len;) {
		ssize_t got = pread(m->fd, (char *)out + done, len - done, (off_t)(first * sizeof *out + done));
		if (got == 0 || (got < 0 && errno != EINTR))
			return err_set(e, ERR_SYSTEM, "rows cannot be read back from disk: %s", got == 0 ? "they end early" : strerror(errno));
		done += got > 0 ? (size_t)got : 0;
	}
	return 0;
}

static bool grow(struct catalog_merge *m)
{
	size_t cap = m->cap ? m->cap + m->cap / 2 : 65536;
	struct mark *mark = realloc(m->mark, cap * sizeof *mark);
	m->mark = mark ? mark : m->mark;
	void *distance = realloc(m->distance, cap * sizeof *m->distance);
	m->distance = distance ? distance : m->distance;
	uint8_t *grade = realloc(m->grade, cap);
	m->grade = grade ? grade : m->grade;
	m->cap = cap;
	return mark != NULL && distance != NULL && grade != NULL;
}

int catalog_merge_add(struct catalog_merge *m, const struct catalog_row *r, struct err *e)
{
	if (m->count == UINT32_MAX || (m->count == m->cap && !grow(m)))
		return err_set(e, ERR_MEMORY, "no memory to merge %zu galaxies", m->cap);
	if (m->piece_count == PIECE && flush(m, e) < 0)
		return -1;
	m->mark[m->count] = (struct mark){key_of(r), (uint32_t)m->count};
	m->distance[m->count][0] = (float)r->distance_mpc;
	m->distance[m->count][1] = r->distance_err_mpc > 0 ? r->distance_err_mpc : 0.2f * (float)r->distance_mpc;
	m->grade[m->count] = (uint8_t)(grade_of(r) << 5 | (r->source & 31));
	m->piece[m->piece_count++] = *r;
	m->count++;
	return 0;
}

/* ---- finding ---- */

/* Radix by 16 bits, stable. */
static bool marks_sort(struct catalog_merge *m)
{
	struct mark *a = m->mark, *b = malloc((m->count + 1) * sizeof *b);
	size_t *place = malloc(65536 * sizeof *place);
	for (int shift = 0; b != NULL && place != NULL && shift < 64; shift += 16) {
		size_t sum = 0;
		memset(place, 0, 65536 * sizeof *place);
		for (size_t i = 0; i < m->count; i++)
			place[a[i].key >> shift & 65535]++;
		for (int d = 0; d < 65536; d++) {
			size_t here = place[d];
			place[d] = sum;
			sum += here;
		}
		for (size_t i = 0; i < m->count; i++)
			b[place[a[i].key >> shift & 65535]++] = a[i];
		struct mark *swap = a;
		a = b;
		b = swap;
	}
	bool done = b != NULL && place != NULL;
	free(place);
	free(b);
	m->mark = a;
	return done;
}

static int pair_look(struct catalog_merge *m, const struct mark *p, const struct mark *q, struct err *e)
{
	if (((p->key ^ q->key) & 31) == 0)
		return 0;
	const float *d = m->distance[p->row], *f = m->distance[q->row];
	double nearer = isnan(d[0]) || f[0] < d[0] ? (double)f[0] : (double)d[0], reach = 0.001 / nearer; /* 1 kpc */
	reach = reach > REACH_RAD / 20 ? reach : REACH_RAD / 20;
	reach = reach < REACH_RAD ? reach : REACH_RAD;
	double u = sin((dec_of(p->key) - dec_of(q->key)) / 2), v = sin((ra_of(p->key) - ra_of(q->key)) / 2);
	double s = u * u + cos(dec_of(p->key)) * cos(dec_of(q->key)) * v * v, apart = 2 * asin(s < 1 ? sqrt(s) : 1);
	double sigmas = apart <= REACH_RAD / 20 ? 5 : 3;
	if (apart > reach || fabs((double)d[0] - (double)f[0]) > sigmas * hypot((double)d[1], (double)f[1]))
		return 0;
	if (m->link_count == m->link_cap) {
		size_t cap = m->link_cap ? 2 * m->link_cap : 4096;
		struct link *link = realloc(m->link, cap * sizeof *link);
		if (link == NULL)
			return err_set(e, ERR_MEMORY, "no memory for %zu pairs", cap);
		m->link = link;
		m->link_cap = cap;
	}
	uint32_t a = p->row < q->row ? p->row : q->row, b = p->row < q->row ? q->row : p->row;
	m->link[m->link_count++] = (struct link){(float)apart, a, b};
	return 0;
}

/* All of [from, to) whose right ascension is within reach of p's, the sky being round; *finger: where the last search of the zone began. */
static int zone_look(struct catalog_merge *m, size_t i, size_t from, size_t to, double reach, size_t *finger, struct err *e)
{
	const struct mark *p = &m->mark[i];
	double ra = ra_of(p->key);
	while (*finger < to && ra_of(m->mark[*finger].key) < ra - reach)
		++*finger;
	for (size_t k = *finger; k < to && ra_of(m->mark[k].key) <= ra + reach; k++)
		if (pair_look(m, p, &m->mark[k], e) < 0)
			return -1;
	for (size_t k = from; ra + reach > 2 * M_PI && k < *finger && ra_of(m->mark[k].key) <= ra + reach - 2 * M_PI; k++)
		if (pair_look(m, p, &m->mark[k], e) < 0)
			return -1;
	for (size_t k = to; ra - reach < 0 && k > *finger && ra_of(m->mark[k - 1].key) >= ra - reach + 2 * M_PI; k--)
		if (ra_of(m->mark[k - 1].key) > ra + reach && pair_look(m, p, &m->mark[k - 1], e) < 0)
			return -1;
	return 0;
}

static int zones_look(struct catalog_merge *m, struct err *e)
{
	for (size_t from = 0, to; from < m->count; from = to) {
		uint32_t zone = zone_of(m->mark[from].key);
		for (to = from + 1; to < m->count && zone_of(m->mark[to].key) == zone; to++)
			;
		size_t up = to;
		while (up < m->count && zone_of(m->mark[up].key) == zone + 1)
			up++;
		double edge = fmax(fabs((zone + 2) * (M_PI / ZONES) - M_PI / 2), fabs(zone * (M_PI / ZONES) - M_PI / 2)) + REACH_RAD;
		double reach = edge < M_PI / 2 ? asin(fmin(1, sin(REACH_RAD) / cos(edge))) : M_PI;
		size_t finger = from, above = to;
		for (size_t i = from; i < to; i++) {
			if (zone_look(m, i, to, up, reach, &above, e) < 0)
				return -1;
			double ra = ra_of(m->mark[i].key); /* its own zone: forwards only, and over the meridian */
			for (size_t k = i + 1; k < to && ra_of(m->mark[k].key) <= ra + reach; k++)
				if (pair_look(m, &m->mark[i], &m->mark[k], e) < 0)
					return -1;
			for (finger = from; ra + reach > 2 * M_PI && finger < i && ra_of(m->mark[finger].key) <= ra + reach - 2 * M_PI; finger++)
				if (pair_look(m, &m->mark[i], &m->mark[finger], e) < 0)
					return -1;
		}
	}
	return 0;
}

static int link_compare(const void *a, const void *b)
{
	const struct link *p = a, *q = b;
	if (p->apart < q->apart || p->apart > q->apart)
		return p->apart < q->apart ? -1 : 1;
	if (p->a != q->a)
		return p->a < q->a ? -1 : 1;
	return p->b < q->b ? -1 : p->b > q->b;
}

static uint32_t root_of(uint32_t *parent, uint32_t i)
{
	while (parent[i] != i)
		i = parent[i] = parent[parent[i]];
	return i;
}

int catalog_merge_find(struct catalog_merge *m, int64_t *joined, struct err *e)
{
	*joined = 0;
	if (flush(m, e) < 0)
		return -1;
	if (!marks_sort(m))
		return err_set(e, ERR_MEMORY, "no memory to merge %zu galaxies", m->count);
	if (zones_look(m, e) < 0)
		return -1;
	free(m->mark);
	m->mark = NULL;
	if (m->link_count > 0)
		qsort(m->link, m->link_count, sizeof *m->link, link_compare);
	m->parent = malloc((m->count + 1) * sizeof *m->parent);
	m->next = malloc((m->count + 1) * sizeof *m->next);
	m->sources = malloc((m->count + 1) * sizeof *m->sources);
	if (m->parent == NULL || m->next == NULL || m->sources == NULL)
		return err_set(e, ERR_MEMORY, "no memory to merge %zu galaxies", m->count);
	for (uint32_t i = 0; i < m->count; i++) {
		m->parent[i] = m->next[i] = i;
		m->sources[i] = UINT32_C(1) << (m->grade[i] & 31);
	}
	for (size_t i = 0; i < m->link_count; i++) {
		uint32_t a = root_of(m->parent, m->link[i].a), b = root_of(m->parent, m->link[i].b), ring = m->next[a];
		if (a == b || (m->sources[a] & m->sources[b]) != 0)
			continue;
		m->parent[b] = a;
		m->sources[a] |= m->sources[b];
		m->next[a] = m->next[b];
		m->next[b] = ring;
		++*joined;
	}
	return 0;
}

/* ---- joining ---- */

/* What the better row r does not have, from s. */
static void row_fill(struct catalog_row *r, const struct catalog_row *s)
{
	const uint32_t named = CATALOG_FLAG_NAME_CUT | CATALOG_FLAG_NAME_MADE | CATALOG_FLAG_ID_MADE;
	if ((r->flags & CATALOG_FLAG_NAME_MADE) && !(s->flags & CATALOG_FLAG_NAME_MADE)) {
		memcpy(r->name, s->name, sizeof r->name);
		r->id = s->id;
		r->flags = (r->flags & ~named) | (s->flags & named);
	}
	if (isnan(r->b_mag) && !isnan(s->b_mag)) {
		r->b_mag = s->b_mag;
		r->flags |= s->flags & CATALOG_FLAG_B_ABSOLUTE;
	}
	if (isnan(r->log_mstar))
		r->log_mstar = s->log_mstar;
}

static int row_same_compare(const void *a, const void *b)
{
	return catalog_row_compare(a, b);
}

/* Row i of the file into the rows of its pixel, unless it went into another. */
static int row_take(struct catalog_merge *m, uint32_t i, const struct catalog_row *r, struct err *e)
{
	struct catalog_row whole = *r, other;
	uint32_t member[32];
	int n = 0;
	for (uint32_t k = m->next[i]; k != i; k = m->next[k]) {
		if (m->grade[k] < m->grade[i])
			return 0;
		int at = n++;
		for (; at > 0 && m->grade[member[at - 1]] > m->grade[k]; at--)
			member[at] = member[at - 1];
		member[at] = k;
	}
	for (int k = 0; k < n; k++) {
		if (rows_read(m, &other, member[k], 1, e) < 0)
			return -1;
		row_fill(&whole, &other);
	}
	whole.flags |= n > 0 ? CATALOG_FLAG_MERGED : 0;
	if (m->same_count == m->same_cap) {
		size_t cap = m->same_cap ? 2 * m->same_cap : 16;
		struct catalog_row *same = realloc(m->same, cap * sizeof *same);
		if (same == NULL)
			return err_set(e, ERR_MEMORY, "no memory to merge");
		m->same = same;
		m->same_cap = cap;
	}
	m->same[m->same_count++] = whole;
	return 0;
}

/* All rows of the next pixel; a number that came from another row may stand elsewhere among them. */
static int pixel_take(struct catalog_merge *m, struct err *e)
{
	m->same_count = m->same_at = 0;
	while (m->at < m->count) {
		if (m->at % PIECE == 0 && rows_read(m, m->piece, m->at, m->count - m->at < PIECE ? m->count - m->at : PIECE, e) < 0)
			return -1;
		const struct catalog_row *r = &m->piece[m->at % PIECE];
		if (m->same_count > 0 && r->ipix29 != m->same[0].ipix29)
			break;
		if (row_take(m, (uint32_t)m->at, r, e) < 0)
			return -1;
		m->at++;
	}
	if (m->same_count > 1)
		qsort(m->same, m->same_count, sizeof *m->same, row_same_compare);
	return 0;
}

int catalog_merge_next(struct catalog_merge *m, struct catalog_row *out, struct err *e)
{
	if (m->same_at == m->same_count && pixel_take(m, e) < 0)
		return -1;
	if (m->same_at == m->same_count)
		return 0;
	*out = m->same[m->same_at++];
	return 1;
}
