# What CI runs is .ci/run; these are its parts, for the hand.

LINT  := go tool -modfile=golangci.mod golangci-lint
TOOLS := go tool -modfile=tools.mod
RACE  := -race $(foreach p,modernc.org/sqlite/lib modernc.org/libc/... modernc.org/memory,-gcflags=$(p)=-race=false)

.PHONY: all build test lint fmt generate bench perf fuzz soak ci demo

all: build test

build:
	CGO_ENABLED=0 go build -trimpath -o bin/rollcall ./cmd/rollcall

test:
	go test $(RACE) ./...

lint:
	go vet ./...
	$(LINT) run ./...

fmt:
	$(TOOLS) gofumpt -l -w .

generate:
	CGO_ENABLED=0 $(TOOLS) sqlc generate

# The full sizes: 10,000 groups, 100,000 members, 1,000,000 memberships.
bench:
	go test -run '^$$' -bench . -benchmem ./...

# Ratios to floors of the same run; docs/performance.md tells what they are.
perf:
	go run ./bench

# FUZZ=FuzzDecodeGroup PKG=./internal/payload make fuzz
fuzz:
	go test -run '^$$' -fuzz '^$(FUZZ)$$' -fuzztime 60s $(PKG)

# The real program under faults and load, then killed a thousand times.
# SOAK=1h make soak
SOAK ?= 10m
soak:
	ROLLCALL_SOAK=$(SOAK) ROLLCALL_CRASHES=1000 go test -count 1 -timeout 0 -v -run 'Soak|Killed|CrashLoop' ./internal/promises
	go test -count 1 -timeout 0 ./internal/poller -run '^TestMirrorFollows' -rapid.checks=20000
	ROLLCALL_EDIT_ROUNDS=10000 go test -count 1 -timeout 0 ./internal/write -run 'TwoWriters|NoSafeEdit' -rapid.checks=5000

demo:
	go run ./cmd/rollcall demo

ci:
	.ci/run
