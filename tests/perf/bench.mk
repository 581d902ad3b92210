# Ours and the peers side by side. Not part of check: up to 40 minutes, 12 GB of disk, 8 GB of memory.
BENCH_BIN := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/perf/*.c))
$(BENCH_BIN): | slew
bench: slew $(BENCH_BIN) ## ours and the peers in turn: times, memory, ratios into build/bench.json (QUICK=1: 5 minutes)
	@BUILD=$(BUILD) SLEW=./slew QUICK=$(QUICK) tools/bench run
.PHONY: bench
