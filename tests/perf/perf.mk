bench-catalog: slew $(BUILD)/tests/perf/glade_text ## 22.5 million rows of GLADE+'s form → catalogue: time, rows a second, memory (CATALOG_ROWS=n)
	@BUILD=$(BUILD) tests/perf/catalog.sh
.PHONY: bench-catalog
