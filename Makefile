PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo test check bench clean

help: ## what can be made here
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS="$$(printf '\t')" read -r name what; do printf '  make %-8s %s\n' "$$name" "$$what"; done

demo: ## train on handwritten digits, then hold the gradient against three witnesses (installs nothing)
	$(PYTHON) -m purebp.cli.demo

test: $(VENV)/.installed ## types and all tests, in .venv
	$(BIN)/mypy
	$(BIN)/pytest -q

check: $(VENV)/.installed ## types only
	$(BIN)/mypy

bench: ## speed, as ratios in one run
	$(PYTHON) tests/benchmarks/training.py

clean: ## remove what was made
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@
