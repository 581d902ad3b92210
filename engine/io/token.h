/* An OAuth2 access token by client credentials (GCN): fetched by libcurl, since Debian 12's librdkafka is built without it. */
#ifndef ENGINE_IO_TOKEN_H
#define ENGINE_IO_TOKEN_H
#include "engine/base/err.h"
#include <stdint.h>

struct token_order {
	char url[512], client[128], scope[256], ca[1024];
	char *secret;          /* owned; wiped by token_order_free */
};
void token_order_free(struct token_order *o);

/* Blocks for up to 20 s: for a worker thread. *token is malloc'd, given, a secret: wipe it. lifetime_s: as the server says, 60 s to a day. */
int token_fetch(const struct token_order *o, char **token, int64_t *lifetime_s, struct err *e);
#endif
