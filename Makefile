PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers
NODE_MODULES := tests/peers/node_modules
BENCH := .venv-bench
MUTATION := .venv-mutation

.PHONY: help demo test test-thorough test-all check vectors campaign campaign-long coverage power beyond mutation browser peers bench bench-write scaling clean

help: ## what can be made here
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS="$$(printf '\t')" read -r name what; do printf '  make %-13s %s\n' "$$name" "$$what"; done

demo: ## judge two backpropagations, train on handwritten digits, prove the gradient (installs nothing)
	$(PYTHON) -m purebp.cli.demo

test: check ## style, layers, types and all tests, in .venv
	$(BIN)/pytest -q -n auto --dist worksteal

test-thorough: $(VENV)/.installed ## all tests, with many more examples of every law, and other ones each time
	$(BIN)/pytest -q -n auto --dist worksteal --hypothesis-profile=thorough

test-all: ## all tests on every supported Python that is here, each in a virtual environment of its own
	$(PYTHON) -m studies.interpreters

check: $(VENV)/.installed ## style, the layers, and types (of this Python and of 3.13)
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy --python-version 3.13 & of_later=$$!; $(BIN)/mypy && wait $$of_later

vectors: ## the test vectors anew, in purebp/data/vectors/v1
	$(PYTHON) -m purebp vectors export purebp/data/vectors/v1 --anew

campaign: ## tries for some minutes to find a correct implementation outside its error budget
	$(PYTHON) -m studies.campaign

campaign-long: ## the same for hours, until ten million numbers have been judged; stopped, it goes on where it was
	$(PYTHON) -m studies.campaign --entries 650000 --kept build/campaign --write

coverage: $(VENV)/.installed ## are all branches of the textbook, the number systems and the oracle's core taken by the tests?
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'coverage>=7.10'
	$(BIN)/coverage run -m pytest -q -n auto --dist worksteal
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

browser: $(VENV)/.installed ## the HTML report in a real Chromium
	$(BIN)/pytest -q tests/browser

power: ## how many mistakes the oracle catches and names, in some minutes; writes docs/power.md
	$(PYTHON) -m studies.power --write

beyond: ## random edits that are no mistake with a name, and what is said of them; writes docs/beyond.md
	$(PYTHON) -m studies.beyond 200 --write

mutation: $(MUTATION)/.installed ## how many small changes of the code the tests notice, in about half an hour; writes docs/mutation.md
	$(MUTATION)/bin/python -m studies.mutation --known build/mutants-killed --write

peers: $(PEERS)/.installed $(NODE_MODULES)/.package-lock.json ## independent witnesses, and other implementations under check, in .venv-peers
	$(PEERS)/bin/pytest -q -s tests/peers

bench: $(BENCH)/.installed ## other checkers and implementations side by side; is docs/performance.md what is found?
	$(BENCH)/bin/python -m studies.benchmarks

bench-write: $(BENCH)/.installed ## the same, and writes docs/performance.md
	$(BENCH)/bin/python -m studies.benchmarks --write

scaling: $(BENCH)/.installed ## certificates and checks over a cluster, with docs/scaling.md
	$(BENCH)/bin/pytest -q tests/scaling tests/test_docs.py -k scaling

clean: ## remove what was made
	rm -rf $(VENV) .venv-* $(NODE_MODULES) tests/peers/build build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

$(PEERS)/.installed: pyproject.toml tests/peers/requirements.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check \
		--requirement tests/peers/requirements.txt --editable '.[test]'
	touch $@

$(NODE_MODULES)/.package-lock.json: tests/peers/package-lock.json
	@if command -v npm >/dev/null; then cd tests/peers && npm ci --ignore-scripts --no-audit --no-fund --loglevel error && touch ../../$@; \
	else echo "There is no npm: the implementations in JavaScript are not installed, and skipped."; fi

$(MUTATION)/.installed: pyproject.toml studies/mutation/requirements.txt
	$(PYTHON) -m venv $(MUTATION)
	$(MUTATION)/bin/python -m pip install --quiet --disable-pip-version-check \
		--requirement studies/mutation/requirements.txt --editable '.[test]'
	touch $@

$(BENCH)/.installed: pyproject.toml studies/benchmarks/requirements.txt
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check \
		--requirement studies/benchmarks/requirements.txt --editable '.[test]'
	touch $@
