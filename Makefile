# What there is to do here. `make` alone lists it; `.ci/run` calls the same targets.

SWIFT ?= swift
# `swift build -c release` and this share their products: nothing is built twice, and what is tested is what ships.
TEST = $(SWIFT) test -c release --disable-testable-imports

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help build demo test soak fuzz bench live golden analysis midstream netcraq edge-fig2
.PHONY: format lint tidy docs clean

help:
	@echo "kvreel: make TARGET"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

build: ## build .build/release/kvreel
	@scripts/bootstrap
	@$(SWIFT) build -c release --product kvreel

demo: build ## decode two real captures, print the papers' tables, replay one on etcd (no network, no privilege)
	@scripts/bootstrap --demo
	@scripts/demo

test: ## build and run all tests
	@scripts/bootstrap --tests
	@$(TEST)

soak: build ## all tests with many more seeds, fuzzing and foreign bytes at length, a long live recording (as root)
	@scripts/bootstrap --tests
	@KVREEL_SOAK=1 $(TEST)
	@scripts/fuzz --runs 1000000
	@scripts/foreign-bytes
	@scripts/live-bench 300

fuzz: ## the fuzz targets for SECONDS (10) each, then ROUNDS (3) of the property tests with fresh seeds
	@scripts/bootstrap --tests
	@scripts/fuzz --seconds $(or $(SECONDS),10)
	@scripts/fuzz --laws $(or $(ROUNDS),3)

bench: build ## speed beside tshark, an echo, h2load, a bare loop; CAPTURE=file (../shared/captures/large)
	@scripts/bootstrap --tests
	@scripts/bench $(CAPTURE)
	@scripts/bench-chains
	@scripts/bench-failover
	@scripts/bench-etcd-client
	@scripts/bench-replay

live: build ## record the busiest etcd this machine can run, and count what is lost; SECONDS=n (10); as root
	@scripts/bootstrap --tests
	@scripts/live-bench $(SECONDS)

golden: ## write the expected outputs of tests anew; read the diff before you commit it
	@scripts/bootstrap --tests
	@KVREEL_GOLDEN=rewrite $(TEST)

analysis: build ## make the tables in analysis/ again from traces/
	@scripts/analysis

netcraq: build ## make the tables in analysis/netcraq again: published throughput, predicted
	@scripts/netcraq

edge-fig2: build ## etcd against its number of members, into analysis/edge-fig2; REPEATS=n (3); 20 quiet minutes
	@scripts/edge-fig2 --repeats $(or $(REPEATS),3)

midstream: build ## make the tables in analysis/midstream again: cuts and losses (minutes)
	@scripts/midstream

format: ## format all Swift files
	@$(SWIFT) format format --in-place --recursive --parallel Package.swift Sources Tests \
		Fuzz/Package.swift Fuzz/Sources Benchmarks/Package.swift Benchmarks/Sources

lint: ## formatting, shell and Python syntax, checksums of traces/ (seconds)
	@scripts/lint

tidy: ## the rules of the house: purity, imports, sizes, wording
	@$(TEST) --filter TidyTests

docs: ## check the links and the commands in the pages
	@$(TEST) --filter TidyTests.PagesTests

clean: ## remove what was built
	@$(SWIFT) package clean
	@rm -rf out Fuzz/.build
