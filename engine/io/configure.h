/* The configuration: one JSON file, validated whole before any of it is used. Everything that io needs is a typed field; what the core
 * needs becomes the body of a `config` input. Secrets are files in credentials_dir; engine/io/secret.h reads them. */
#ifndef ENGINE_IO_CONFIGURE_H
#define ENGINE_IO_CONFIGURE_H
#include "engine/base/err.h"
#include "engine/base/text.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum source_type { SOURCE_KAFKA, SOURCE_SPOOL, SOURCE_STDIN };
enum auth_kind { AUTH_NONE, AUTH_PLAIN, AUTH_SCRAM, AUTH_OAUTH };

struct config_auth {
	enum auth_kind kind;
	bool tls;               /* default: true, but false when every broker is a literal loopback address */
	char mechanism[24];     /* SASL mechanism: "SCRAM-SHA-512" (default), "SCRAM-SHA-256", "PLAIN", "OAUTHBEARER"; "" for none */
	char user[128];         /* scram, plain: user name; oauth: client id */
	char secret[128];       /* file in credentials_dir: password or client secret */
	char token_url[512];    /* oauth: token endpoint */
	char scope[256];        /* oauth; "" none */
	char ca[1024];          /* CA file (absolute), "" = the system's */
};

struct config_source {
	char name[64];
	enum source_type type;
	char brokers[1024];     /* kafka: "host:port,host:port" */
	char group[224];        /* kafka: group.id; default USER-slew-NAME, or slew-NAME without a user */
	char path[1024];        /* spool: directory of alert files, absolute */
	const char **topics;    /* kafka: at least one; NULL-terminated */
	bool earliest;          /* start: where a topic without a position begins; default latest */
	struct config_auth auth;
};

enum { CONFIG_URLS = 8 };
#define CONFIG_FILE "file:"     /* how the url of a file database begins */
#define CONFIG_FOLDER "folder:" /* and of a folder of files for a person */
#define CONFIG_KAFKA "kafka:"   /* and of the brokers of a source, by its name */
struct config_url {
	char name[16];          /* portal, archive, downtime, proxy, love, exchange, folder, broker */
	char base[512];         /* "https://observe.lco.global", without a slash at the end; exchange: "file:/abs/path", folder: "folder:/abs/path" */
};

struct config_facility {
	char name[64];
	char use[256];          /* embedded descriptor or path, as given */
	char adapter[32];       /* from the descriptor */
	char secret[128];       /* file in credentials_dir; "" none */
	struct config_url urls[CONFIG_URLS + 1]; /* the descriptor's, overridden by the configuration's; first with base "" ends */
	bool accepts_tests;
	json_t *descriptor;     /* owned */
};

/* All of it. Paths are absolute: relative ones are taken from the configuration file's directory. Owned: config_free. */
struct config {
	json_t *body;           /* as read */
	char sha256[65];        /* of the file's bytes */
	char path[1024], state[1024], catalog[1024]; /* catalog "" = none */
	char dust[1024], references[1024], covered[1024];          /* "": none */
	char credentials_dir[1024];  /* "" = none; default $CREDENTIALS_DIRECTORY */
	char socket[108];       /* operator socket; default STATE.sock */
	char view_group[64], act_group[64]; /* "" = the engine's own group */
	char http_host[64];     /* http.listen; "" = off (default). A literal loopback address */
	int http_port;
	bool virtual_clock;     /* clock is given */
	int64_t clock_start_us; /* sky time at clock_anchor_us */
	int64_t clock_anchor_us;/* wall time at which start holds; UTC_NONE = when the state was made (store.clock_anchor_us) */
	double clock_rate;      /* sky seconds per wall second; 1 without a clock */
	const char **map_hosts; /* maps.allow: hosts from which a map may be fetched; NULL-terminated, empty = never fetch */
	struct config_source *sources;
	size_t source_count;
	struct config_facility *facilities;
	size_t facility_count;
	json_t *policies;       /* array of the policies' bodies, in the configuration's order; owned */
};

/* Reads and validates everything: schema, policies (compiled), descriptors, names that refer to each other, urls, clock, paths. Reads no
 * secret and opens no socket. e: what, where (line and column), and how to mend it. */
int config_load(const char *path, struct config *out, struct err *e);
void config_free(struct config *c);

/* Body of the `config` input (engine/core/core.h): no secrets, no credentials' file names, no facility urls. catalog: {"sha256","rows","path"}
 * or NULL (borrowed). New reference. */
json_t *config_input(const struct config *c, const char *installation, const json_t *catalog);

/* Fills f->urls from the configuration's and the descriptor's; *key: the name of the configuration's url at fault, NULL: the descriptor's. dir: of the
 * configuration. Likewise "too" (rubin-too) and
 * "block" (rubin-block): members stand in place of the descriptor's; a label that no survey follows is refused. */
int config_urls(struct config_facility *f, const json_t *own, const char *dir, const char **key, struct err *e);
int config_too(struct config_facility *f, const json_t *own, struct err *e);
int config_block(struct config_facility *f, const json_t *own, struct err *e);
bool config_url_local(const char *url); /* file:, folder: or kafka: */

/* Base url of a facility by name of url ("portal"), or NULL. */
const char *config_url(const struct config_facility *f, const char *name);

/* Bytes of an embedded policy ("bns-near") or of a file; likewise of a descriptor ("lco"). dir: what a relative path is relative to, NULL = cwd.
 * *text is malloc'd and given. what: "policies" or "facilities". */
int config_resource(const char *what, const char *name_or_path, const char *dir, char **text, size_t *len, struct err *e);

/* true when the host is literally 127.x.x.x, ::1 ([::1]) or "localhost" is NOT: names can be made to point anywhere. */
bool host_is_loopback(const char *host, size_t len);

/* https, or http to a literal loopback address; no user, query or fragment. ERR_INPUT says what is wrong. */
int url_allowed(const char *url, struct err *e);
#endif
