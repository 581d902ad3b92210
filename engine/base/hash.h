/* SHA-256 (OpenSSL) and base64 (RFC 4648). */
#ifndef ENGINE_BASE_HASH_H
#define ENGINE_BASE_HASH_H
#include "engine/base/err.h"
#include <stddef.h>

/* 64 lower-case hex digits and NUL. */
void hash_sha256_hex(const void *bytes, size_t len, char out[65]);

/* The same over bytes that come in pieces: begin → add… → end, which frees. end with out NULL only frees; harmless on NULL. */
struct hash_running;
struct hash_running *hash_sha256_begin(void);
void hash_sha256_add(struct hash_running *h, const void *bytes, size_t len);
void hash_sha256_end(struct hash_running *h, char out[65]);

/* Decodes standard base64 (with = padding; white space is skipped). *out is malloc'd and given to the caller; len ≤ max. */
int base64_decode(const char *in, size_t len, size_t max, unsigned char **out, size_t *out_len, struct err *e);

/* Encodes; returns malloc'd NUL-terminated text, or NULL without memory. */
char *base64_encode(const void *in, size_t len);
#endif
