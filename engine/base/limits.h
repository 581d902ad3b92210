/* Every ceiling of the engine, in one place; each is reported when it is hit. */
#ifndef ENGINE_BASE_LIMITS_H
#define ENGINE_BASE_LIMITS_H

#define LIMIT_ALERT_BYTES (16u << 20)          /* one alert, as it stands on the wire */
#define LIMIT_JSON_BYTES (512u << 10)          /* alert JSON without its map strings */
#define LIMIT_JSON_DEPTH 32
#define LIMIT_JSON_TOKENS 20000
#define LIMIT_REPLY_BYTES (8u << 20)           /* a facility's reply */
#define LIMIT_REPLY_TOKENS 200000
#define LIMIT_WORDS 4096                       /* facility's own words kept */
#define LIMIT_MAP_COMPRESSED (128u << 20)
#define LIMIT_MAP_INFLATED (512u << 20)
#define LIMIT_MAP_CARDS 2000
#define LIMIT_MAP_HEAD (2u * (LIMIT_MAP_CARDS * 80u + 2880u)) /* the two headers of a map */
#define LIMIT_MAP_CHILD_BYTES (1536u << 20)    /* address space of the map child */
#define LIMIT_MAP_CHILD_CPU_S 20
#define LIMIT_MAP_CHILD_WALL_S 60
#define LIMIT_MAP_CELLS (50331648u + 1u)       /* nside 2048, flat */
#define LIMIT_MOC_CELLS (8u << 20)             /* of one coverage: cells read, ranges kept */
#define LIMIT_EVENT_ID 256
#define LIMIT_TEST_REASONS 64                  /* signs of a test kept of one alert */
#define LIMIT_RANKED 1000                      /* ranked galaxies kept per event */
#define LIMIT_PLAN_REQUESTS 200
#define LIMIT_ANSWERS 1000                      /* answers that one reply may hold */
#define LIMIT_PAGES 50                          /* pages of one find or feed */
#define LIMIT_MEMO 4096
#define LIMIT_RETRY_AFTER_S 3600               /* the longest that a facility's Retry-After is obeyed */
#define LIMIT_VISIT_S 1000000                  /* the longest visit that a facility's word is believed for */
#define LIMIT_TRANSFERS 4                      /* at once per facility; one is kept for cancels */
#define LIMIT_BULK_BYTES (64u << 20)           /* alerts waiting for the core */
#define LIMIT_TURN_INPUTS 256
#define LIMIT_TURN_BYTES (8u << 20)
#define LIMIT_CONFIG_BYTES (1u << 20)
#define LIMIT_CATALOG_LINE (64u << 10)
#define LIMIT_OPERATOR_LINE (4u << 10)
#define LIMIT_OPERATOR_CLIENTS 32
#define LIMIT_OPERATOR_PER_UID 8
#define LIMIT_INLINE_BODY 4096                 /* larger bodies become blob rows */
#define LIMIT_TEXT (64u << 20)                 /* any text we make ourselves */
#endif
