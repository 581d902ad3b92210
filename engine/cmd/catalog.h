/* Parts of `slew catalog`. */
#ifndef ENGINE_CMD_CATALOG_H
#define ENGINE_CMD_CATALOG_H

/* `slew catalog build …`: argv[1] is "build". Returns the exit code. */
int catalog_make(int argc, char **argv);
#endif
