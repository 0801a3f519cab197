# The commands of the project. `make` alone lists them.

CARGO ?= cargo
.DEFAULT_GOAL := help

# Starts and stops what the project stands on.
BACKING := $(CARGO) run --locked --quiet -p backing --
BROKERS ?= 1
KAFKA_PORT ?= 9092
REDIS_PORT ?= 6379

# What carries messages in the demonstrations: embedded, or kafka, which starts Kafka and Redis for as long as it takes.
BUS ?= embedded
SIGNALBOX := $(or $(CARGO_TARGET_DIR),target)/release/signalbox
DEMO = $(DEMO_$(BUS))
DEMO_embedded := $(SIGNALBOX) demo
DEMO_kafka := $(BACKING) fetch && $(BACKING) with -- $(SIGNALBOX) demo --bus kafka
ifeq ($(BUS),kafka)
BENCH_BUSY := 40000
BENCH_BUSY_RATE := 4000
BENCH_CALM := 20000
BENCH_CALM_RATE := 2000
else
BENCH_BUSY := 100000
BENCH_BUSY_RATE := 10000
BENCH_CALM := 50000
BENCH_CALM_RATE := 5000
endif

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## the release binaries, in target/release
	$(CARGO) build --release --locked -p signalbox -p signalbox-loadtest

demo: build ## three carriers, 20,000 messages, one carrier killed, one price changed; BUS=kafka runs the roles apart
	@$(DEMO)

crash: build ## the demo, but the router is killed halfway and started again; BUS=kafka: a router and a connector
	@$(DEMO) --crash

rolling: BUS = kafka
rolling: build ## over Kafka and Redis: a router joins, one leaves, a connector is replaced, a router is killed
	@$(DEMO) --rolling

store-loss: BUS = kafka
store-loss: build ## over Kafka and Redis: the store is emptied under load and rebuilt from the log
	@$(DEMO) --store-loss

bench: build ## what this machine does: all at once, then at two steady rates; BUS=kafka over Kafka and Redis
	@$(DEMO) --steady --messages 100000 --rate 100000
	@$(DEMO) --steady --messages $(BENCH_BUSY) --rate $(BENCH_BUSY_RATE)
	@$(DEMO) --steady --messages $(BENCH_CALM) --rate $(BENCH_CALM_RATE)

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

.PHONY: help build demo crash rolling store-loss bench services-fetch services services-down test lint deny protos
