# Times of what stands between an alert and its windows; each program prints lines NAME min median max unit. Not part of check.
bench-visible: $(BUILD)/tests/perf/visible ## visibility of 1000 targets over 6 sites and a day: min, median, max
	@$<
bench-map: $(BUILD)/tests/perf/map ## a sky map of 3.1 million cells, file to columns (MAP=file another): min, median, max, memory
	@$< $(MAP)
bench-alert: $(BUILD)/tests/perf/alert ## an LVK alert of 1 MB, bytes to map in memory and to columns: min, median, max
	@$<
.PHONY: bench-visible bench-map bench-alert
