# Fuzzing: a door a tests/fuzz/fuzz_NAME.c. `make fuzz` drives each with libFuzzer under the address and undefined-behaviour sanitizers;
# `make check` runs the same doors over their seeds, the kept findings and a few thousand fixed mutations (regress.c; any compiler).
FUZZ_DOORS := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_T     := $(if $(T),$(T),$(FUZZ_DOORS))
FUZZ_S     := $(if $(S),$(S),60)
FUZZ_CC    ?= $(if $(findstring clang,$(CC)),$(CC),$(if $(findstring ccache,$(CC)),ccache )clang)
FUZZ_MORE  := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/fuzz/fuzz_%.c tests/fuzz/driver.c tests/fuzz/regress.c,$(sort $(wildcard tests/fuzz/*.c))))
FUZZ_OBJ   := $(FUZZ_DOORS:%=$(BUILD)/tests/fuzz/fuzz_%.o) $(FUZZ_MORE)

fuzz: ## libFuzzer at the doors (T="igwn_json fits_guard" some, default all; S=seconds each, default 60): executions, edges, findings; wants clang
	@if ! command -v clang > /dev/null || ! ls /usr/lib/llvm-*/lib/clang/*/lib/*/libclang_rt.fuzzer-$$(uname -m).a > /dev/null 2>&1; then \
	  echo "fuzz: skipped: clang with libFuzzer is missing; apt-get install clang libclang-rt-14-dev (Debian 13: libclang-rt-19-dev)"; else \
	  $(MAKE) --no-print-directory BUILD=build/fuzz CC="$(FUZZ_CC)" SAN=fuzzer-no-link,address,undefined OPT=-O2 \
	    CFLAGS="-gline-tables-only -Wno-unknown-warning-option" -k fuzz-run FUZZ_T="$(FUZZ_T)" FUZZ_S="$(FUZZ_S)"; fi

# The rest is for the make that the target above starts: another compiler, other flags, its own build folder.
fuzz-run: $(FUZZ_T:%=fuzz-run-%)
fuzz-run-%: $(BUILD)/tests/fuzz/fuzz-%
	@tests/fuzz/run.sh $* $(FUZZ_S) $(BUILD)
$(BUILD)/tests/fuzz/fuzz-%: $(BUILD)/tests/fuzz/fuzz_%.o tests/fuzz/driver.c $(BUILD)/tests/fuzz/more.a $(BUILD)/libslew.a
	@echo "  FUZZ $@"
	@$(CC) $(ALLFLAGS) $(LDALL) -fsanitize=fuzzer -DFUZZ_DOOR=fuzz_$* -o $@ tests/fuzz/driver.c $< $(BUILD)/tests/fuzz/more.a $(BUILD)/libslew.a $(TEST_LIBS) $(LIBS)
# An archive, so that a door carries only what it uses: libFuzzer looks at every counter of the program after every run.
$(BUILD)/tests/fuzz/more.a: $(FUZZ_MORE) $(TEST_LIB_OBJ)
	@rm -f $@ && ar qcs $@ $^

$(BUILD)/tests/fuzz/regress: tests/fuzz/regress.c $(FUZZ_OBJ) $(BUILD)/libslew.a $(TEST_LIB_OBJ) tests/lib/test.h
	@echo "  TEST $<"
	@$(CC) $(ALLFLAGS) -Itests/lib $(shell $(PKGCONF) --cflags $(PKGS_TEST)) $(LDALL) -MMD -MP -o $@ $< $(FUZZ_OBJ) $(TEST_LIB_OBJ) \
	  $(BUILD)/libslew.a $(TEST_LIBS) $(LIBS)
TEST_BIN += $(BUILD)/tests/fuzz/regress
SAN_FAST += $(BUILD)/tests/fuzz/regress
tests: $(BUILD)/tests/fuzz/regress

.PHONY: fuzz fuzz-run
.SECONDARY: $(FUZZ_OBJ) $(FUZZ_DOORS:%=$(BUILD)/tests/fuzz/fuzz-%)
-include $(FUZZ_OBJ:.o=.d)
