/* JSON → Avro's binary form, by a schema: alerts as Hopskotch and survey brokers send them. */
#ifndef SIM_AVRO_WRITE_H
#define SIM_AVRO_WRITE_H
#include "engine/alert/avro.h"
#include "engine/base/text.h"

/* Appends value. Of a union the first branch that fits. bytes stand in given (by the parent and key of the member, as skim_cut says); others must be
 * null. ERR_INPUT when the value does not fit the schema. */
int avro_write(const struct avro_schema *s, const json_t *value, const struct skim_cut *given, size_t count, struct text *out, struct err *e);

/* Appends an object container file of one record, codec null. */
int avro_file_write(const char *schema, const json_t *value, const struct skim_cut *given, size_t count, struct text *out, struct err *e);

/* The writer's schema of an LVK alert: igwn_gwalert_schema 1.3.0, igwn.alerts.Alert, without its words. */
extern const char avro_igwn_schema[];
#endif
