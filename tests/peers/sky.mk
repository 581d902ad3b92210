peers-twilight: slew ## sunset, twilights, moonrise of nine sites and seven nights against astroplan: within 5 s (a minute or two)
	@BUILD=$(BUILD) tests/peers/twilight.sh
.PHONY: peers-twilight
