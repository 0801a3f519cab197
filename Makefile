# The commands of the project. `make` alone lists them.

CARGO ?= cargo
.DEFAULT_GOAL := help

# Starts and stops what the project stands on.
BACKING := $(CARGO) run --locked --quiet -p backing --
BROKERS ?= 1
KAFKA_PORT ?= 9092
REDIS_PORT ?= 6379

# How long each fuzz target of the table runs, and how many inputs each of SMPP gets.
SECONDS ?= 600
RUNS ?= 1000000

# Runs of the simulation.
SEEDS ?= 10000

# Checks that a run of all tests had to leave out, as what they need cannot be had: a line each.
SKIPPED := $(abspath $(or $(CARGO_TARGET_DIR),target))/skipped

# What carries messages in the demonstrations: embedded, or kafka, which starts Kafka and Redis for as long as it takes.
BUS ?= embedded
SIGNALBOX := $(or $(CARGO_TARGET_DIR),target)/release/signalbox
LOADTEST := $(SIGNALBOX)-loadtest
AROUND_kafka := $(BACKING) with --
DEMO = $(AROUND_$(BUS)) $(SIGNALBOX) demo --bus $(BUS)

# Messages and messages a second of each measurement. A fresh Kafka compiles itself while it works, so that it runs warm first.
STEADY_embedded := 100000:100000 100000:10000 50000:5000
STEADY_kafka := 100000:100000 100000:100000 40000:4000 20000:2000

# Logs that the numbers to reach are measured over.
BUSES ?= embedded,kafka

