/* SHA-256 and base64: see hash.h. */
#include "engine/base/hash.h"
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void hex_of(const unsigned char digest[32], char out[65])
{
	static const char hex[] = "0123456789abcdef";
	for (unsigned i = 0; i < 32; i++) {
		out[2 * i] = hex[digest[i] >> 4];
		out[2 * i + 1] = hex[digest[i] & 15];
	}
	out[64] = '\0';
}

void hash_sha256_hex(const void *bytes, size_t len, char out[65])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	must_memory(EVP_Digest(bytes, len, digest, &n, EVP_sha256(), NULL) == 1 && n == 32); /* it wants nothing else */
	hex_of(digest, out);
}

struct hash_running {
	EVP_MD_CTX *context;
};

struct hash_running *hash_sha256_begin(void)
{
	struct hash_running *h = err_malloc(sizeof *h);
	h->context = EVP_MD_CTX_new();
	must_memory(h->context != NULL && EVP_DigestInit_ex(h->context, EVP_sha256(), NULL) == 1);
	return h;
}

void hash_sha256_add(struct hash_running *h, const void *bytes, size_t len)
{
	must_memory(EVP_DigestUpdate(h->context, bytes, len) == 1);
}

void hash_sha256_end(struct hash_running *h, char out[65])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	if (h == NULL)
		return;
	if (out != NULL) {
		must_memory(EVP_DigestFinal_ex(h->context, digest, &n) == 1 && n == 32);
		hex_of(digest, out);
	}
	EVP_MD_CTX_free(h->context);
	free(h);
}

static int base64_value(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : c == '=' ? 64 : c == ' ' || c == '\n' || c == '\r' || c == '\t' ? 65 : -1;
}

/* A whole group at a time: each character's bits where they belong in three bytes, or OTHER for what is no digit of base64. */
#define OTHER UINT32_C(0x01000000)
struct base64_tables {
	uint32_t at[4][256];
	signed char value[256];
};

static void tables_set(struct base64_tables *t)
{
	for (int c = 0; c < 256; c++) {
		int v = base64_value((unsigned char)c);
		t->value[c] = (signed char)v;
		for (int k = 0; k < 4; k++)
			t->at[k][c] = v < 0 || v > 63 ? OTHER : (uint32_t)v << (18 - 6 * k);
	}
}

/* Groups of four digits, while they last and four more characters come after them. How many. */
static size_t groups_decode(const struct base64_tables *t, const char *in, size_t len, unsigned char *buf)
{
	const unsigned char *p = (const unsigned char *)in, *end = p + len;
	for (; end - p > 4; p += 4, buf += 3) {
		uint32_t bits = t->at[0][p[0]] | t->at[1][p[1]] | t->at[2][p[2]] | t->at[3][p[3]];
		if (bits & OTHER)
			break;
		buf[0] = (unsigned char)(bits >> 16);
		buf[1] = (unsigned char)(bits >> 8);
		buf[2] = (unsigned char)bits;
	}
	return (size_t)(p - (const unsigned char *)in) / 4;
}

int base64_decode(const char *in, size_t len, size_t max, unsigned char **out, size_t *out_len, struct err *e)
{
	struct base64_tables t;
	tables_set(&t);
	if (len / 4 > max / 3 + 1)
		return err_set(e, ERR_LIMIT, "base64 of %zu bytes is over the limit of %zu decoded bytes", len, max);
	unsigned char *buf = malloc(len / 4 * 3 + 4);
	if (buf == NULL)
		return err_set(e, ERR_MEMORY, "no memory for %zu bytes of base64", len);
	uint32_t bits = 0;
	size_t n = 0, have = 0, pad = 0;
	for (size_t i = 0; i < len; i++) {
		if (have % 4 == 0 && pad == 0) { /* as nearly all are */
			size_t groups = groups_decode(&t, in + i, len - i, buf + n);
			i += 4 * groups;
			n += 3 * groups;
			have += 4 * groups;
		}
		int v = t.value[(unsigned char)in[i]];
		if (v == 65)
			continue;
		if (v < 0 || (pad > 0 && v != 64) || (v == 64 && have % 4 < 2)) {
			free(buf);
			return err_set(e, ERR_INPUT, "base64 is broken at character %zu of %zu", i + 1, len);
		}
		pad += v == 64;
		bits = bits << 6 | (uint32_t)(v & 63);
		if (++have % 4 != 0)
			continue;
		buf[n++] = (unsigned char)(bits >> 16);
		buf[n++] = (unsigned char)(bits >> 8);
		buf[n++] = (unsigned char)bits;
		bits = 0;
	}
	if (have % 4 != 0 || pad > 2) {
		free(buf);
		return err_set(e, ERR_INPUT, "base64 ends in the middle of a group (%zu characters)", have);
	}
	*out = buf;
	*out_len = n - pad;
	return 0;
}

char *base64_encode(const void *in, size_t len)
{
	char *out = malloc(len / 3 * 4 + 5);
	if (out != NULL)
		EVP_EncodeBlock((unsigned char *)out, in, (int)len);
	return out;
}
