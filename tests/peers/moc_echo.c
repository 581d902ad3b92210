/* moc_echo FORM IN OUT: reads a coverage and writes it again as nuniq, range, json or ascii; prints its resolution, its ranges and its area. */
#include "engine/target/moc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned char *file_read(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	unsigned char *bytes = malloc(64u << 20);
	*len = f && bytes ? fread(bytes, 1, 64u << 20, f) : 0;
	if (f)
		fclose(f);
	return bytes;
}

int main(int argc, char **argv)
{
	struct moc m;
	struct err e = {0};
	struct text t = {.max = 64u << 20};
	size_t len;
	if (argc != 4)
		return 2;
	unsigned char *bytes = file_read(argv[2], &len);
	if (moc_read(bytes, len, &m, &e) < 0) {
		fprintf(stderr, "%s: %s\n", argv[2], e.text);
		return 1;
	}
	if (strcmp(argv[1], "json") == 0)
		moc_json(&m, &t);
	else if (strcmp(argv[1], "ascii") == 0)
		moc_ascii(&m, &t);
	else
		moc_fits(&m, strcmp(argv[1], "range") == 0 ? MOC_RANGE : MOC_NUNIQ, "echo", &t);
	FILE *out = fopen(argv[3], "wb");
	bool bad = out == NULL || t.failed || fwrite(t.data, 1, t.len, out) != t.len;
	bad |= out == NULL || fclose(out) != 0;
	printf("%d %zu %.17g\n", m.order, m.count, moc_area_deg2(&m));
	moc_free(&m);
	text_free(&t);
	free(bytes);
	return bad;
}
