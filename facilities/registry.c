/* The adapters of this program, in one place: name in the configuration → operations. */
#include "facilities/facility.h"
#include "facilities/ocs.h"
#include "facilities/rubin.h"
#include <string.h>

static const struct facility_ops *const adapters[] = {
	&facility_ocs, &facility_rubin_too, &facility_rubin_block,
};

const struct facility_ops *facility_find(const char *name)
{
	for (size_t i = 0; name != NULL && i < sizeof adapters / sizeof adapters[0]; i++) {
		if (strcmp(adapters[i]->name, name) == 0)
			return adapters[i]->abi == FACILITY_ABI ? adapters[i] : NULL;
	}
	return NULL;
}

int facility_render(const struct facility_ops *ops, const struct facility_conf *conf, const struct view *v,
		    struct call *out, struct err *e)
{
	int (*const slots[VERB_COUNT])(const struct facility_conf *, const struct view *, struct call *, struct err *) = {
		[VERB_OFFER] = ops->offer, [VERB_SUBMIT] = ops->submit, [VERB_FIND] = ops->find, [VERB_POLL] = ops->poll,
		[VERB_CANCEL] = ops->cancel, [VERB_STATUS] = ops->status, [VERB_DATA] = ops->data,
	};
	*out = (struct call){0};
	if (v->verb < 0 || v->verb >= VERB_COUNT || slots[v->verb] == NULL)
		return 1;
	int rc = slots[v->verb](conf, v, out, e);
	if (rc != 0)
		call_free(out);
	return rc;
}
