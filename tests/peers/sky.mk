peers-twilight: slew ## sunset, twilights, moonrise of nine sites and seven nights against astroplan: within 5 s (a minute or two)
	@BUILD=$(BUILD) tests/peers/twilight.sh
peers-windows: slew ## windows of random targets over eleven sites against astroplan: edges, airmass, Moon, hour angle (a minute)
	@BUILD=$(BUILD) tests/peers/twilight.sh windows
.PHONY: peers-twilight peers-windows
