peers-catalog: slew ## distances, frames and errors of a catalogue against astropy's Planck18 (some seconds)
	@BUILD=$(BUILD) tests/peers/catalog.sh
.PHONY: peers-catalog