# Scenarios that are played; all that are shipped.
FILE ?= $(wildcard loadtest/scenarios/*.toml)

# The commit that the .proto files must not break with.
SINCE ?= HEAD~1

# How long faults come, in minutes, and what fixes them.
MINUTES ?= 1
SEED ?= 1
CHAOS = $(LOADTEST) chaos --bus $(BUS) --minutes $(MINUTES) --seed $(SEED)

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

failover: build ## a carrier dies with a queue before it: how fast passwords are with the next one; fails where the p99 is over 2 s
	@$(DEMO) --failover --messages 40000 --rate 2000

ported: build ## 50,000 recipients, a fifth of them ported: once with look-ups, once without; fails unless they go by their real network
	@$(DEMO) --ported --messages 50000 --rate 2500

bad-provider: build ## a provider of look-ups is slow, fails and lies: fails where traffic that needs none feels it, or any is lost or late
	@$(DEMO) --bad-provider --messages 80000 --rate 1000 --seconds 20

campaign: build ## passwords alone, and beside a campaign of a million messages; fails where their p99 grows by more than half
	@$(DEMO) --campaign 1000000

waves: build ## four carriers that throttle in waves, keep answers back, cut connections and send receipts early, late and twice
	@$(DEMO) --waves --messages 10000 --rate 500

bench: build services-fetch ## the numbers to reach, each beside the floor, over BUSES=embedded,kafka; writes target/bench/report.html
	@$(LOADTEST) bench --bus $(BUSES)

bench-quick: build ## two minutes of it; fails where a message costs a tenth more than committed, as a multiple of the floor
	@$(LOADTEST) bench --quick

scenarios: build ## load, carriers, mishaps and goals from files, a minute or two each: all shipped ones, or FILE=my.toml; BUS=kafka
	@$(LOADTEST) scenario $(FILE) $(if $(filter command line,$(origin BUS)),--bus $(BUS))

relay: build ## the floor: the octets of messages through as many durable hops, and nothing decided; BUS=kafka over Kafka and Redis
	@$(LOADTEST) relay --bus $(BUS)

steady: build ## the demonstration's messages all at once, then at two steady rates; BUS=kafka over Kafka and Redis
	@$(AROUND_$(BUS)) sh -ec 'for run in $(STEADY_$(BUS)); do \
	  $(SIGNALBOX) demo --bus $(BUS) --steady --messages $${run%:*} --rate $${run#*:}; done'

peers: build ## Kannel and Jasmin beside Signalbox on this machine, before the same carrier: Debian 12, Python 3.11, ten minutes
	@loadtest/peers/peers.py --signalbox $(SIGNALBOX) --loadtest $(LOADTEST) --out $(or $(CARGO_TARGET_DIR),target)/peers

decide: build ## how fast a routing table of 600,000 rates compiles and decides on this machine
	@$(LOADTEST) decide --rows 600000 --carriers 24 --policies 100

lookup: build ## how fast it is known who serves a number: in memory, in the shared store, behind a slow provider; BUS=kafka: in Redis too
	@$(AROUND_$(BUS)) $(LOADTEST) lookup

link: build ## how fast PDUs of SMPP are written and read, and messages submitted over one link; fails where a target is missed
	@$(LOADTEST) link

chaos: build services-fetch ## real processes under load and faults for MINUTES=1, SEED=1; BUS=kafka over three brokers and Redis; fails where a promise is broken
	$(CHAOS)

drain: BUS = kafka
drain: build services-fetch ## every role over Kafka drained and started again in turn, at 2,000 messages a second: nobody may notice
	$(CHAOS) --faults drain --rate 2000

capacity: build services-fetch ## what a message costs over Kafka and Redis: octets, memory, processor time; prints what is to be committed
	@$(LOADTEST) capacity --toml

simulate: build ## the whole pipeline under faults in virtual time, SEEDS=10000 runs of it; SIM_SEED=n tells one step by step
	@$(LOADTEST) simulate --seeds $(SEEDS)

services-fetch: ## fetches Kafka from Maven Central and SMPP carriers of others; as root on Debian installs Java, Maven, Redis, Knot, tshark and Prometheus too
	@$(BACKING) fetch

services: services-fetch ## Kafka and Redis on the loopback: BROKERS=1 or 3, KAFKA_PORT=9092, REDIS_PORT=6379
	@$(BACKING) up --brokers $(BROKERS) --kafka-port $(KAFKA_PORT) --redis-port $(REDIS_PORT)

services-down: ## stops what make services started, and nothing else
	@$(BACKING) down

test: services-fetch ## every test: unit, property, conformance, simulation, end to end
	@rm -f $(SKIPPED); SIGNALBOX_SKIPPED=$(SKIPPED) $(CARGO) test --workspace --locked --no-fail-fast; status=$$?; \
	  touch $(SKIPPED) && echo "checks skipped: $$(wc -l < $(SKIPPED))" && sort $(SKIPPED) | uniq -c; exit $$status

fuzz: ## the readers of tables and of questions, each target for SECONDS=600; a finding fails
	@command -v cargo-fuzz >/dev/null || $(CARGO) install cargo-fuzz --locked --version '^0.13'
	cd services/lib/table && for target in toml csv explain cases; do \
	  mkdir -p fuzz/corpus/$$target && \
	  $(CARGO) fuzz run -s none $$target fuzz/corpus/$$target $(addprefix tests/golden/,check explain cases) -- \
	    -max_total_time=$(SECONDS) -timeout=10 -rss_limit_mb=2048 -max_len=16384 || exit 1; \
	done

fuzz-smpp: ## the readers of what carriers send, and SMPP sessions: each target gets RUNS=1000000 inputs; a finding fails
	@command -v cargo-fuzz >/dev/null || $(CARGO) install cargo-fuzz --locked --version '^0.13'
	cd services/lib/smpp && for target in pdu session receipt; do \
	  mkdir -p fuzz/corpus/$$target && \
	  $(CARGO) fuzz run -s none $$target fuzz/corpus/$$target fuzz/seeds/$$target -- \
	    -runs=$(RUNS) -timeout=10 -rss_limit_mb=2048 -max_len=4096 || exit 1; \
	done

lint: ## formatting, lints and documentation, warnings denied
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked

deny: ## licences, bans and sources of the dependencies
	@command -v cargo-deny >/dev/null || $(CARGO) install cargo-deny --locked --version '^0.20'
	$(CARGO) deny --all-features check licenses bans sources

chart-test: ## the Helm chart: lint, schemas, policies, golden renders, refusals, and whether the binary reads what it renders
	@$(CARGO) build --locked --quiet -p signalbox
	@SIGNALBOX=$(or $(CARGO_TARGET_DIR),target)/debug/signalbox helm/tests/run

deploy-test: ## the image's file system, assembled and lived in without a container engine; the laptop's compose file; systemd units
	@$(CARGO) build --locked --quiet -p signalbox
	@deploy/test $(or $(CARGO_TARGET_DIR),target)/debug/signalbox

chart-readme: ## the table of values in the chart's README, from the comments of values.yaml
	@$$(helm/tests/tools)/venv/bin/python helm/readme

chart-dashboards: ## the dashboards, from helm/dashboards
	@helm/dashboards

protos: ## lint of the .proto files, and whether readers of the version before (SINCE=HEAD~1) understand what they say now
	cd proto && npx --yes @bufbuild/buf@1 lint
	@if ! git rev-parse --quiet --verify "$(SINCE)^{commit}" >/dev/null; then \
	  echo "SKIPPED: what .proto files break needs the commit before, which this checkout lacks"; exit; fi; \
	before=$$(mktemp -d) && trap 'rm -rf "$$before"' EXIT && git archive $(SINCE) proto | tar -x -C "$$before" && \
	  cd proto && npx --yes @bufbuild/buf@1 breaking --against "$$before/proto"

.PHONY: help build demo crash rolling store-loss failover campaign ported bad-provider waves bench bench-quick scenarios relay steady peers decide lookup link chaos drain capacity simulate services-fetch services services-down test fuzz fuzz-smpp lint deny chart-test deploy-test chart-readme chart-dashboards protos
