/* Coverage maps as the commands write and read them. */
#ifndef ENGINE_CMD_MOCFILE_H
#define ENGINE_CMD_MOCFILE_H
#include "engine/target/moc.h"

/* Writes path by what its name ends with: .json, .txt (ASCII), else FITS (NUNIQ); beside it first, then renamed (page.h). 0, or the exit code after the
 * error was printed. */
int cmd_write_moc(const char *path, const struct moc *m, const char *name);
#endif
