# Gates: what is run often (check-fast), what is run before a release (prove), and whether either is worth anything (mutate).
FAST_BIN := $(addprefix $(BUILD)/tests/,unit/lifecycle unit/when unit/policy_test unit/plan unit/core_release unit/core_sweep \
              unit/core_promises unit/core_breaches unit/core_survivors unit/core_walk unit/core_inputs unit/schema unit/fact \
              fuzz/regress)
FAST_SH  := tests/gates/fast_kept.sh tests/gates/fast_seeds.sh
check-fast-build: slew $(FAST_BIN)
check-fast: check-fast-build ## what decides, in ten seconds: its unit tests, the kept nights, 25 random ones
	@BUILD=$(BUILD) tests/run $(FAST_BIN) $(FAST_SH)
mutate: slew $(FAST_BIN) ## conditions of what decides turned round one by one (N=40 of them, SEED=1): does check-fast notice?
	@BUILD=$(BUILD) CC="$(CC)" tools/mutate -n $(or $(N),40) -s $(or $(SEED),1)
cells: $(BUILD)/tests/gates/cells ## which cells of the life of a request random nights visit (SEEDS=200; CELLS=1 lists the others)
	@SEEDS=$(or $(SEEDS),200) $(if $(CELLS),CELLS=1) $(BUILD)/tests/gates/cells 2>&1 | grep '^#'
prove: slew ## everything that proves, in half an hour of two cores, a line a part (PARTS="nights fuzz" some; LEDGER=1 writes it down)
	@BUILD=$(BUILD) tools/prove
soak: slew ## nights without end for HOURS=24: what breaks is kept, memory and open files are watched (LEDGER=1 writes it down)
	@BUILD=$(BUILD) HOURS="$(or $(HOURS),24)" tools/soak

.PHONY: check-fast check-fast-build mutate cells prove soak
