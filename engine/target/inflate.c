/* gzip with a ceiling: see inflate.h. */
#include "engine/target/inflate.h"
#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>

struct growing {
	unsigned char *data;
	size_t len, cap, max;
};

/* Room for more output; false when the ceiling is reached or memory ends. One byte over max is allowed, to notice it. */
static bool growing_room(struct growing *g)
{
	if (g->len < g->cap)
		return true;
	if (g->cap > g->max)
		return false;
	size_t cap = g->cap < (1u << 20) ? (1u << 20) : g->cap * 2;
	if (cap > g->max + 1)
		cap = g->max + 1;
	unsigned char *data = realloc(g->data, cap);
	if (data == NULL)
		return false;
	g->data = data;
	g->cap = cap;
	return true;
}

/* zlib counts in unsigned int: input and output are handed over in slices. */
static int inflate_all(z_stream *z, const unsigned char *in, size_t len, struct growing *g, struct err *e)
{
	size_t at = 0;
	for (;;) {
		if (!growing_room(g))
			return g->cap > g->max ? err_set(e, ERR_LIMIT, "gzip inflates to more than the limit of %zu bytes", g->max)
				: err_set(e, ERR_MEMORY, "no memory to inflate a gzip file past %zu bytes", g->cap);
		size_t give = len - at < (1u << 30) ? len - at : (1u << 30);
		size_t room = g->cap - g->len < (1u << 30) ? g->cap - g->len : (1u << 30);
		z->next_in = (unsigned char *)(size_t)(in + at);
		z->avail_in = (unsigned)give;
		z->next_out = g->data + g->len;
		z->avail_out = (unsigned)room;
		int rc = inflate(z, Z_NO_FLUSH);
		at += give - z->avail_in;
		g->len += room - z->avail_out;
		if (rc == Z_STREAM_END) {
			if (at + 2 > len || in[at] != 0x1f || in[at + 1] != 0x8b)
				return 0; /* padding after the last member is common and harmless */
			if (inflateReset(z) != Z_OK)
				return err_set(e, ERR_MEMORY, "no memory for gzip");
		} else if (rc == Z_BUF_ERROR || (rc == Z_OK && at == len && z->avail_out > 0)) {
			return err_set(e, ERR_INPUT, "gzip file is truncated after %zu bytes: the download broke off; fetch it again", len);
		} else if (rc != Z_OK) {
			return err_set(e, ERR_INPUT, "gzip data is damaged at byte %zu (%s); fetch the file again", at,
				z->msg ? z->msg : "no memory");
		}
	}
}

int inflate_gzip(const void *bytes, size_t len, size_t max, struct inflated *out, struct err *e)
{
	z_stream z = {0};
	struct growing g = {.max = max};
	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return err_set(e, ERR_MEMORY, "no memory for gzip");
	int rc = inflate_all(&z, bytes, len, &g, e);
	inflateEnd(&z);
	if (rc == 0 && g.len > max)
		rc = err_set(e, ERR_LIMIT, "gzip inflates to more than the limit of %zu bytes", max);
	if (rc < 0) {
		free(g.data);
		return -1;
	}
	unsigned char *fit = realloc(g.data, g.len ? g.len : 1);
	*out = (struct inflated){fit ? fit : g.data, g.len};
	return 0;
}

int inflate_gzip_start(const void *bytes, size_t len, size_t max, struct inflated *out, struct err *e)
{
	z_stream z = {.next_in = (unsigned char *)(size_t)bytes, .avail_in = (unsigned)(len < max + 1024 ? len : max + 1024)};
	unsigned char *data = malloc(max);
	if (data == NULL || inflateInit2(&z, 15 + 16) != Z_OK) {
		free(data);
		return err_set(e, ERR_MEMORY, "no memory for gzip");
	}
	z.next_out = data;
	z.avail_out = (unsigned)max;
	int rc = inflate(&z, Z_SYNC_FLUSH);
	inflateEnd(&z);
	if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) {
		free(data);
		return err_set(e, ERR_INPUT, "gzip data is damaged at its start; fetch the file again");
	}
	*out = (struct inflated){data, max - z.avail_out};
	return 0;
}
