/* Small sky maps for tests: see mapmake.h. */
#include "mapmake.h"
#include "engine/base/bytes.h"
#include <chealpix.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void add(struct mapmake *m, const void *bytes, size_t len)
{
	if (m->len + len > m->cap) {
		m->cap = (m->len + len) * 2 + 4096;
		m->data = realloc(m->data, m->cap);
	}
	memcpy(m->data + m->len, bytes, len);
	m->len += len;
}

static void card(struct mapmake *m, const char *text)
{
	char line[128];
	snprintf(line, sizeof line, "%-80.80s", text);
	add(m, line, 80);
}

static void card_int(struct mapmake *m, const char *key, long long v)
{
	char line[128];
	snprintf(line, sizeof line, "%-8s= %20lld", key, v);
	card(m, line);
}

static void fill(struct mapmake *m, char c)
{
	while (m->len % 2880 != 0)
		add(m, &c, 1);
}

static size_t width(const struct mapmake_column *c)
{
	return (size_t)c->repeat * (c->type == 'D' || c->type == 'K' ? 8 : 4);
}

static void value(struct mapmake *m, const struct mapmake_column *c, int64_t i)
{
	unsigned char b[8];
	if (c->type == 'D')
		bytes_put_double(b, c->number[i]);
	else if (c->type == 'K')
		bytes_put_u64(b, (uint64_t)c->integer[i]);
	else if (c->type == 'E')
		bytes_put_float(b, (float)c->number[i]);
	else
		bytes_put_u32(b, (uint32_t)c->integer[i]);
	add(m, b, c->type == 'D' || c->type == 'K' ? 8 : 4);
}

void mapmake_file(struct mapmake *m, const struct mapmake_column *columns, int n, int64_t rows, const char *const *cards)
{
	char line[128];
	size_t row = 0;
	for (int i = 0; i < n; i++)
		row += width(&columns[i]);
	*m = (struct mapmake){0};
	card(m, "SIMPLE  =                    T");
	card_int(m, "BITPIX", 8);
	card_int(m, "NAXIS", 0);
	card(m, "EXTEND  =                    T");
	card(m, "END");
	fill(m, ' ');
	card(m, "XTENSION= 'BINTABLE'");
	card_int(m, "BITPIX", 8);
	card_int(m, "NAXIS", 2);
	card_int(m, "NAXIS1", (long long)row);
	card_int(m, "NAXIS2", rows);
	card_int(m, "PCOUNT", 0);
	card_int(m, "GCOUNT", 1);
	card_int(m, "TFIELDS", n);
	for (int i = 0; i < n; i++) {
		snprintf(line, sizeof line, "TTYPE%-3d= '%s'", i + 1, columns[i].name);
		card(m, line);
		snprintf(line, sizeof line, "TFORM%-3d= '%d%c'", i + 1, columns[i].repeat, columns[i].type);
		card(m, line);
		snprintf(line, sizeof line, "TUNIT%-3d= '%s'", i + 1, columns[i].unit ? columns[i].unit : "");
		if (columns[i].unit)
			card(m, line);
	}
	for (; cards != NULL && *cards != NULL; cards++)
		card(m, *cards);
	card(m, "END");
	fill(m, ' ');
	for (int64_t r = 0; r < rows; r++)
		for (int i = 0; i < n; i++)
			for (int k = 0; k < columns[i].repeat; k++)
				value(m, &columns[i], r * columns[i].repeat + k);
	fill(m, '\0');
}

void mapmake_gzip(struct mapmake *out, const void *bytes, size_t len)
{
	z_stream z = {0};
	deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	*out = (struct mapmake){.cap = deflateBound(&z, len) + 64};
	out->data = malloc(out->cap);
	z.next_in = (unsigned char *)(size_t)bytes;
	z.avail_in = (unsigned)len;
	z.next_out = out->data;
	z.avail_out = (unsigned)out->cap;
	deflate(&z, Z_FINISH);
	out->len = out->cap - z.avail_out;
	deflateEnd(&z);
}

