planted: slew ## bugs that somebody could have written (tests/planted): each must be found; by what, after how many nights (NAME=one)
	@BUILD=$(BUILD) CC="$(CC)" tests/planted/planted.sh $(NAME)

.PHONY: planted
