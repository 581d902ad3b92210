/* Galaxies from text tables: comma, tab, semicolon, bar or blanks, quotes, '#' comments, a header line; also published tables without a header
 * (catalog_format.h). A file is read block by block: while one is cut into pieces that are turned into rows side by side, the next one comes in,
 * the digest goes on, and a full run of rows is sorted. */
#include "engine/base/hash.h"
#include "engine/base/limits.h"
#include "engine/target/catalog_build.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIELDS_MAX 512
#define BLOCK ((size_t)8 << 20)
#define PIECES 16
#define WORTH ((size_t)256 << 10) /* less than this is not worth a thread */

/* A line cut into cells: they point into the line, or into the scratch where quotes had to be taken out. */
struct cut {
	const char *field[FIELDS_MAX];
	size_t len[FIELDS_MAX];
	int fields;
	char separator; /* ' ' is any run of blanks */
	char scratch[LIMIT_CATALOG_LINE + 1];
};

/* The cell behind an opening quote, into the scratch; NULL when the quote does not close. *at is where the scratch goes on. */
static const char *quoted_cut(struct cut *c, const char *s, const char *end, size_t *at)
{
	char *out = c->scratch + *at;
	c->field[c->fields] = out;
	for (; s < end && (*s != '"' || (s + 1 < end && s[1] == '"')); s++) {
		s += *s == '"';
		*out++ = *s;
	}
	if (s == end)
		return NULL;
	for (s++; s < end && *s != c->separator && !(c->separator == ' ' && *s == '\t'); s++)
		*out++ = *s;
	c->len[c->fields] = (size_t)(out - c->field[c->fields]);
	*at = (size_t)(out - c->scratch);
	return s;
}

/* -1: too many fields or a quote that does not close. */
static int line_cut(struct cut *c, const char *s, size_t len)
{
	const char *end = s + len;
	const bool blanks = c->separator == ' ';
	size_t scratch = 0;
	c->fields = 0;
	for (;;) {
		while (blanks && s < end && (*s == ' ' || *s == '\t'))
			s++;
		if (blanks && s == end)
			return 0;
		if (c->fields == FIELDS_MAX)
			return -1;
		if (s < end && *s == '"') {
			s = quoted_cut(c, s + 1, end, &scratch);
			if (s == NULL)
				return -1;
		} else {
			c->field[c->fields] = s;
			while (s < end && *s != c->separator && !(blanks && *s == '\t'))
				s++;
			c->len[c->fields] = (size_t)(s - c->field[c->fields]);
		}
		c->fields++;
		if (s == end)
			return 0;
		s++;
	}
}

static bool number_like(const char *s, size_t len)
{
	double v;
	return catalog_cell_number((struct catalog_cell){.text = s, .len = len}, &v) > 0;
}

static char separator_of(const char *s, size_t len)
{
	static const char marks[] = ",\t;|";
	char best = ' ';
	size_t most = 0;
	for (const char *m = marks; *m; m++) {
		size_t n = 0;
		for (size_t i = 0; i < len; i++)
			n += s[i] == *m;
		if (n > most) {
			most = n;
			best = *m;
		}
	}
	return best;
}

/* A comment or nothing: no row. */
static bool line_idle(const char *s, size_t len)
{
	if (len > 0 && s[0] == '#')
		return true;
	for (size_t i = 0; i < len; i++)
		if (s[i] != ' ' && s[i] != '\t')
			return false;
	return true;
}

/* The line at s without its end; *next is behind it. */
static size_t line_at(const char *s, const char *end, const char **next)
{
	const char *nl = memchr(s, '\n', (size_t)(end - s));
	*next = nl ? nl + 1 : end;
	size_t len = (size_t)((nl ? nl : end) - s);
	while (len > 0 && (s[len - 1] == '\r' || s[len - 1] == '\n'))
		len--;
	return len;
}

/* ---- pieces ---- */

struct piece {
	const char *from, *to;
	struct catalog_batch batch;
	struct cut cut;
};

