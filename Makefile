PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOWEST := .venv-lowest
INSTALL := -m pip install --quiet --disable-pip-version-check
PIP := $(BIN)/python $(INSTALL) --constraint constraints.txt

.PHONY: help run test test-lowest coverage check format clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

run: $(VENV)/installed ## Install, and train on the sample corpus
	$(BIN)/tui-trainer sample_data/fables.txt

test: $(VENV)/installed-test ## Install what tests need, and run them
	$(BIN)/python -m pytest -n auto

test-lowest: $(LOWEST)/installed-test ## Run the tests with the lowest versions that pyproject.toml allows
	$(LOWEST)/bin/python -m pytest -n auto

coverage: $(VENV)/installed-coverage ## Run the tests, and list the lines that none of them reaches
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n auto
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

check: $(VENV)/installed-dev ## Lint, types, and the one-way imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/installed-dev ## Put the code into its standard form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove the environments and every cache, but no run
	rm -rf $(VENV) $(LOWEST) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage*

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable .
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(PIP) --editable '.[test]'
	touch $@

$(VENV)/installed-coverage: $(VENV)/installed-test
	$(PIP) --editable '.[coverage]'
	touch $@

$(VENV)/installed-dev: $(VENV)/installed-test
	$(PIP) --editable '.[dev]'
	touch $@

$(LOWEST)/installed-test: pyproject.toml constraints.txt tests/lowest_versions.py | $(VENV)/installed-test
	$(PYTHON) -m venv --clear $(LOWEST)
	$(BIN)/python -m tests.lowest_versions > $(LOWEST)/constraints.txt
	$(LOWEST)/bin/python $(INSTALL) --constraint $(LOWEST)/constraints.txt --editable '.[test]'
	touch $@
