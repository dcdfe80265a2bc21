# Everything this repository can do, by name; `make` alone lists it.
# Needed: make and Python 3.11 or newer. All else is installed into .venv, pinned and checked by hash.

PORT ?= 8000
DATA ?= .crossdock
PYTHON ?= python3 python3.13 python3.12 python3.11 python3.14

VENV := .venv
BIN := $(VENV)/bin
# What must be installed follows from the content of these files and the place of the checkout, not from file times.
fingerprint = $(shell (pwd; cat pyproject.toml $(1)) | cksum | cut -d' ' -f1)
INSTALLED := $(VENV)/.installed-$(call fingerprint,requirements.txt)
INSTALLED_DEV := $(VENV)/.installed-dev-$(call fingerprint,requirements-dev.txt)

.DEFAULT_GOAL := help
.PHONY: help run test test-slow fuzz audit bench bench-rest lint format types lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name what; do \
		printf '  make %-10s %s\n' "$$name" "$$what"; done

run: $(INSTALLED) ## everything with demo data in one process; PORT=8000 DATA=.crossdock
	@exec $(BIN)/hub up --demo --port '$(PORT)' --data '$(DATA)'

test: lint types $(INSTALLED_DEV) ## style, types, import directions and all tests that do not take minutes
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -n 2 --dist loadfile -m 'not slow'

test-slow: $(INSTALLED_DEV) ## the proofs that take minutes
	$(BIN)/pytest -m slow --timeout 3600

fuzz: $(INSTALLED_DEV) ## REST and GraphQL against their own descriptions, by Schemathesis (minutes; also part of test-slow)
	$(BIN)/pytest tests/fuzz --timeout 3600

audit: $(INSTALLED) ## the public GraphQL audits and clients against a hub with demo data (needs node 20 and npm)
	@command -v node >/dev/null && command -v npm >/dev/null || { echo 'make audit needs node and npm' >&2; exit 1; }
	cd tests/audit && npm ci --silent --no-audit --no-fund && node audit.mjs

bench: $(INSTALLED_DEV) ## reads against hand-written SQL, PostGraphile, idiomatic resolvers; BENCH='--full --write'
	$(BIN)/python -m tests.benchmarks.read_bench $(BENCH)

bench-rest: $(INSTALLED_DEV) ## REST routes against hand-written SQL; REST_BENCH='--only order --write'
	$(BIN)/python -m tests.benchmarks.rest_bench $(REST_BENCH)

lint: $(INSTALLED_DEV) ## style only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(INSTALLED_DEV) ## bring the source into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(INSTALLED_DEV) ## types only
	$(BIN)/mypy

lock: ## pin what pyproject.toml asks for (needs uv); UPGRADE=1 takes the newest
	@command -v uv >/dev/null || { echo 'make lock needs uv' >&2; exit 1; }
	$(LOCK) -o requirements.txt pyproject.toml
	$(LOCK) -o requirements-dev.txt --extra dev --constraint requirements.txt pyproject.toml

LOCK = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)

clean: ## remove what was installed or built; the data folder stays
	rm -rf $(VENV) build dist tests/audit/node_modules *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find hub schema connectors workers tests -name __pycache__ -type d -prune -exec rm -rf {} +

# --- installation -----------------------------------------------------------------------------------------------------

$(BIN)/python:
	@python=; for newest in 13 99; do for candidate in $(PYTHON); do \
		if "$$candidate" -c "import sys, ensurepip, venv; \
			sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, $$newest))" 2>/dev/null; \
		then python=$$candidate; break 2; fi; done; done; \
	if [ -z "$$python" ]; then for candidate in $(PYTHON); do \
		if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "$$candidate cannot make a virtual environment: install its venv module (Debian: python3-venv)" >&2; \
			exit 1; fi; done; \
		echo 'Crossdock needs Python 3.11 or newer: install it, or name it with PYTHON=/path/to/python' >&2; exit 1; fi; \
	echo "Making $(VENV) with $$("$$python" -V) ..."; rm -rf $(VENV); "$$python" -m venv $(VENV)

$(INSTALLED): $(BIN)/python
	$(call install,requirements.txt)
	@touch $@

$(INSTALLED_DEV): $(BIN)/python
	$(call install,requirements-dev.txt)
	@touch $@ $(INSTALLED)

# uv is quicker, pip is always there: it also takes over when uv does not find its way to a package index.
PIP = $(BIN)/python -m pip install --disable-pip-version-check --quiet
UV = uv pip install --quiet --python $(BIN)/python

define install
@echo 'Installing $(1) (a minute or so the first time) ...'
@rm -f $(VENV)/.installed-*
@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
@{ command -v uv >/dev/null 2>&1 && $(UV) --require-hashes -r $(1); } || $(PIP) --require-hashes -r $(1)
@$(PIP) --no-deps --no-build-isolation -e .
@echo 'Installed.'
endef
