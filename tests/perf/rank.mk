$(BUILD)/tests/perf/rank_make $(BUILD)/tests/perf/rank_time: | slew
bench-rank: slew $(BUILD)/tests/perf/rank_make $(BUILD)/tests/perf/rank_time $(BUILD)/tests/perf/measure ## time the ranking of 22.5 million galaxies (RANK_ROWS=n; 3 GB of disk, two minutes)
	@BUILD=$(BUILD) SLEW=./slew tests/perf/rank.sh
.PHONY: bench-rank
