# Tests: every tests/unit/*.c, tests/golden/*.c, tests/facility/*.c, tests/night/*.c is one cmocka program; every tests/*/*.sh is a
# script that prints TAP. tests/run runs them, prints what failed and ends with `N passed, N failed, N skipped`.
TEST_SRC := $(sort $(wildcard tests/unit/*.c tests/golden/*.c tests/facility/*.c tests/night/*.c tests/crash/*.c))
TEST_LIB := $(sort $(wildcard tests/lib/*.c))
TEST_LIB_OBJ := $(TEST_LIB:%.c=$(BUILD)/%.o)
TEST_BIN := $(TEST_SRC:%.c=$(BUILD)/%)
TEST_SH  := $(sort $(wildcard tests/layer/*.sh tests/system/*.sh tests/crash/*.sh))
TEST_LIBS = $(shell $(PKGCONF) --libs $(PKGS_TEST))

# A unit test may #include its .c: the archive then gives everything else.
$(BUILD)/tests/%.o: tests/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  TEST $<"
	@$(CC) $(ALLFLAGS) -Itests/lib $(shell $(PKGCONF) --cflags $(PKGS_TEST)) -MMD -MP -c -o $@ $<
$(BUILD)/tests/%: $(BUILD)/tests/%.o $(BUILD)/libslew.a $(TEST_LIB_OBJ)
	@$(CC) $(ALLFLAGS) $(LDALL) -o $@ $< $(TEST_LIB_OBJ) $(BUILD)/libslew.a $(TEST_LIBS) $(LIBS)

.SECONDARY: $(TEST_LIB_OBJ)
.PRECIOUS: $(BUILD)/tests/%.o

tests: $(TEST_BIN) ## build the test programs
check: ## build with -Werror, run every test (ends with `N passed, N failed, N skipped`)
	@$(MAKE) --no-print-directory WERROR=1 slew tests
	@BUILD=$(BUILD) tests/run $(TEST_BIN) $(TEST_SH)
check-unit: slew tests ## run the compiled tests only
	@BUILD=$(BUILD) tests/run $(TEST_BIN)
check-san: ## the compiled tests under ASan and UBSan
	@$(MAKE) --no-print-directory WERROR=1 SAN=address,undefined BUILD=$(BUILD)/san OPT=-O1 tests
	@TEST_TIMEOUT=900 BUILD=$(BUILD)/san tests/run $(patsubst $(BUILD)/%,$(BUILD)/san/%,$(TEST_BIN))
SAN_FAST := $(filter $(BUILD)/tests/unit/% $(BUILD)/tests/facility/%,$(TEST_BIN))
check-san-fast: ## the unit and facility tests only under ASan and UBSan: part of what continuous integration runs
	@$(MAKE) --no-print-directory WERROR=1 SAN=address,undefined BUILD=$(BUILD)/san OPT=-O1 $(SAN_FAST:$(BUILD)/%=$(BUILD)/san/%)
	@TEST_TIMEOUT=900 BUILD=$(BUILD)/san tests/run $(SAN_FAST:$(BUILD)/%=$(BUILD)/san/%)
sim: slew ## 1,000 random nights (SEEDS=n SEED=first); what breaks is cut short and kept under tests/night/regress
	@mkdir -p tests/night/regress
	@./slew sim --seeds $(or $(SEEDS),1000) --seed $(or $(SEED),1) --jobs $$(nproc) --shrink --keep tests/night/regress
peers: slew $(BUILD)/tests/peers/ocs_real $(BUILD)/tests/peers/ocs_profiles $(BUILD)/tests/peers/merger ## the adapters against real servers: an Observation Portal on loopback
	@BUILD=$(BUILD) tests/peers/portal.sh
demo: slew ## a whole made-up night in a minute (DEMO_SEED=n another; DEMO_ALERT=file.json DEMO_CATALOG=cat.fits a real alert)
	@SLEW=./slew DEMO_SEED="$(DEMO_SEED)" DEMO_ALERT="$(DEMO_ALERT)" DEMO_CATALOG="$(DEMO_CATALOG)" DEMO_START="$(DEMO_START)" tools/demo
# Targets of one kind of proof live with it.
include $(wildcard tests/*/*.mk)

.PHONY: tests check check-unit check-san check-san-fast sim peers demo
-include $(TEST_BIN:%=%.d) $(TEST_LIB_OBJ:.o=.d) $(wildcard $(BUILD)/tests/peers/*.d)
