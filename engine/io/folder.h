/* Calls to a folder that a person looks into: one file a request, answered as if it were HTTP. Reached through engine/io/exchange.h.
 *
 *   POST /NAME: a new file, whole or not at all → 200 {"state":"new"}; also when it is there with the same bytes; 409 with others
 *   GET /NAME → 200 {"state":"new|taken|done|refused|absent","words":TEXT}: in the folder itself, or where the person has moved it; words: what
 *        stands in a file of the same name with .txt instead of its ending, beside it
 *   DELETE /NAME: what is still new goes → 200 {"state":"removed"}; else as GET
 *   GET / → 200 when the folder is there and can be written */
#ifndef ENGINE_IO_FOLDER_H
#define ENGINE_IO_FOLDER_H
#include "facilities/facility.h"

int folder_do(const char *folder, const struct call *c, char **body); /* status; *body malloc'd */
#endif
