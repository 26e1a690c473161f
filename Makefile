# Each target creates .venv and installs what it needs by itself.
PYTHON ?= python3
BIN := .venv/bin
PATHS := src runtime tests scripts benchmarks docs examples
PYTEST = $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

.PHONY: help demo test test-slow test-all check docs audit format

help:
	@echo "make demo      train on handwritten digits and show every width (a few minutes on a laptop)"
	@echo "make test      run the tests except those marked as slow"
	@echo "make test-slow run the slow tests, and property tests with all their examples"
	@echo "make test-all  run all tests"
	@echo "make check     format, lint and types"
	@echo "make docs      the documentation as a site"
	@echo "make audit     known vulnerabilities of the dependencies (needs the network)"
	@echo "make format    format the code"

.venv/installed: pyproject.toml runtime/pyproject.toml
	@echo "Installing into .venv (PyTorch is several gigabytes; this takes a few minutes the first time)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable runtime --editable ".[dev]"
	@touch $@

demo: .venv/installed
	$(BIN)/slimgan fit --config configs/digits.yaml

test: .venv/installed
	$(PYTEST) -m "not slow" --hypothesis-profile few

test-slow: .venv/installed
	$(PYTEST) -m "slow or hypothesis"

test-all: .venv/installed
	$(PYTEST)

check: .venv/installed
	$(BIN)/ruff format --check $(PATHS)
	$(BIN)/ruff check $(PATHS)
	$(BIN)/mypy

docs: .venv/installed
	$(BIN)/python -m sphinx --fresh-env --quiet --nitpicky --fail-on-warning --keep-going docs site
	@echo "Site: site/index.html"

audit: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pip-audit
	$(BIN)/pip-audit --local --skip-editable

format: .venv/installed
	$(BIN)/ruff format $(PATHS)
	$(BIN)/ruff check --fix $(PATHS)
