# The commands of the project. `make` alone lists them.

CARGO ?= cargo
.DEFAULT_GOAL := help

# Starts and stops what the project stands on.
BACKING := $(CARGO) run --locked --quiet -p backing --
BROKERS ?= 1
KAFKA_PORT ?= 9092
REDIS_PORT ?= 6379

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## the release binaries, in target/release
	$(CARGO) build --release --locked -p signalbox -p signalbox-loadtest

demo: build ## standalone with three carriers, 20,000 messages, one carrier killed, one price changed
	@$(CARGO) run --release --locked --quiet -p signalbox -- demo

crash: build ## the demo, but the router itself is killed halfway and started again
	@$(CARGO) run --release --locked --quiet -p signalbox -- demo --crash

bench: build ## what this machine does: all at once, then 10,000 and 5,000 messages a second
	@for rate in 100000 10000; do \
	  $(CARGO) run --release --locked --quiet -p signalbox -- demo --steady --messages 100000 --rate $$rate || exit 1; done
	@$(CARGO) run --release --locked --quiet -p signalbox -- demo --steady --messages 50000 --rate 5000

services-fetch: ## fetches Kafka from Maven Central; as root on Debian installs Java, Maven and Redis too
	@$(BACKING) fetch

services: services-fetch ## Kafka and Redis on the loopback: BROKERS=1 or 3, KAFKA_PORT=9092, REDIS_PORT=6379
	@$(BACKING) up --brokers $(BROKERS) --kafka-port $(KAFKA_PORT) --redis-port $(REDIS_PORT)

services-down: ## stops what make services started, and nothing else
	@$(BACKING) down

test: services-fetch ## every test: unit, property, conformance, simulation, end to end
	$(CARGO) test --workspace --locked --no-fail-fast

lint: ## formatting, lints and documentation, warnings denied
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked

deny: ## licences, bans and sources of the dependencies
	@command -v cargo-deny >/dev/null || $(CARGO) install cargo-deny --locked --version '^0.20'
	$(CARGO) deny --all-features check licenses bans sources

protos: ## lint of the .proto files
	cd proto && npx --yes @bufbuild/buf@1 lint

.PHONY: help build demo crash bench services-fetch services services-down test lint deny protos
