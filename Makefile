# One command each, the same on a laptop and in CI. `make help` lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
DATA_DIR ?= data/demo
LISTEN ?= 127.0.0.1:8080
# What `make run` builds; `dev` builds faster and runs slower.
PROFILE ?= release
PROFILE_DIR := $(if $(filter dev,$(PROFILE)),debug,$(PROFILE))
SEEDS ?= 2000
REFUNDS ?= 1000000
SEED ?= 1
MERCHANT_DAYS ?= 10000
# Refunds that `make bench` stores before it measures with much stored.
STORED ?= 1000000
CARGO := cargo
# The simulator and the load generator are release programs: a debug build would measure the compiler.
RELEASE := $(CARGO) run --release --locked --quiet

.PHONY: help run check-run test test-long test-copy test-crash ha-demo sim sim-days bench conformance openapi fmt lint deny clean tools test-tools

help: ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: tools ## build, then serve a demo system and print a ready-to-paste refund
	$(CARGO) build --profile $(PROFILE) --locked --bin refundry
	exec $(TARGET_DIR)/$(PROFILE_DIR)/refundry demo --data-dir $(DATA_DIR) --listen $(LISTEN)

check-run: tools ## run `make run` and paste the refund that it prints; part of CI
	scripts/check-run

test: test-tools lint ## format check, clippy, documentation tests, every test beside its own PostgreSQL; what CI runs
	$(CARGO) test --workspace --locked --doc --quiet
	scripts/with-postgres scripts/every-test

test-long: test-tools ## SEEDS=2000 simulated runs, as many on both engines, 10000 merchant-days, then the planted bugs that must be found
	scripts/test-long $(SEEDS)

test-copy: test-tools ## REFUNDS=1000000 moved to PostgreSQL, the copy killed three times with signal 9, every answer compared
	scripts/test-copy $(REFUNDS)

test-crash: test-tools ## kill -9 a server on SQLite, then two servers and their PostgreSQL, fifty times each under load, then audit
	scripts/test-crash

ha-demo: tools ## three machines with PostgreSQL under Patroni and two refundry nodes, killed one after the other under load (needs root)
	deploy/ha-demo/run

sim-days: tools ## MERCHANT_DAYS=10000 simulated days of trade, refunds, settlements and payouts, then the check of the books
	$(CARGO) run --locked --quiet --profile simulation --bin refundry-sim -- --merchant-days $(MERCHANT_DAYS)

sim: tools ## one simulated run: make sim SEED=42
	$(CARGO) run --locked --quiet --profile simulation --bin refundry-sim -- --seed $(SEED)

bench: test-tools ## measure the release server on both engines beside plain ways, and write docs/performance.md anew
	$(CARGO) build --release --locked --bin refundry --bin refundry-bench --bin refundry-by-hand
	scripts/with-postgres --durable $(TARGET_DIR)/release/refundry-bench --docs docs --stored $(STORED)

conformance: tools ## Oceanpayment's and Baofoo's stories by clients of their own; then Antom's own SDK over TLS on 127.0.42.1:443 (needs root)
	scripts/conformance-oceanpayment
	scripts/conformance-baofoo
	scripts/conformance-antom

openapi: tools ## write the committed OpenAPI document anew
	$(RELEASE) --bin refundry -- openapi > openapi.json

fmt: tools ## format every file
	$(CARGO) fmt --all

lint: tools ## format check and clippy, warnings are errors
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

deny: tools ## licences, advisories and sources of all dependencies (installs cargo-deny when missing)
	@cargo deny --version >/dev/null 2>&1 || $(CARGO) install --locked cargo-deny
	$(CARGO) deny --all-features check

clean: ## remove build products and the demo's data
	$(CARGO) clean
	rm -rf data bench-results

tools: ## check for a compiler and install what is missing
	@scripts/install-build-tools

test-tools: ## the same, and a PostgreSQL server for the tests
	@scripts/install-build-tools --for-tests
