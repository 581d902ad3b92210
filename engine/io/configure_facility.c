/* Parts of a facility in the configuration: its urls, and what it says to Rubin's scheduler. See configure.h. */
#include "engine/base/json.h"
#include "engine/io/configure.h"
#include <stdio.h>
#include <string.h>

/* "SCHEME:PATH", PATH from the configuration's directory. */
static int file_url(const char *url, const char *scheme, const char *dir, struct config_url *u, struct err *e)
{
	if (strncmp(url, scheme, strlen(scheme)) != 0)
		return err_set(e, ERR_INPUT, "%.60s: no file of this computer; write %sPATH", url, scheme);
	const char *path = url + strlen(scheme);
	int n = path[0] == '/' ? snprintf(u->base, sizeof u->base, "%s%s", scheme, path) : snprintf(u->base, sizeof u->base, "%s%s/%s", scheme, dir, path);
	if (path[0] == '\0' || n < 0 || (size_t)n >= sizeof u->base)
		return err_set(e, ERR_INPUT, "%.60s: no path, or one over %zu bytes; write %sPATH", url, sizeof u->base - 8, scheme);
	return 0;
}

static int host_url(const char *url, struct config_url *u, struct err *e)
{
	if (url_allowed(url, e) < 0)
		return -1;
	if (!text_copy(u->base, sizeof u->base, url))
		return err_set(e, ERR_INPUT, "the url is over %zu bytes", sizeof u->base - 1);
	while (u->base[0] != '\0' && u->base[strlen(u->base) - 1] == '/')
		u->base[strlen(u->base) - 1] = '\0';
	return 0;
}

int config_urls(struct config_facility *f, const json_t *own, const char *dir, const char **key, struct err *e)
{
	static const char *const names[CONFIG_URLS] = {"portal", "archive", "downtime", "proxy", "love", "exchange", "folder", "broker"};
	size_t n = 0;
	for (size_t k = 0; k < CONFIG_URLS; k++) {
		const char *mine = json_text(own, names[k], NULL);
		const char *url = mine != NULL ? mine : json_text(json_object_get(f->descriptor, "urls"), names[k], NULL);
		if (url == NULL)
			continue;
		struct config_url *u = &f->urls[n++];
		const char *scheme = strcmp(names[k], "exchange") == 0 ? CONFIG_FILE : strcmp(names[k], "folder") == 0 ? CONFIG_FOLDER : NULL;
		*key = mine != NULL ? names[k] : NULL;
		text_copy(u->name, sizeof u->name, names[k]);
		if (strcmp(names[k], "broker") == 0) { /* that there is such a source is looked at where they are known */
			if (strncmp(url, CONFIG_KAFKA, strlen(CONFIG_KAFKA)) != 0 || !text_copy(u->base, sizeof u->base, url))
				return err_set(e, ERR_INPUT, "%.60s: the name of a kafka source is wanted; write kafka:NAME", url);
			continue;
		}
		if ((scheme != NULL ? file_url(url, scheme, dir, u, e) : host_url(url, u, e)) < 0)
			return -1;
	}
	return 0;
}

bool config_url_local(const char *url)
{
	return strncmp(url, CONFIG_FILE, strlen(CONFIG_FILE)) == 0 || strncmp(url, CONFIG_FOLDER, strlen(CONFIG_FOLDER)) == 0 ||
		strncmp(url, CONFIG_KAFKA, strlen(CONFIG_KAFKA)) == 0;
}

int config_block(struct config_facility *f, const json_t *own, struct err *e)
{
	json_t *block = json_object_get(f->descriptor, "block");
	if (own == NULL)
		return 0;
	if (block == NULL)
		return err_set(e, ERR_INPUT, "%s is no facility of adapter rubin-block; take it out", f->name);
	json_object_update(block, (json_t *)(uintptr_t)own);
	return 0;
}

int config_too(struct config_facility *f, const json_t *own, struct err *e)
{
	json_t *too = json_object_get(f->descriptor, "too"), *entry, *survey;
	size_t k, n;
	if (own == NULL)
		return 0;
	if (too == NULL)
		return err_set(e, ERR_INPUT, "%s is no facility of adapter rubin-too; take it out", f->name);
	json_object_update(too, (json_t *)(uintptr_t)own);
	json_array_foreach(json_object_get(too, "labels"), k, entry) {
		bool followed = false;
		json_array_foreach(json_object_get(too, "surveys"), n, survey)
			followed |= strstr(json_text(entry, "label", ""), json_text(survey, "label", "?")) != NULL;
		if (!followed)
			return err_set(e, ERR_INPUT, "label \"%s\" of policy \"%s\": no survey of the telescope follows it; use one of the descriptor's too.surveys",
				json_text(entry, "label", ""), json_text(entry, "policy", ""));
	}
	return 0;
}
