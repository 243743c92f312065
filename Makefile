# `make run` and `make test` are all that a fresh machine needs; Python 3.11 or newer stands on it already.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SET ?=
FAULTS ?= 100
# Each of the processes has servers of its own; the tests of a file stay together.
PARALLEL ?= --numprocesses 2 --dist loadfile

.PHONY: run setup test sure scale bench eval clean

# Compiled modules are kept: each process would compile the product anew, and the tests start many.
unexport PYTHONDONTWRITEBYTECODE

run: setup
	@$(BIN)/knowledgevault up

setup: $(VENV)/installed
	@$(BIN)/knowledgevault export

test: $(VENV)/tested setup
	$(BIN)/python -m pytest -q -m "not long" $(PARALLEL)

sure: $(VENV)/tested setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

scale: $(VENV)/tested setup
	$(BIN)/python -m pytest -q tests/scale
	$(BIN)/python -m pytest -q -m long tests/connectors tests/inference
	$(BIN)/python -m tests.scale.faults $(FAULTS)

bench: $(VENV)/tested setup
	-@$(PIP) install --constraint .ci/constraints.txt --editable '.[bench]'
	$(BIN)/python -m bench

eval: setup
	@$(if $(SET),,$(BIN)/python -m bench.gaps && $(BIN)/python -m bench.detectors)
	@$(BIN)/knowledgevault eval $(SET)

clean:
	rm -rf $(VENV) .vault

$(VENV)/python:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/installed: $(VENV)/python pyproject.toml .ci/constraints.txt
	$(PIP) install --constraint .ci/constraints.txt --editable .
	@touch $@

$(VENV)/tested: $(VENV)/installed
	$(PIP) install --constraint .ci/constraints.txt --editable '.[test]'
	@touch $@
