# What there is to make. Each target sets up what it needs, on Debian and Ubuntu by itself.

PREFIX ?= /usr/local
DESTDIR ?=
CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)

share := $(DESTDIR)$(PREFIX)/share

.PHONY: help demo test test-crash test-real bench lint ci release install clean

help:
	@echo "make demo        a gear from the default index, its page, and everything removed again"
	@echo "make test        all tests: as this user, and as root once more without privileges"
	@echo "make test-crash  SIGKILL at every pair of checkpoints (long)"
	@echo "make test-real   public cartridges from the network; their software: tests/real/cartridges.txt"
	@echo "make bench       speed and memory, beside tar, curl, cp and other package managers"
	@echo "make lint        formatting, clippy, documentation, scripts, licences"
	@echo "make ci          what the continuous integration runs"
	@echo "make install     into PREFIX=$(PREFIX), below DESTDIR where that is set"

demo:
	@.ci/needs
	$(CARGO) build --locked
	@.ci/demo $(TARGET)/debug/cart

test:
	@.ci/needs
	@.ci/test

test-crash:
	@.ci/needs
	CART_TEST_CRASH=all $(CARGO) test --locked --features checkpoints --test crash --test power -- --include-ignored --nocapture

test-real:
	@.ci/needs
	@.ci/test-real

bench: release
	@benches/run $(TARGET)/release/cart

lint:
	@.ci/lint

ci:
	@.ci/run

release:
	$(CARGO) build --release --locked

# `make release && sudo make install` works where root has no cargo.
install:
	@if command -v $(CARGO) >/dev/null; then $(CARGO) build --release --locked; fi
	install -Dm755 $(TARGET)/release/cart $(DESTDIR)$(PREFIX)/bin/cart
	@for page in man/*.[1-9]; do \
		install -Dm644 "$$page" "$(share)/man/man$${page##*.}/$${page##*/}" || exit 1; \
	done
	@mkdir -p $(share)/bash-completion/completions $(share)/zsh/site-functions $(share)/fish/vendor_completions.d
	$(TARGET)/release/cart completions bash >$(share)/bash-completion/completions/cart
	$(TARGET)/release/cart completions zsh >$(share)/zsh/site-functions/_cart
	$(TARGET)/release/cart completions fish >$(share)/fish/vendor_completions.d/cart.fish

clean:
	$(CARGO) clean
