/* A folder of files for a person: written whole or not at all, never over another's, read where the person has put them. */
#include "test.h"
#include "engine/io/folder.h"
#include <sys/stat.h>

static char folder[] = "/tmp/slew-folder-XXXXXX";

static void gives(int wanted, const char *method, const char *path, const char *body, const char *answer)
{
	struct call c = {.body = (char *)(uintptr_t)body, .body_len = body != NULL ? strlen(body) : 0};
	char *out = NULL;
	snprintf(c.method, sizeof c.method, "%s", method);
	snprintf(c.path, sizeof c.path, "%s", path);
	int status = folder_do(folder, &c, &out);
	if (status != wanted || out == NULL || strstr(out, answer) == NULL)
		fail_msg("%s %s: %d %s, wanted %d %s", method, path, status, out ? out : "-", wanted, answer);
	free(out);
}

static void run(const char *format)
{
	char command[400];
	snprintf(command, sizeof command, "cd %s && %s", folder, format);
	assert_int_equal(system(command), 0);
}

static void a_life(void **state)
{
	(void)state;
	gives(200, "GET", "/", NULL, "there");
	gives(200, "GET", "/a.yaml", NULL, "\"absent\"");
	gives(200, "POST", "/a.yaml", "x: 1\n", "\"new\"");
	gives(200, "POST", "/a.yaml", "x: 1\n", "\"new\""); /* sent twice: the same file */
	gives(409, "POST", "/a.yaml", "x: 2\n", "another file");
	gives(409, "POST", "/a.yaml", "x: 1\nmore", "another file");
	run("test \"$(cat a.yaml)\" = 'x: 1' && test -z \"$(ls -A | grep part)\"");
	gives(200, "GET", "/a.yaml", NULL, "\"new\"");
	run("mkdir taken done refused && mv a.yaml taken/");
	gives(200, "GET", "/a.yaml", NULL, "\"taken\"");
	gives(200, "DELETE", "/a.yaml", NULL, "\"taken\""); /* too late */
	run("mv taken/a.yaml refused/ && printf 'clouds \\001 came\\n' > refused/a.txt");
	gives(200, "GET", "/a.yaml", NULL, "clouds \\\\x01 came\"}");
	run("mv refused/a.yaml done/");
	gives(200, "GET", "/a.yaml", NULL, "{\"state\":\"done\",\"words\":\"\"}");
	gives(200, "POST", "/b.yaml", "y", "\"new\"");
	gives(200, "DELETE", "/b.yaml", NULL, "\"removed\"");
	gives(200, "GET", "/b.yaml", NULL, "\"absent\"");
}

static void strangers(void **state)
{
	(void)state;
	gives(400, "POST", "/../x", "y", "no name");
	gives(400, "POST", "/.x", "y", "no name");
	gives(400, "GET", "/done/a.yaml", NULL, "no name");
	gives(400, "POST", "/x.yaml", NULL, "wanted");
	gives(400, "PATCH", "/x.yaml", "y", "wanted");
	run("ln -s /etc/hostname l.yaml");
	gives(409, "POST", "/l.yaml", "y", "another file"); /* no link is followed, none is replaced */
	run("test -L l.yaml");
}

static void gone(void **state)
{
	(void)state;
	run("rm -r ../\"$(basename \"$PWD\")\"");
	gives(500, "GET", "/", NULL, "cannot be written");
	gives(500, "GET", "/a.yaml", NULL, "cannot be read"); /* not "absent" */
	gives(500, "POST", "/a.yaml", "y", "cannot be written");
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(folder) != NULL ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_life), cmocka_unit_test(strangers), cmocka_unit_test(gone)};
	return cmocka_run_group_tests(tests, setup, NULL);
}
