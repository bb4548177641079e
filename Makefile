# The developer's whole interface. `make demo` and `make test` work on a bare machine with Python
# 3.11+ and make; everything lands in .venv (and model servers under $GRAPHWAY_HOME).

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
ONCE ?=

.PHONY: help demo test check unit format bench lock clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.run  ## train small models, serve them, send requests through graphs of all four kinds (ONCE=1 ends after them)
	$(BIN)/python -m cli.demo $(if $(ONCE),--once)

test: check unit  ## everything that CI runs

check: $(VENV)/.dev  ## format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(VENV)/.dev  ## all tests, real model servers included
	$(BIN)/pytest -n 2 --dist worksteal

format: $(VENV)/.dev  ## rewrite the code to the format that `check` wants
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev  ## CPU, rate, latency and memory beside nginx (needs Debian's nginx-light and wrk)
	$(BIN)/python -m bench $(ARGS)
	$(BIN)/python -m bench.streaming $(filter --quick --check,$(ARGS))
	$(BIN)/python -m bench.grpc $(filter --quick --check,$(ARGS))
	$(BIN)/python -m bench.binary $(filter --quick --check,$(ARGS))
	$(BIN)/python -m bench.tensors

lock:  ## renew the lock files (needs uv)
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 \
		--upgrade pyproject.toml --all-extras -o requirements.lock
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 \
		--upgrade pyproject.toml --all-extras --group dev -c requirements.lock -o requirements-dev.lock
	printf 'hatchling\neditables\n' | uv pip compile -q --universal --generate-hashes --no-header \
		--python-version 3.11 --upgrade - -c requirements.lock -o requirements-build.lock

clean:  ## forget the environment and all caches of this folder
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "Graphway needs Python 3.11 or newer; set PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# What builds our own package is locked too: pip would fetch it into the isolated build unhashed.
$(VENV)/.run: $(VENV)/.python requirements.lock requirements-build.lock pyproject.toml
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock -r requirements-build.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
