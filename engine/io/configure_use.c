/* What is done with a loaded configuration: urls looked up, the body of the `config` input made. See configure.h. */
#include "engine/base/json.h"
#include "engine/io/configure.h"
#include <string.h>

const char *config_url(const struct config_facility *f, const char *name)
{
	for (const struct config_url *u = f->urls; u->name[0] != '\0'; u++)
		if (strcmp(u->name, name) == 0)
			return u->base;
	return NULL;
}

/* The configuration as the journal may show it: no credentials' names, no hosts that get one. */
static json_t *journalled(const json_t *body)
{
	json_t *out = json_deep_copy(body), *v;
	size_t i;
	json_object_del(out, "$schema");
	json_object_del(out, "description");
	json_object_del(out, "credentials_dir");
	json_array_foreach(json_object_get(out, "sources"), i, v)
		json_object_del(v, "auth");
	json_array_foreach(json_object_get(out, "facilities"), i, v) {
		json_object_del(v, "secret");
		json_object_del(v, "urls");
	}
	return out;
}

json_t *config_input(const struct config *c, const char *installation, const json_t *catalog)
{
	json_t *facilities = json_array();
	for (size_t i = 0; i < c->facility_count; i++) {
		const struct config_facility *f = &c->facilities[i];
		json_array_append_new(facilities, json_pack("{s:s,s:s,s:b,s:O}", "name", f->name, "use", f->use, "accepts_tests",
			(int)f->accepts_tests, "descriptor", f->descriptor));
	}
	return json_pack("{s:s,s:o,s:O,s:o,s:o}", "installation", installation, "config", journalled(c->body), "policies", c->policies,
		"facilities", facilities, "catalog", catalog != NULL ? json_incref((json_t *)catalog) : json_null());
}
