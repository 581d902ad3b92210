# Deaths: of the disk at every operation, of the process at random instants.
crash-all: slew $(BUILD)/tests/crash/points $(BUILD)/tests/crash/fails ## each crash point with each loss, each failing call of the disk, KILLS=100 kills of the real engine (20 minutes)
	@POINTS=1 FAILS=1 TEST_TIMEOUT=3600 BUILD=$(BUILD) tests/run $(BUILD)/tests/crash/points $(BUILD)/tests/crash/fails
	@KILLS=$(or $(KILLS),100) TEST_TIMEOUT=3600 BUILD=$(BUILD) tests/run tests/crash/kill.sh
.PHONY: crash-all
