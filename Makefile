# slew: one binary, GNU make and pkg-config only. `make help` lists the targets.
#
# Libraries, each because it does its part better than code of ours would:
#   libuv loop · librdkafka Kafka · sqlite3 state and policy expressions · cfitsio FITS · chealpix HEALPix ·
#   libcurl HTTP · jansson JSON · erfa IAU SOFA astronomy · libmicrohttpd the demo world's HTTP server ·
#   libseccomp the map child's sandbox · zlib gzip · libcrypto SHA-256 · cmocka tests
ifeq ($(MAKELEVEL)$(findstring -j,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif
PKGS      := libuv rdkafka sqlite3 cfitsio chealpix libcurl jansson erfa libmicrohttpd libseccomp zlib libcrypto
PKGS_TEST := cmocka
BUILD     ?= build
PREFIX    ?= /usr/local
PKGCONF   ?= pkg-config
CC        := $(if $(filter default,$(origin CC)),gcc,$(CC))
VERSION   := 0.1.0

ifneq ($(filter-out help clean setup fresh-check format loc reference,$(or $(MAKECMDGOALS),all)),)
MISSING := $(strip $(if $(shell command -v $(firstword $(CC)) 2>/dev/null),,$(CC)) \
             $(if $(shell command -v $(PKGCONF) 2>/dev/null),$(foreach p,$(PKGS),$(shell $(PKGCONF) --exists $(p) || echo $(p))),$(PKGCONF)))
ifneq ($(MISSING),)
$(error missing: $(MISSING). Run tools/setup (it says what it installs; tools/setup --print only shows it))
endif
endif

WARN   := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wno-sign-conversion
HARDEN := -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fPIE
OPT    ?= -O2
SAN    ?=
ifneq ($(SAN),)
# Sanitizers hide from gcc how long a text can be: its guesses about truncation are no errors then.
HARDEN := -fPIE -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer -DSLEW_SANITIZER=1 -Wno-format-truncation -Wno-maybe-uninitialized
SLEW   := $(BUILD)/slew
endif
CFLAGS   ?= -g
ALLFLAGS := -std=gnu11 $(OPT) $(CFLAGS) $(WARN) $(HARDEN) -ffp-contract=off -pthread -I. -I$(BUILD) -DSLEW_VERSION='"$(VERSION)"' \
            $(shell $(PKGCONF) --cflags $(PKGS) 2>/dev/null) $(if $(WERROR),-Werror)
LDALL    := -pie -Wl,-z,relro,-z,now $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)
LIBS     := $(shell $(PKGCONF) --libs $(PKGS) 2>/dev/null) -lm -lpthread -ldl

SRC  := $(sort $(wildcard engine/base/*.c engine/alert/*.c engine/target/*.c engine/request/*.c engine/observation/*.c \
          engine/report/*.c engine/core/*.c engine/io/*.c facilities/*.c sim/*.c) $(filter-out engine/cmd/main.c,$(wildcard engine/cmd/*.c)))
OBJ  := $(SRC:%.c=$(BUILD)/%.o) $(BUILD)/embed.o
EMBED:= $(sort $(wildcard schemas/*.json schemas/store/*.sql policies/*.json facilities/*.json sim/profiles/*.json))

all: slew ## build ./slew (default)

slew: $(BUILD)/engine/cmd/main.o $(BUILD)/libslew.a
	@echo "  LD   $@"
	@$(CC) $(ALLFLAGS) $(LDALL) -o $@.tmp $(BUILD)/engine/cmd/main.o $(BUILD)/libslew.a $(LIBS) && mv $@.tmp $@

$(BUILD)/libslew.a: $(OBJ)
	@echo "  AR   $@"
	@rm -f $@ && ar qcs $@ $(OBJ)

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC   $<"
	@$(CC) $(ALLFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/embed.c: $(EMBED) tools/embed.sh
	@mkdir -p $(@D)
	@tools/embed.sh $(EMBED) > $@.tmp && mv $@.tmp $@
$(BUILD)/embed.o: $(BUILD)/embed.c $(EMBED) $(BUILD)/flags
	@$(CC) $(ALLFLAGS) -c -o $@ $<

# The sums over all rows of a catalogue and all cells of a map: loops for vector instructions, which gcc makes from -O3 on and where a root
# sets no errno and a comparison raises no flag. Neither changes a result.
$(BUILD)/engine/target/missing.o $(BUILD)/engine/target/rank_total.o $(BUILD)/engine/target/volume.o: ALLFLAGS += $(if $(SAN),,-O3) -fno-math-errno -fno-trapping-math

# Objects are remade when the flags or the compiler change.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(ALLFLAGS) $(words $(SRC))' | cmp -s - $@ || echo '$(CC) $(ALLFLAGS) $(words $(SRC))' > $@
FORCE:

include tests/tests.mk

install: slew ## install the program under PREFIX (default /usr/local)
	install -D -m 755 slew $(DESTDIR)$(PREFIX)/bin/slew
	install -D -m 644 tools/slew.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/slew
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's#/usr/local#$(PREFIX)#g' tools/slew.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/slew.service
	install -D -m 644 README.md $(DESTDIR)$(PREFIX)/share/doc/slew/README.md
	install -D -m 644 tools/BLOCK-SLEW.json $(DESTDIR)$(PREFIX)/share/doc/slew/BLOCK-SLEW.json

setup: ## install what is missing (same as tools/setup)
	tools/setup

fresh-check: ## prove set-up, demo and tests in bare Debian 12 and 13 systems (root; a few minutes)
	tools/fresh-check

format: ## put the lines that you changed in the house's form (git clang-format; lists of X() are left as they stand)
	@command -v git-clang-format > /dev/null || { echo "git-clang-format is missing: apt-get install clang-format"; exit 1; }
	git clang-format --extensions c,h HEAD

loc: ## lines of code by room
	@for d in engine/* facilities sim schemas policies tools tests; do [ -d $$d ] || continue; \
	  printf '%7d  %s\n' $$(find $$d -type f \( -name '*.[ch]' -o -name '*.sh' -o -name '*.sql' -o -name '*.json' -o -name '*.mk' -o -path 'tools/*' \) \
	    -exec cat {} + | wc -l) $$d; done; printf '%7d  all, without blank lines\n' $$(git ls-files 2>/dev/null | grep -v LICENSE | xargs cat | grep -c .)

reference: ## write the configuration reference of README.md from schemas/
	tools/config-reference --update

bench-program: slew ## the size of the program, how long it takes to build, the cold rank of the largest real map
	@tests/perf/program.sh

bench-latency: slew ## alert bytes on the broker → first accepted request, 200 alerts (two minutes)
	@SLEW=./slew tests/perf/latency.sh

clean: ## remove what was built
	rm -rf $(BUILD) slew slew.tmp demo

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile tests/tests.mk $(wildcard tests/*/*.mk) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

.PHONY: all install setup fresh-check format loc reference bench-program bench-latency clean help FORCE
.DELETE_ON_ERROR:
-include $(SRC:%.c=$(BUILD)/%.d) $(BUILD)/engine/cmd/main.d
