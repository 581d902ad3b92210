# Same seed, same bytes: the program by two compilers, each unoptimised and optimised, must tell the same nights.
DIGEST_GCC   ?= $(if $(shell command -v ccache 2>/dev/null),ccache )gcc
DIGEST_CLANG ?= clang
$(BUILD)/slew: $(BUILD)/engine/cmd/main.o $(BUILD)/libslew.a
	@$(CC) $(ALLFLAGS) $(LDALL) -o $@ $^ $(LIBS)
digests: ## the same nights by gcc and clang, -O0 and -O2 (SEEDS=n, 40; SEED=first): every row and count must be the same
	@DIGEST_GCC="$(DIGEST_GCC)" DIGEST_CLANG="$(DIGEST_CLANG)" BUILD="$(BUILD)" tests/digest/compilers $(or $(SEEDS),40) $(or $(SEED),1)
.PHONY: digests
