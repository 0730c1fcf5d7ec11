# Everything a newcomer needs. `make demo` and `make test` set up by themselves.

PYTHON ?= python3
BIN := .venv/bin
STAMP := build/.stamp

# What Python compiled is kept: some hundred processes of a run would compile the same again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup pythons demo test vectors pages sbom fuzz ecosystem soak bench model check format lock clean

help: ## what there is to make
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 10

setup: $(STAMP)/python $(STAMP)/node $(STAMP)/world ## .venv and node_modules, wheels only, no compiler

$(STAMP)/python: requirements/dev.lock pyproject.toml
	@mkdir -p $(STAMP)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Keymoot needs Python 3.11 or later: make PYTHON=python3.12 setup")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMP)/node: package-lock.json package.json .npmrc
	@mkdir -p $(STAMP)
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || (echo "Keymoot's demo needs Node 20 or later" && exit 1)
	npm ci --silent --no-audit --no-fund
	@touch $@

$(STAMP)/world: $(STAMP)/node $(wildcard world/*.sol) world/compile.mjs
	node world/compile.mjs build/world.json
	@touch $@

pythons: setup ## an environment of each Python here, to compare what blocks do
	$(BIN)/python -m tools.pythons

demo: setup ## the whole story, in a minute or two
	$(BIN)/python -m demo

# How much is tried: what a person waits for, with PROFILE=thorough all, with PROFILE=random other
# examples each time; see docs/testing.md.
PROFILE ?= quick

test: setup pythons ## all tests, a short demo included, on all cores
	$(BIN)/python -m pytest --hypothesis-profile $(PROFILE) -n auto --dist loadfile --no-loadscope-reorder

ecosystem: setup ## the client beside agent frameworks of today, installed from the registry
	$(BIN)/python -m pytest -m ecosystem

soak: setup ## the long ones: ten thousand seeds, a hundred kills
	$(BIN)/python -m pytest -m soak --timeout 3600 --hypothesis-profile random

vectors: setup ## write the published vectors again: to the same bytes
	$(BIN)/python -m tests.proof.vectors
	$(BIN)/python -m tests.threshold.transcripts

pages: setup ## write again what pages say of the code: packages, imports, interfaces
	$(BIN)/python -m tools.packages
	$(BIN)/python -m tools.interfaces

sbom: setup ## write the bill of materials again: what the lock files pin, with hashes
	$(BIN)/python -m tools.sbom

$(STAMP)/fuzz: $(STAMP)/python requirements/fuzz.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/fuzz.lock
	@touch $@

CASES ?= 1000000

fuzz: setup $(STAMP)/fuzz ## strangers' bytes for every parser and proof, beside others' code (CASES=1000000)
	$(BIN)/python -m tests.fuzz.run $(CASES)

bench: setup ## measure, and write build/bench.json
	$(BIN)/python -m bench

model: ## search every state of the rules of certificates (needs g++; half an hour)
	$(PYTHON) model/check.py

check: setup ## formatting, lint, types, layers, consensus
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.consensus

format: setup ## format, and mend what lint can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## resolve the dependencies anew (hashes, no addresses)
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate --extra node --group dev pyproject.toml -o requirements/dev.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate pyproject.toml -o requirements/client.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate --extra node pyproject.toml -c requirements/dev.lock -o requirements/node.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate --group pyproject.toml:fuzz -o requirements/fuzz.lock
	$(BIN)/python -m tools.sbom

clean: ## remove what was built and installed
	rm -rf .venv node_modules build
