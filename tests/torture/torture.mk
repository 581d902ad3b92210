# Torture: the n-th allocation, the n-th system call fails.
TORTURE_BIN := $(BUILD)/tests/torture/commands $(BUILD)/tests/torture/turns
TEST_BIN += $(TORTURE_BIN)
tests: $(TORTURE_BIN)

$(BUILD)/tests/torture/preload.so: tests/torture/preload.c tests/torture/page.h
	@mkdir -p $(@D)
	@$(CC) -std=gnu11 -O2 -Wall -Wextra -fPIC -shared -o $@ $< -ldl
$(BUILD)/tests/torture/commands: | $(BUILD)/tests/torture/preload.so

torture: slew $(TORTURE_BIN) ## commands and turns whose n-th allocation or system call fails (ten minutes; TORTURE=1 each n, TORTURE=n every n-th)
	@TORTURE_TRIES=$(or $(TORTURE_TRIES),150) TURNS=$(or $(TORTURE),29) TEST_TIMEOUT=36000 BUILD=$(BUILD) tests/run $(TORTURE_BIN)
.PHONY: torture
