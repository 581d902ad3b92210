/* Sky maps as seeds: of tests/lib/mapmake and of the simulator; with_gzip: wrapped ones too. */
#ifndef TESTS_FUZZ_SEEDS_FITS_H
#define TESTS_FUZZ_SEEDS_FITS_H
#include "door.h"
void seeds_fits(struct fuzz_seeds *s, bool with_gzip);
#endif
