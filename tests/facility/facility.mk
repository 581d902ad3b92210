# The same story for every adapter: tests/facility/story.c.
facility-check: $(BUILD)/tests/facility/story $(BUILD)/tests/facility/cases ## F=NAME (facility or adapter; default all): is its adapter fit for the engine?
	@FACILITY="$(F)" $(BUILD)/tests/facility/story
	@$(BUILD)/tests/facility/cases
.PHONY: facility-check
