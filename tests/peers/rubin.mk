peers-rubin: slew $(BUILD)/tests/peers/rubin_record ## records for Rubin's scheduler against an independent reading and its own code: selection, mask, TooClient, survey, observations (a minute or two; first: 600 MB)
	@BUILD=$(BUILD) tests/peers/rubin.sh
.PHONY: peers-rubin
