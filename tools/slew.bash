# bash completion for slew: commands, options and policies from the program itself, events and targets from a running engine.
# Installed by `make install`; by hand: source tools/slew.bash

_slew_commands() { slew help 2> /dev/null | sed -n 's/^  slew \([a-z]*\) .*/\1/p'; }
_slew_options() { slew "$1" --help 2> /dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u; }
_slew_cameras() { slew fields --footprint '?' /dev/null 2>&1 | sed -n 's/.*known are \(.*\), facility:instrument.*/\1/p' | sed 's/, /\n/g'; }

# Values of a member ($2) in a view ($1) of the running engine: the one on the command line, or of $SLEW_SOCKET.
_slew_ask()
{
	local where=() i
	for ((i = 2; i + 1 < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in --socket | --config) where=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}") ;; esac
	done
	timeout 2 slew ctl "${where[@]}" --json "$1" 2> /dev/null | grep -oE "\"$2\": ?\"[^\"]*\"" | sed 's/^[^:]*: *"//; s/"$//' | sort -u
}

_slew()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} IFS=$'\n'
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		COMPREPLY=($(compgen -W "$(_slew_commands)"$'\nhelp\n--version' -- "$word"))
		return
	fi
	case $before in
	--weight) COMPREPLY=($(compgen -W $'none\nluminosity\nmass' -- "$word") $(compgen -f -- "$word")); return ;;
	--footprint) COMPREPLY=($(compgen -W "$(_slew_cameras)" -- "$word")); return ;;
	--from) COMPREPLY=($(compgen -W $'galaxies\nfields\nboth' -- "$word")); return ;;
	--map-prior) COMPREPLY=($(compgen -W $'distance\ncomoving' -- "$word")); return ;;
	--distance-prior) COMPREPLY=($(compgen -W $'none\nvolume:\nnormal:\nlognormal:' -- "$word")); return ;;
	--policy) COMPREPLY=($(compgen -W "$(slew policy list 2> /dev/null | sed -n 's/^\([^ ]\+\) .*/\1/p')" -- "$word") $(compgen -f -- "$word")); return ;;
	--facility | --sites) COMPREPLY=($(compgen -W $'lco\nlco-0m4\nlco-2m\nsoar\nblanco\nsaao' -- "$word") $(compgen -f -- "$word")); return ;;
	--start) COMPREPLY=($(compgen -W now -- "$word")); return ;;
	--jobs) COMPREPLY=($(compgen -W "$(nproc 2> /dev/null)" -- "$word")); return ;;
	--now) COMPREPLY=($(compgen -W event -- "$word")); return ;;
	--socket | --config | --catalog | --state | --targets | --fields | --plot | --truth | --alert | --compare | --verify | --dust | --references | --covered | --moc | --descriptor | -o) COMPREPLY=($(compgen -f -- "$word")); return ;;
	--why | --source | --topic) return ;;
	--format) COMPREPLY=($(compgen -W "$(slew catalog get 2> /dev/null | sed -n 's/^\([^ ]*\) .*;.*/\1/p')"$'\ngeneric' -- "$word")); return ;;
	--photo-z-below | --density | --explain | --position) return ;;
	--distance-error) COMPREPLY=($(compgen -W $'catalogue\nnone' -- "$word")); return ;;
	esac
	if [[ $word == -* ]]; then
		COMPREPLY=($(compgen -W "$(_slew_options "$command")" -- "$word"))
		return
	fi
	case $command in
	help) COMPREPLY=($(compgen -W "$(_slew_commands)" -- "$word")) ;;
	plot) [ "$COMP_CWORD" -eq 2 ] && COMPREPLY=($(compgen -W $'sky\ndistance\naltitude\nprobability' -- "$word")) ;;
	catalog)
		[ "$COMP_CWORD" -eq 2 ] && COMPREPLY=($(compgen -W $'build\ninfo\nget' -- "$word"))
		[ "$COMP_CWORD" -eq 3 ] && [ "$before" = get ] && COMPREPLY=($(compgen -W "$(slew catalog get 2> /dev/null | sed -n 's/^\([^ ]*\) .*;.*/\1/p')" -- "$word")) ;;
	policy) [ "$COMP_CWORD" -eq 2 ] && COMPREPLY=($(compgen -W $'list\nfacts\nshow\ncheck\ntest' -- "$word")) ;;
	sim) COMPREPLY=($(compgen -W $'--real\n--compare\n--seeds' -- "$word") $(compgen -f -- "$word")) ;;
	world) [ "$COMP_CWORD" -eq 2 ] && COMPREPLY=($(compgen -W $'tell\nwait\nend' -- "$word") $(compgen -d -- "$word")) ;;
	ctl)
		local verb= i
		for ((i = 2; i < COMP_CWORD; i++)); do
			case ${COMP_WORDS[i]} in --socket | --config | --why | --source | --topic) i=$((i + 1)) ;; -*) ;; *) [ -z "$verb" ] && verb=${COMP_WORDS[i]} ;; esac
		done
		case $verb in
		'') COMPREPLY=($(compgen -W $'status\nevents\nrequests\ncandidates\nexplain\ntail\napprove\nveto\nrelease\nhold\nresume\ncancel\nboost\npin\namend\npromote\naccepted\ndeclined\nreload\ninject' -- "$word")) ;;
		explain | approve | veto | release | hold | resume | amend | events | requests)
			COMPREPLY=($(compgen -W "$(_slew_ask events event)" -- "$word")) ;;
		cancel | boost | accepted | declined) COMPREPLY=($(compgen -W "$(_slew_ask requests token)" -- "$word")) ;;
		esac ;;
	esac
	[ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$word"))
}
complete -o filenames -F _slew slew