/* What all pieces share while a block is worked on. */
struct reading {
	struct catalog_builder *b;
	int fd;
	const char *memory;        /* instead of the file */
	size_t memory_len;
	struct catalog_columns columns;
	int wanted;                /* cells a row must have */
	char separator;
	char *now, *next;          /* blocks: whole lines are read from now, next is being filled */
	size_t have, hashed;       /* bytes in now; of these hashed already (they came over from the block before) */
	size_t next_have;
	bool ended;
	int error;                 /* errno of a read that failed */
	int64_t lines, done, size; /* of the file: lines before the block, bytes read, all bytes (0: not known) */
	struct hash_running *hash;
	int pieces;
	struct piece *piece;
};

static void row_piece(const struct reading *r, struct piece *p, const char *s, size_t len)
{
	struct catalog_cell cells[FIELD_COUNT][CATALOG_CANDIDATES];
	const struct catalog_columns *c = &r->columns;
	char why[96];
	p->cut.separator = r->separator;
	if (len > LIMIT_CATALOG_LINE || memchr(s, '\0', len) != NULL) {
		snprintf(why, sizeof why, "the line is longer than %u bytes or holds a NUL", LIMIT_CATALOG_LINE);
		catalog_row_bad(&p->batch, p->batch.lines, why);
		return;
	}
	int cut = line_cut(&p->cut, s, len);
	if (cut < 0 || p->cut.fields != r->wanted) {
		snprintf(why, sizeof why, cut < 0 ? "more than %d columns, or a quote that does not close" : "%d columns, the header has %d",
			cut < 0 ? FIELDS_MAX : p->cut.fields, r->wanted);
		catalog_row_bad(&p->batch, p->batch.lines, why);
		return;
	}
	for (int f = 0; f < FIELD_COUNT; f++)
		for (int k = 0; k < c->count[f]; k++) {
			int column = c->of[f][k].column;
			cells[f][k] = (struct catalog_cell){.text = p->cut.field[column], .len = p->cut.len[column]};
		}
	catalog_row_take(&p->batch, c, (const struct catalog_cell (*)[CATALOG_CANDIDATES])cells, p->batch.lines);
}

static void piece_take(const struct reading *r, struct piece *p)
{
	for (const char *s = p->from, *next; s < p->to; s = next) {
		size_t len = line_at(s, p->to, &next);
		p->batch.lines++;
		if (!line_idle(s, len))
			row_piece(r, p, s, len);
	}
}

static void block_read(struct reading *r)
{
	while (r->next_have < BLOCK && !r->ended && r->error == 0) {
		size_t room = BLOCK - r->next_have, take = r->memory_len < room ? r->memory_len : room;
		ssize_t n = r->memory ? (ssize_t)take : read(r->fd, r->next + r->next_have, room);
		if (r->memory != NULL) {
			memcpy(r->next + r->next_have, r->memory, take);
			r->memory += take;
			r->memory_len -= take;
		}
		if (n < 0 && errno != EINTR)
			r->error = errno;
		r->ended = n == 0;
		r->next_have += n > 0 ? (size_t)n : 0;
		r->done += n > 0 ? n : 0;
	}
}

/* One part of a round. */
static void part(void *arg, int i)
{
	struct reading *r = arg;
	if (i == 0)
		catalog_runs_work(&r->b->runs);
	else if (i == 1)
		block_read(r);
	else if (i == 2)
		hash_sha256_add(r->hash, r->now + r->hashed, r->have - r->hashed);
	else
		piece_take(r, &r->piece[i - 3]);
}

/* Cuts [from, to) into pieces at ends of lines. */
static void pieces_cut(struct reading *r, const char *from, const char *to)
{
	r->pieces = 0;
	for (int i = 0; i < PIECES && from < to; i++) {
		const char *aim = from + (to - from) / (PIECES - i), *nl = i + 1 < PIECES ? memchr(aim, '\n', (size_t)(to - aim)) : NULL;
		struct piece *p = &r->piece[r->pieces++];
		p->from = from;
		p->to = nl ? nl + 1 : to;
		from = p->to;
	}
}

