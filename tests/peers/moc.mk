peers-moc: slew $(BUILD)/tests/peers/moc_echo ## coverage maps that slew writes, read by mocpy, and the reverse
	@BUILD=$(BUILD) tests/peers/moc.sh
.PHONY: peers-moc
