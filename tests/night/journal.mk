# At a release: its state of a made-up night is kept for those that come after it.
JOURNAL_OF := $(if $(filter command line environment,$(origin VERSION)),$(VERSION:v%=%))
journal: ## keep what this release leaves behind: VERSION=v1.2.3 → tests/night/journals/v1.2.3.sql.gz
	@[ -n "$(JOURNAL_OF)" ] || { echo "say which release: make journal VERSION=v$(VERSION)"; exit 2; }
	@$(MAKE) --no-print-directory VERSION=$(JOURNAL_OF) $(BUILD)/tests/night/nights
	@BUILD="$(BUILD)" tests/night/journals/keep "v$(JOURNAL_OF)"
.PHONY: journal