/* Works on the lines of now behind `from`; what is left of the last line goes to the front of next. -1 also when a line never ends. */
static int round_take(struct reading *r, size_t from, struct err *e)
{
	size_t whole = r->have;
	if (!r->ended)
		while (whole > from && r->now[whole - 1] != '\n')
			whole--;
	if (whole == from && r->have - from > LIMIT_CATALOG_LINE)
		return err_set(e, ERR_INPUT, "line %lld is longer than %u bytes; is this a table?", (long long)r->lines + 1, LIMIT_CATALOG_LINE);
	r->next_have = r->have - whole;
	memcpy(r->next, r->now + whole, r->next_have);
	size_t carried = r->next_have;
	pieces_cut(r, r->now + from, r->now + whole);
	if (r->b->crew != NULL && whole - from >= WORTH)
		r->b->crew->run(r->b->crew->self, part, r, r->pieces + 3);
	else
		for (int i = 0; i < r->pieces + 3; i++)
			part(r, i);
	for (int i = 0; i < r->pieces; i++) {
		int64_t lines = r->piece[i].batch.lines;
		if (catalog_batch_fold(r->b, &r->piece[i].batch, "line", r->lines, e) < 0)
			return -1;
		r->lines += lines;
	}
	char *swap = r->now;
	r->now = r->next;
	r->next = swap;
	r->have = r->next_have;
	r->hashed = carried;
	if (r->b->progress.tell != NULL)
		r->b->progress.tell(r->b->progress.self, "reading", (double)r->done, (double)r->size);
	return catalog_build_stopped(r->b, e);
}

/* ---- header ---- */

struct head {
	char *names;   /* the line with the names, or NULL */
	size_t rows;   /* where the first row begins */
	char separator;/* of the names */
};

