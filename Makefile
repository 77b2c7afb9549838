# Everything runs in $(VENV), which sets itself up from nothing but python3 and pip.
VENV ?= .venv
BIN := $(VENV)/bin
# Workers of the test run; two cores is what a small machine has.
WORKERS ?= 2
PYTHONS ?= 3.11 3.12 3.13
# What depends on the interpreter more than on libraries: frames, generators, threads, processes, types.
INTERPRETER_TESTS := tests/capture tests/context tests/lifecycle tests/pipeline tests/track
# Half a minute goes into reading all tests, in each worker: these are the files that hold a slow one.
SLOW_TESTS = $(shell grep -rl --include='*.py' 'mark\.slow' tests)

.DEFAULT_GOAL := help
.PHONY: help venv demo test quick lint types floors format docs generated page wheel lock deploy test-vendors test-newest test-pythons \
	test-backends parts test-slow test-long bench bench-peers clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

$(VENV)/.demo: pyproject.toml constraints/demo.txt
	@bash scripts/setup.sh $(VENV) demo

$(VENV)/.dev: pyproject.toml constraints/dev.txt
	@bash scripts/setup.sh $(VENV) dev

venv: $(VENV)/.dev ## the development environment

demo: $(VENV)/.demo ## run a real agent loop and show its trace
	@$(BIN)/python examples/demo.py

test: $(VENV)/.dev ## every test that is neither slow nor a matrix of vendor versions
	@$(BIN)/python -m pytest -q -n $(WORKERS) -m "not slow and not vendors and not backends"

quick: $(VENV)/.dev ## what every change must pass before it lands; under a minute
	@$(BIN)/ruff check -q
	@$(BIN)/ruff format -q --check || { echo "unformatted: run 'make format'"; exit 1; }
	@$(MAKE) -s floors
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/python -m pytest -q --no-header tests/test_import.py tests/smoke \
		tests/docs/test_generated.py::test_every_name_of_ours_is_documented

lint: $(VENV)/.dev ## ruff, types, floors
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	@$(MAKE) -s floors types

floors: $(VENV)/.dev ## imports go down only
	@$(BIN)/lint-imports --no-cache > $(VENV)/floors.log 2>&1 || { cat $(VENV)/floors.log; exit 1; }
	@tail -n 1 $(VENV)/floors.log

types: $(VENV)/.dev ## mypy strict, and pyright on the public API
	$(BIN)/mypy
	$(BIN)/basedpyright --pythonpath $(BIN)/python

format: $(VENV)/.dev ## format and sort imports
	@$(BIN)/ruff check -q --fix-only
	@$(BIN)/ruff format -q

docs: $(VENV)/.dev ## the documentation site, in site/
	@# --quiet would hide warnings from --strict
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict > $(VENV)/docs.log 2>&1 || { cat $(VENV)/docs.log; exit 1; }

generated: $(VENV)/.dev ## rewrite the pages that are made from the code
	@$(BIN)/python scripts/generate.py

page: ## rebuild the pages of `agentops report` and `agentops view` (needs npm; the result is committed)
	@cd frontend && npm ci -s --ignore-scripts && npm run -s check && npm run -s build

wheel: ## build the wheel into dist/
	@bash scripts/wheel.sh

test-slow: $(VENV)/.dev ## the tests that take long
	@$(BIN)/python -m pytest -q -n $(WORKERS) -m "slow and not long and not vendors and not backends" $(SLOW_TESTS)

test-long: $(VENV)/.dev ## those that repeat the slow ones for every library; before a release
	@$(BIN)/python -m pytest -q -n $(WORKERS) -m "long and not vendors and not backends" $(SLOW_TESTS)

parts: ## the real receivers that some export tests run against (they are skipped without)
	@bash scripts/test_parts.sh receiver

test-backends: $(VENV)/.dev ## our spans in real backends, read back through their own APIs; installs about 1.5 GB
	@bash scripts/test_parts.sh backends
	@$(BIN)/python -m pytest -q -m backends tests/backends

lock: ## resolve everything afresh and write the pins in constraints/
	@bash scripts/lock.sh

test-vendors: ## the vendor-facing tests with the versions of scripts/vendors.txt; VERSIONS="name …" picks rows
	@bash scripts/test_vendors.sh $(VERSIONS)

test-newest: ## the vendor-facing tests with the newest versions of everything, and what has moved
	@bash scripts/test_newest.sh

test-pythons: ## what every change must pass, under each supported Python; PYTHONS="3.13" picks
	@for version in $(PYTHONS); do echo "== Python $$version"; \
		PYTHON=$$(bash scripts/find_python.sh $$version) && export PYTHON && $(MAKE) -s .venv-$$version/.dev VENV=.venv-$$version && \
		.venv-$$version/bin/python -m pytest -q --no-header -n $(WORKERS) -m "not slow and not once" \
			tests/test_import.py tests/smoke tests/docs/test_generated.py::test_every_name_of_ours_is_documented $(INTERPRETER_TESTS) || exit 1; done

deploy: $(VENV)/.dev ## what deploy/ holds, by tools of their own kind; before a release
	@bash scripts/check_deploy.sh

# Those that say something when they are told nothing: the other two make spans, and read a file of them, on request.
ALL_BENCHMARKS = $(filter-out benchmarks/generate_spans.py benchmarks/large_trace.py,$(wildcard benchmarks/*.py))

bench: $(VENV)/.dev ## the benchmarks; BENCHMARKS="benchmarks/…" picks
	@for script in $(or $(BENCHMARKS),$(ALL_BENCHMARKS)); do [ -e "$$script" ] || continue; echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

bench-peers: $(VENV)/.dev ## recording beside other recorders, each in an environment of its own: figures, JSON, plots
	@bash benchmarks/peers.sh
	@$(MAKE) -s bench BENCHMARKS="benchmarks/ratios.py benchmarks/delivery.py"

clean: ## remove everything that was built
	rm -rf .venv .venv-* .peers .uv build dist site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
