# Everything is fetched through go: the modules in go.mod and the tool below, by
# version. Where there is python3 and no Azure CLI, one is put below .cache with pip,
# for the one test that runs it. Nothing else needs to be installed. GNU make.
#
#   make test     what CI runs: form, vet, staticcheck, build, a little fuzzing, all tests
#   make check    the same, and go.mod must be tidy; run it before sending a change
#   make build    bin/twinkey
#   make fuzz FUZZTIME=10m
#   make az       .cache/az/bin/az, the Azure CLI in the versions that .ci/az.txt says

GO          ?= go
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2

# How long each fuzz target runs.
FUZZTIME ?= 10s

.PHONY: test check build fmt vet lint tidy fuzz unit az some-az

# The tests come last, so that the end of the output is theirs.
test: fmt vet lint build fuzz some-az unit

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

# Made anew when .ci/az.txt has changed. Compiled at once, so that the test does not
# wait for it, but for the commands below aaz: many, and none that is tested. A
# python3 that comes without pip for new environments, as Debian's does, can lend its
# own.
az:
	@if cmp -s .ci/az.txt .cache/az/installed.txt; then exit 0; fi; \
	rm -rf .cache/az; set -e; \
	python3 -m venv .cache/az >/dev/null 2>&1 || python3 -m venv --clear --without-pip .cache/az; \
	pip=".cache/az/bin/python -m pip"; \
	if ! $$pip --version >/dev/null 2>&1; then pip="python3 -m pip --python .cache/az/bin/python"; fi; \
	echo "$$pip install --no-deps -r .ci/az.txt"; \
	$$pip install --quiet --disable-pip-version-check --retries 2 --timeout 20 --no-deps --no-compile -r .ci/az.txt; \
	PYTHONDONTWRITEBYTECODE= .cache/az/bin/python -m compileall -q -x /aaz/ .cache/az/lib; \
	cp .ci/az.txt .cache/az/installed.txt

# An Azure CLI that is there already is as good. Without any, the tests say that one
# of them was skipped.
some-az:
	@if [ -n "$$TWINKEY_AZ" ] || AZURE_CONFIG_DIR=.cache/path AZURE_CORE_COLLECT_TELEMETRY=no az cloud list 2>/dev/null | grep -q AzureCloud; then exit 0; fi; \
	$(MAKE) --no-print-directory az || echo "no Azure CLI, and none could be installed; its test will say so"