static char *copied(const char *s, size_t len)
{
	char *copy = err_malloc(len + 1);
	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

/* A row without names above it: the format that was asked for or that its cells show. */
static const struct catalog_format *headless(const struct catalog_builder *b, const struct cut *c)
{
	char *cells[FIELDS_MAX];
	const struct catalog_format *f = b->format;
	if (f != NULL || b->generic)
		return f != NULL && f->header != NULL && f->separator == c->separator ? f : NULL;
	for (int i = 0; i < c->fields; i++)
		cells[i] = copied(c->field[i], c->len[i]);
	f = catalog_format_by_row((const char *const *)cells, c->fields, c->separator);
	for (int i = 0; i < c->fields; i++)
		free(cells[i]);
	return f;
}

/* Whether a line is a row: its first cell is a number, or a comment above has as many words and it has numbers. */
static bool is_row(const struct cut *c, int comment_words)
{
	int numbers = 0;
	for (int i = 0; i < c->fields; i++)
		numbers += number_like(c->field[i], c->len[i]);
	return c->fields >= 2 && (number_like(c->field[0], c->len[0]) || (comment_words == c->fields && numbers >= 2));
}

/* The header: the first line that is no comment, or the last comment before a row, or a format's own. */
static int header_find(struct reading *r, struct cut *c, struct head *h, struct err *e)
{
	struct catalog_builder *b = r->b;
	const char *s = r->now, *end = r->now + r->have, *next = s, *comment = NULL;
	size_t len = 0, comment_len = 0;
	for (; s < end; s = next, r->lines++) {
		len = line_at(s, end, &next);
		if (!line_idle(s, len))
			break;
		for (comment = s, comment_len = len; comment_len > 0 && (*comment == '#' || *comment == ' ' || *comment == '\t'); comment++)
			comment_len--;
	}
	if (s >= end)
		return err_set(e, ERR_INPUT, "the file has no line of data");
	if (len > LIMIT_CATALOG_LINE || memchr(s, '\0', len) != NULL)
		return err_set(e, ERR_LIMIT, "line %lld is longer than %u bytes or holds a NUL: is this a text table?", (long long)r->lines + 1, LIMIT_CATALOG_LINE);
	size_t bom = len >= 3 && memcmp(s, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
	r->separator = c->separator = separator_of(s + bom, len - bom);
	int words = 0;
	if (comment != NULL && comment_len <= LIMIT_CATALOG_LINE && line_cut(c, comment, comment_len) == 0)
		words = c->fields;
	if (line_cut(c, s + bom, len - bom) < 0 || !is_row(c, words)) {
		h->names = copied(s + bom, len - bom);
		h->separator = r->separator;
		h->rows = (size_t)(next - r->now);
		r->lines++;
		return 0;
	}
	h->rows = (size_t)(s + bom - r->now);
	const struct catalog_format *f = headless(b, c);
	if (f != NULL) {
		text_printf(&b->report, "%s: no header, %d columns of text: read as %s\n", b->source[b->sources - 1].name, c->fields, f->name);
		h->names = copied(f->header, strlen(f->header));
		h->separator = ',';
		return 0;
	}
	if (comment == NULL)
		return err_set(e, ERR_INPUT, "line %lld: the table has no header line with the names of its columns; write one, or say --format",
			(long long)r->lines + 1);
	h->names = copied(comment, comment_len);
	h->separator = separator_of(comment, comment_len);
	return 0;
}

/* The columns' names and what they give. */
static int header_take(struct reading *r, struct cut *c, struct err *e)
{
	struct head h = {0};
	char *names[FIELDS_MAX];
	if (header_find(r, c, &h, e) < 0)
		return -1;
	c->separator = h.separator;
	int rc = line_cut(c, h.names, strlen(h.names));
	if (rc < 0)
		rc = err_set(e, ERR_INPUT, "line %lld: the header has more than %d columns or an open quote", (long long)r->lines, FIELDS_MAX);
	r->wanted = rc == 0 ? c->fields : 0;
	for (int i = 0; i < r->wanted; i++) {
		struct catalog_cell name = catalog_cell_trimmed((struct catalog_cell){.text = c->field[i], .len = c->len[i]});
		names[i] = copied(name.text, name.len);
	}
	if (rc == 0)
		rc = catalog_columns_find(r->b, (const char *const *)names, NULL, r->wanted, &r->columns, e);
	for (int i = 0; i < r->wanted; i++)
		free(names[i]);
	free(h.names);
	return rc == 0 ? round_take(r, h.rows, e) : -1;
}

static int file_take(struct reading *r, struct err *e)
{
	block_read(r);
	char *swap = r->now;
	r->now = r->next;
	r->next = swap;
	r->have = r->next_have;
	int rc = r->error ? 0 : header_take(r, &r->piece[0].cut, e);
	while (rc == 0 && r->error == 0 && r->have > 0)
		rc = round_take(r, 0, e);
	if (rc == 0 && r->error != 0)
		rc = err_set(e, ERR_SYSTEM, "line %lld: the file cannot be read on: %s", (long long)r->lines + 1, strerror(r->error));
	return rc;
}

static int reading_take(struct reading *r, struct err *e)
{
	struct catalog_builder *b = r->b;
	r->hash = hash_sha256_begin();
	r->now = err_malloc(2 * BLOCK);
	char *blocks = r->now;
	r->next = blocks + BLOCK;
	r->piece = err_malloc(PIECES * sizeof *r->piece);
	for (int i = 0; i < PIECES; i++)
		r->piece[i].batch = (struct catalog_batch){0};
	int rc = file_take(r, e);
	hash_sha256_end(r->hash, rc == 0 ? b->source[b->sources - 1].sha256 : NULL);
	for (int i = 0; i < PIECES; i++)
		free(r->piece[i].batch.rows);
	free(r->piece);
	free(blocks);
	return rc;
}

int catalog_build_text(struct catalog_builder *b, int fd, struct err *e)
{
	off_t size = lseek(fd, 0, SEEK_END);
	struct reading r = {.b = b, .fd = fd, .size = lseek(fd, 0, SEEK_SET) == 0 && size > 0 ? size : 0};
	return reading_take(&r, e);
}

int catalog_build_memory(struct catalog_builder *b, const char *name, const char *text, size_t len, struct err *e)
{
	struct reading r = {.b = b, .fd = -1, .memory = text, .memory_len = len, .size = (int64_t)len};
	if (b->sources == CATALOG_SOURCES)
		return err_set(e, ERR_LIMIT, "%s: more than %d files in one catalogue", name, CATALOG_SOURCES);
	text_copy(b->source[b->sources++].name, sizeof b->source[0].name, name);
	return reading_take(&r, e);
}
