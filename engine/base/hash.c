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

int base64_decode(const char *in, size_t len, size_t max, unsigned char **out, size_t *out_len, struct err *e)
{
	signed char table[256];
	for (int c = 0; c < 256; c++)
		table[c] = (signed char)base64_value((unsigned char)c);
	if (len / 4 > max / 3 + 1)
		return err_set(e, ERR_LIMIT, "base64 of %zu bytes is over the limit of %zu decoded bytes", len, max);
	unsigned char *buf = malloc(len / 4 * 3 + 4);
	if (buf == NULL)
		return err_set(e, ERR_MEMORY, "no memory for %zu bytes of base64", len);
	uint32_t bits = 0;
	size_t n = 0, have = 0, pad = 0;
	for (size_t i = 0; i < len; i++) {
		for (; have % 4 == 0 && pad == 0 && len - i > 4; i += 4, have += 4) { /* whole groups, as nearly all are */
			int a = table[(unsigned char)in[i]], b = table[(unsigned char)in[i + 1]], c = table[(unsigned char)in[i + 2]],
			    d = table[(unsigned char)in[i + 3]];
			if ((a | b | c | d) & ~63)
				break;
			bits = (uint32_t)(a << 18 | b << 12 | c << 6 | d);
			buf[n++] = (unsigned char)(bits >> 16);
			buf[n++] = (unsigned char)(bits >> 8);
			buf[n++] = (unsigned char)bits;
			bits = 0;
		}
		int v = table[(unsigned char)in[i]];
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
