/* A sky map as the commands take it: a FITS file, plain or gzip, or an alert that carries one. */
#ifndef ENGINE_CMD_MAPFILE_H
#define ENGINE_CMD_MAPFILE_H
#include "engine/target/skymap.h"
#include <jansson.h>

/* Reads path ("-" is standard input) in the sandboxed child. 0, or the exit code after the error was printed. */
int cmd_read_map(const char *path, struct skymap *out);
/* Prints an object as one line, keys in the order given, numbers as short as they read back. Takes the object; 0, or 1 without memory. */
int cmd_print_object(json_t *object);
#endif
