PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers

.PHONY: help demo test check vectors campaign power browser peers bench clean

help: ## what can be made here
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS="$$(printf '\t')" read -r name what; do printf '  make %-8s %s\n' "$$name" "$$what"; done

demo: ## judge two backpropagations, train on handwritten digits, prove the gradient (installs nothing)
	$(PYTHON) -m purebp.cli.demo

test: $(VENV)/.installed ## types and all tests, in .venv
	$(BIN)/mypy
	$(BIN)/pytest -q -n auto

check: $(VENV)/.installed ## types only
	$(BIN)/mypy

vectors: ## the test vectors anew, in purebp/data/vectors/v1
	$(PYTHON) -m purebp vectors export purebp/data/vectors/v1 --anew

campaign: ## tries for some minutes to find a correct implementation outside its error budget
	$(PYTHON) -m tests.campaign

browser: $(VENV)/.installed ## the HTML report in a real Chromium
	$(BIN)/pytest -q tests/browser

power: ## how many mistakes the oracle catches and names, in some minutes; writes docs/power.md
	$(PYTHON) -m tests.power --write

peers: $(PEERS)/.installed ## independent witnesses: python-flint, mpmath, NumPy and PyTorch, in .venv-peers
	$(PEERS)/bin/pytest -q -s tests/peers

bench: ## speed, as ratios in one run; PYTHON=.venv-peers/bin/python for every comparison
	$(PYTHON) tests/benchmarks/training.py
	$(PYTHON) tests/benchmarks/certificates.py
	$(PYTHON) tests/benchmarks/checking.py
	$(PYTHON) tests/benchmarks/graph.py
	$(PYTHON) -m tests.benchmarks.subjects

clean: ## remove what was made
	rm -rf $(VENV) $(PEERS) build dist .mypy_cache .pytest_cache .hypothesis
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