void mapmake_free(struct mapmake *m)
{
	free(m->data);
	*m = (struct mapmake){0};
}

void mapmake_sky_make(struct mapmake_sky *s, int order)
{
	double total = 0;
	s->order = order;
	s->pixels = INT64_C(12) << (2 * order);
	size_t n = (size_t)s->pixels;
	double **columns[5] = {&s->prob, &s->density, &s->mu, &s->sigma, &s->norm};
	for (int i = 0; i < 5; i++)
		*columns[i] = calloc(n, sizeof(double));
	s->uniq = calloc(n, sizeof(int64_t));
	for (int64_t i = 0; i < s->pixels; i++) {
		double v[3];
		pix2vec_nest64(INT64_C(1) << order, i, v);
		s->prob[i] = exp(6 * (0.6 * v[0] - 0.64 * v[1] + 0.48 * v[2])) + (i % 7 == 3 ? 0 : 1e-3);
		total += s->prob[i];
		bool none = i % 11 == 5;
		s->mu[i] = none ? INFINITY : 60 + 70 * v[0] - (i % 13 == 2 ? 150 : 0);
		s->sigma[i] = none ? 1 : 25 + 5 * v[2];
		s->norm[i] = none ? 0 : 1e-4 / (1 + v[1] * v[1]);
		s->uniq[i] = i + (INT64_C(4) << (2 * order));
	}
	for (int64_t i = 0; i < s->pixels; i++) {
		s->prob[i] /= total;
		s->density[i] = s->prob[i] / (4 * M_PI / (double)s->pixels);
	}
}

void mapmake_sky_free(struct mapmake_sky *s)
{
	free(s->prob);
	free(s->density);
	free(s->mu);
	free(s->sigma);
	free(s->norm);
	free(s->uniq);
}

static double *ringed(const struct mapmake_sky *s, const double *nested)
{
	double *ring = malloc((size_t)s->pixels * sizeof *ring);
	for (int64_t i = 0; i < s->pixels; i++) {
		int64_t to;
		nest2ring64(INT64_C(1) << s->order, i, &to);
		ring[to] = nested[i];
	}
	return ring;
}

void mapmake_sky_file(const struct mapmake_sky *s, const char *ordering, int is_3d, struct mapmake *out)
{
	int moc = strcmp(ordering, "NUNIQ") == 0, ring = strcmp(ordering, "RING") == 0;
	char order_card[81];
	snprintf(order_card, sizeof order_card, "ORDERING= '%s'", ordering);
	const char *const cards[] = {order_card, "DISTMEAN=                 55.5", "DISTSTD =                 11.5", "OBJECT  = 'TEST-1'", NULL};
	const double *from[4] = {moc ? s->density : s->prob, s->mu, s->sigma, s->norm};
	double *own[4] = {NULL, NULL, NULL, NULL};
	for (int i = 0; i < 4 && ring; i++)
		from[i] = own[i] = ringed(s, from[i]);
	/* columns shuffled on purpose */
	const struct mapmake_column c[5] = {{"DISTNORM", "Mpc-2", 'D', 1, from[3], NULL}, {"DISTSIGMA", "Mpc", 'D', 1, from[2], NULL},
		{moc ? "PROBDENSITY" : "PROB", moc ? "sr-1" : "pix-1", 'D', 1, from[0], NULL}, {"DISTMU", "Mpc", 'D', 1, from[1], NULL},
		{"UNIQ", NULL, 'K', 1, NULL, s->uniq}};
	if (is_3d) {
		mapmake_file(out, c, moc ? 5 : 4, s->pixels, cards);
	} else {
		const struct mapmake_column flat[2] = {c[2], c[4]};
		mapmake_file(out, flat, moc ? 2 : 1, s->pixels, cards);
	}
	for (int i = 0; i < 4; i++)
		free(own[i]);
}
