# Everything is fetched through go: the modules in go.mod and the tool below, by
# version. Nothing else needs to be installed. GNU make.
#
#   make test     what CI runs: form, vet, staticcheck, build, a little fuzzing, all tests
#   make check    the same, and go.mod must be tidy; run it before sending a change
#   make build    bin/twinkey
#   make fuzz FUZZTIME=10m

GO          ?= go
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2

# How long each fuzz target runs.
FUZZTIME ?= 10s

.PHONY: test check build fmt vet lint tidy fuzz unit

# The tests come last, so that the end of the output is theirs.
test: fmt vet lint build fuzz unit

check: tidy test

# A checkout that git does not trust is built without its commit in the version.
build:
	@vcs=; git status >/dev/null 2>&1 || vcs=-buildvcs=false; \
	echo "$(GO) build $$vcs -o bin/twinkey ./cmd/twinkey"; \
	$(GO) build $$vcs -o bin/twinkey ./cmd/twinkey

fmt:
	@unformatted=$$("$$($(GO) env GOROOT)/bin/gofmt" -l .) || exit 1; \
	if [ -n "$$unformatted" ]; then echo "not formatted; run gofmt -w on:"; echo "$$unformatted"; exit 1; fi

vet:
	$(GO) vet ./...

lint:
	$(GO) run $(STATICCHECK) ./...

tidy:
	$(GO) mod tidy -diff

# The list is read from the sources, so that a new target cannot be forgotten. A
# run that ends with "context deadline exceeded" and no failing input has found
# nothing (go.dev/issue/75804).
fuzz:
	@list=$$(find . -name '*_test.go' -exec grep -H '^func Fuzz' {} + | \
		sed 's|^\(.*\)/[^/]*_test\.go:func \(Fuzz[A-Za-z0-9_]*\)(.*|\1 \2|' | sort); \
	if [ -z "$$list" ]; then echo "found no fuzz target; the list looks in the wrong place"; exit 1; fi; \
	echo "$$list" | while read -r dir name; do \
		echo "$(GO) test -run='^$$' -fuzz='^$$name\$$' -fuzztime=$(FUZZTIME) -fuzzminimizetime=1s $$dir"; \
		if out=$$($(GO) test -run='^$$' -fuzz="^$$name\$$" -fuzztime=$(FUZZTIME) -fuzzminimizetime=1s "$$dir" </dev/null 2>&1); \
		then echo "$$out" | tail -n 1; \
		elif echo "$$out" | grep -q 'context deadline exceeded' && ! echo "$$out" | grep -q 'Failing input'; \
		then echo "$$out" | grep execs | tail -n 1; \
		else echo "$$out"; exit 1; fi; \
	done

# The race detector needs a C compiler; running an empty test shows whether there
# is one that works.
unit:
	@if $(GO) test -race -run='^$$' errors >/dev/null 2>&1; then race=-race; \
	else race=; echo "no working C compiler: the tests run without the race detector"; fi; \
	echo "$(GO) test $$race -timeout 20m ./..."; \
	$(GO) test $$race -timeout 20m ./...
