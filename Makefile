# Tongke 同课. `make run` starts it, `make test` checks it, `make bench` measures it.
# Everything a target needs is set up on the way; stamps in .setup/ make the second time quick.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
             $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV   := .venv
BIN    := $(VENV)/bin
NODE   = $(shell tools/node-path $(VENV))
NPM    = PATH="$(NODE):$$PATH" npm --prefix web

# Two at a time: most of them wait for real processes. What judges picture and sound over a bad line has the machine alone.
UNIT    = $(BIN)/python -m pytest -m "not journey" -n 2 --dist loadfile
JOURNEY = $(BIN)/python -m pytest -m "journey and not alone" -n 2 --dist worksteal --durations=20
ALONE   = $(BIN)/python -m pytest -m "journey and alone"

.PHONY: run test test-unit test-web journeys bench peers lint format lock clean setup

run: .setup/web-dist .setup/hot
	$(BIN)/tongke demo

test: setup .setup/system .setup/store lint test-web
	$(UNIT)
	$(JOURNEY)
	$(ALONE)

lint: .setup/python .setup/web
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(NPM) run --silent typecheck

test-unit: .setup/hot .setup/system .setup/store
	$(UNIT)

test-web: .setup/web
	$(NPM) run --silent test

journeys: setup .setup/system
	$(JOURNEY)
	$(ALONE)

bench: setup
	$(BIN)/python -m tests.bench

# The servers that `make bench` compares with, where they can be had (tests/bench/peers/README.md).
peers: .setup/python
	PATH="$(NODE):$$PATH" tests/bench/peers/get

format: .setup/python
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

setup: .setup/web-dist .setup/hot

.setup/python: requirements-dev.lock pyproject.toml
	@mkdir -p .setup
	@test -n "$(PYTHON)" || { echo "Tongke needs Python 3.11 or later" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# The loop of the fan-out in C; without a compiler nothing is made, and Tongke does without.
.setup/hot: media/hot.c hatch_build.py .setup/python
	$(BIN)/python hatch_build.py
	@touch $@

.setup/web: web/package-lock.json web/package.json .setup/python
	$(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

# The S3 server of the tests.
.setup/store: tests/support/s3rver/package-lock.json .setup/python
	PATH="$(NODE):$$PATH" npm --prefix tests/support/s3rver ci --no-audit --no-fund --loglevel=error
	@touch $@

.setup/web-dist: .setup/web $(shell find web/src web/build web/public web/index.html web/vite.config.ts -type f 2>/dev/null)
	$(NPM) run --silent build
	@touch $@

.setup/system: tools/system-packages
	@mkdir -p .setup
	tools/system-packages
	@touch $@

COMPILE = uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
          --no-header --no-annotate --quiet pyproject.toml

# Needs `uv`; only for those who change dependencies.
lock:
	$(COMPILE) -o requirements.lock
	$(COMPILE) --group dev -c requirements.lock -o requirements-dev.lock
	$(NPM) install --package-lock-only --no-audit --no-fund

clean:
	rm -rf .setup $(VENV) web/node_modules web/dist build dist media/hot.so
