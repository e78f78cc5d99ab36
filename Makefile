# `make help` lists the targets. What needs more than a line of shell lives in
# scripts/, so that each piece can be run and checked alone.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)

# Everything but the suite of real clients, which `make test-compat` runs.
UNIT = $$(go list ./... | grep -v '/test/compat')
GO_TEST = go test -race -shuffle=on -timeout 12m

LINT := .cache/bin/golangci-lint

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z][a-z-]*:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  %-14s %s\n", $$1, $$2 }'

.PHONY: build
build: ## Build the static binary bin/leat
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/leat ./cmd/leat

.PHONY: run
run: build ## Start a server, run the sample flow through it, keep serving (LEAT_PORT, default 4200)
	@scripts/run.sh

.PHONY: test
test: ## Run every test; installs Postgres and the Prefect client where they are missing
	@scripts/test.sh

.PHONY: test-unit
test-unit: ## Run the Go tests with the race detector, on SQLite alone unless LEAT_TEST_POSTGRES is set
	$(GO_TEST) $(UNIT)

.PHONY: test-compat
test-compat: venv ## Run the real Prefect client against bin/leat on SQLite and Postgres
	scripts/with-postgres.sh scripts/compat.sh

.PHONY: conformance
conformance: ## Replay what AWS Step Functions answered (CONFORMANCE_ARGS, such as -k scenarios, go to the runner)
	@scripts/conformance.sh $(CONFORMANCE_ARGS)

.PHONY: check
check: fmt-diff vet lint drift test-unit build ## Everything a change must pass, in one command

.PHONY: fmt
fmt: $(LINT) ## Format the Go files
	$(LINT) fmt

.PHONY: fmt-diff
fmt-diff: $(LINT) ## Fail if a Go file is not formatted
	$(LINT) fmt --diff

.PHONY: vet
vet: ## Run go vet
	go vet ./...

.PHONY: lint
lint: $(LINT) ## Run the linters of .golangci.yml
	$(LINT) run ./...

.PHONY: drift
drift: ## Fail if generated files or go.mod are not what their sources give
	@scripts/drift.sh

.PHONY: bench
bench: build venv ## Compare with the reference server; BENCH_ARGS go to ./bench
	LEAT_TEST_PYTHON=$(CURDIR)/.venv/bin/python LEAT_TEST_BINARY=$(CURDIR)/bin/leat \
		scripts/with-postgres.sh --durable go run ./bench $(BENCH_ARGS)

.PHONY: bench-emulators
bench-emulators: ## Make the environments of LocalStack and moto, beside which make bench then runs Step Functions
	@scripts/bench-emulators.sh

.PHONY: venv
venv: ## Make .venv with the pinned Prefect client
	@scripts/venv.sh

# The linter's own module pins it, and its go.sum fixes all that it is built
# from.
$(LINT): tools/go.mod tools/go.sum
	go -C tools build -o ../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
