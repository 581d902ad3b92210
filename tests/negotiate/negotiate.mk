# Negotiation over several facilities against one facility alone, on the same drawn nights: about 2 s of processor a night and policy.
NEGOTIATE := tests/negotiate
compare-negotiation: slew ## three facilities that are negotiated with, against each alone, on the same NIGHTS=100 drawn nights
	@mkdir -p $(BUILD)/$(NEGOTIATE)
	@./slew sim --real --config $(NEGOTIATE)/config.json --nights $(or $(NIGHTS),100) --policy $(NEGOTIATE)/negotiated.json \
		--policy $(NEGOTIATE)/one-lco.json --policy $(NEGOTIATE)/one-blanco.json --json $(BUILD)/$(NEGOTIATE)/nights.json
	@for alone in one-lco one-blanco; do ./slew sim --compare $(BUILD)/$(NEGOTIATE)/nights.json#negotiated $(BUILD)/$(NEGOTIATE)/nights.json#$$alone; done
.PHONY: compare-negotiation
