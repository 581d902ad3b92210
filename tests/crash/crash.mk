# Deaths: of the disk at every operation, of the process at random instants.
crash-all: slew $(BUILD)/tests/crash/points ## every crash point of a night with every loss, and KILLS=100 kills of the real engine (15 minutes)
	@POINTS=1 TEST_TIMEOUT=3600 BUILD=$(BUILD) tests/run $(BUILD)/tests/crash/points
	@KILLS=$(or $(KILLS),100) TEST_TIMEOUT=3600 BUILD=$(BUILD) tests/run tests/crash/kill.sh
.PHONY: crash-all
