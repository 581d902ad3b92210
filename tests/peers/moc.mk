peers-moc: slew ## coverage maps that slew writes, read by mocpy
	@BUILD=$(BUILD) tests/peers/moc.sh
.PHONY: peers-moc
