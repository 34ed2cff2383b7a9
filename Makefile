# `make` lists the commands. Rust, Python 3.11 or newer and make are all that must be there; the rest is installed.
# LIBTORCH in the environment is used as it is; otherwise libtorch is installed into .local/ (scripts/setup.py).

SETUP := python3 scripts/setup.py
TARGET := $(or $(CARGO_TARGET_DIR),target)

.DEFAULT_GOAL := help
.PHONY: help run setup test lint bench

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Install what is missing, build in release and serve the demo railway on 127.0.0.1:8080
	@$(SETUP) libtorch
	cargo build --release --locked
	-@$(TARGET)/release/guichet learn
	@exec $(TARGET)/release/guichet serve --demo

setup: ## Install everything: libtorch, a browser and Postgres for the tests, cargo-deny, what the benchmarks compare with
	@$(SETUP) all

test: ## Run every test, on SQLite and on a throwaway Postgres, and end to end in a browser
	@python3 scripts/test.py

lint: ## Check format, clippy without warnings (with and without the encoder), licences and sources of crates
	cargo fmt --check
	python3 -X pycache_prefix=.local/pycache -m compileall -q scripts tests/e2e
	@$(SETUP) cargo-deny libtorch
	.local/bin/cargo-deny check bans licenses sources
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked --all-targets --no-default-features -- -D warnings

bench: ## Measure what the design promises, understanding and the encoder beside peers, and the desk on a bad day
	@$(SETUP) libtorch model
	cargo bench --locked
	@python3 scripts/bench_understanding.py --guichet $(TARGET)/release/guichet
	@python3 scripts/bench_encoder.py --guichet $(TARGET)/release/guichet
	@$(SETUP) test-tools
	@python3 scripts/bench_console.py --guichet $(TARGET)/release/guichet
