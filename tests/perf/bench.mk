# Ours and the peers side by side. Not part of check: 25 minutes, 12 GB of disk, 8 GB of memory.
BENCH_BIN := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/perf/*.c))
$(BENCH_BIN): | slew
bench: slew $(BENCH_BIN) ## ours and the peers in turn: times, memory, ratios into tests/BENCH.json and README (25 minutes; QUICK=1: 5, README stays)
	@BUILD=$(BUILD) SLEW=./slew QUICK=$(QUICK) tools/bench run
.PHONY: bench
