/* slew catalog get: where a published catalogue is to be had, and whether what was downloaded is whole. Nothing is downloaded here. */
#include "engine/cmd/catalog.h"
#include "engine/cmd/cmd.h"
#include "engine/target/catalog_build.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int list(void)
{
	for (int i = 0; catalog_format_at(i) != NULL; i++) {
		const struct catalog_format *f = catalog_format_at(i);
		printf("%-9s %s; %s\n", f->name, f->title, f->size);
	}
	printf("say `slew catalog get NAME` for one of them\n");
	return 0;
}

static int where(const struct catalog_format *f)
{
	printf("%s\npaper        %s\nlicence      %s\nfrom         %s\nsize         %s\n", f->title, f->paper, f->licence, f->url, f->size);
	if (f->rows > 0)
		printf("rows         about %lld\n", (long long)f->rows);
	if (f->command[0] != '\0')
		printf("download     %s\n", f->command);
	printf("then         slew catalog get %s --verify FILE && slew catalog build FILE -o OUT.fits\n", f->name);
	return 0;
}

/* Whether the last line of a text is whole; a FITS file's end is seen by its reader. */
static bool cut_off(const char *path)
{
	char first = 0, last = '\n';
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool text = fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0 && pread(fd, &first, 1, 0) == 1 && first != 'S' && first != '\x1f';
	if (text && pread(fd, &last, 1, st.st_size - 1) != 1)
		last = '\n';
	if (fd >= 0)
		close(fd);
	return text && last != '\n';
}

/* What is wrong with the counts; NULL: nothing. */
static const char *complaint(const struct catalog_format *f, const struct catalog_source *s, const char *path)
{
	if (cut_off(path))
		return "its last line has no end: the download was cut off; go on with it (curl -C -)";
	if (f->rows > 0 && (double)s->rows < 0.95 * (double)f->rows)
		return "it has fewer rows than are published: the download was cut off (curl -C - goes on), or it is a piece";
	if ((double)s->bad > 0.001 * (double)s->rows)
		return "more than one row in a thousand cannot be read: it is damaged, or its form is new (see the rows above)";
	return NULL;
}

static int verify(const struct catalog_format *f, const char *path)
{
	struct catalog_builder b;
	struct err e = {0};
	struct stat st;
	catalog_builder_init(&b);
	b.format = f;
	int rc = catalog_look(&b, path, &e);
	if (b.report.data != NULL)
		fputs(b.report.data, stderr);
	if (rc == 0) {
		const struct catalog_source *s = &b.source[0];
		const char *why = complaint(f, s, path);
		printf("file         %s, %lld bytes\nform         %s, all its columns are there\nrows         %lld", path,
			(long long)(stat(path, &st) == 0 ? st.st_size : 0), f->name, (long long)s->rows);
		if (f->rows > 0)
			printf(" of about %lld", (long long)f->rows);
		printf("\nof these     %lld galaxies, %lld left out as unreadable, %lld on purpose, %lld without a distance\nsha256       %s\n", (long long)s->kept,
			(long long)s->bad, (long long)(s->off[CATALOG_OFF_TYPE] + s->off[CATALOG_OFF_UNSURE] + s->off[CATALOG_OFF_PHOTO]),
			(long long)s->without_distance, s->sha256);
		printf("digest       none is published: form, columns and counts are what can be verified\n");
		rc = why == NULL ? 0 : err_set(&e, ERR_INPUT, "%s: %s", path, why);
		if (why == NULL)
			printf("verified     whole, by its form and counts\n");
	}
	catalog_builder_free(&b);
	return rc < 0 ? err_print(&e) : 0;
}

int catalog_get(int argc, char **argv)
{
	if (argc == 2)
		return list();
	const struct catalog_format *f = catalog_format_named(argv[2]);
	if (f == NULL)
		return cmd_usage(&command_catalog, "no catalogue %s is known; `slew catalog get` lists them", argv[2]);
	if (argc == 3)
		return where(f);
	if (argc == 5 && strcmp(argv[3], "--verify") == 0)
		return verify(f, argv[4]);
	return cmd_usage(&command_catalog, "get takes NAME, and --verify FILE");
}
