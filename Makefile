# Everything a fresh machine needs is set up here, in .venv beside this file. Needs Python 3.11 or newer with venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test test-full lint types format schemas coverage clean

demo: $(READY)  ## The main job on generated input: the tree, the counts, a query's answer
	PATH="$(CURDIR)/$(BIN):$$PATH" sh docs/demo.sh .demo

test: $(READY) lint types  ## All tests with small counts and sizes
	$(BIN)/python -m pytest --numprocesses=auto --dist=worksteal

test-full: $(READY) lint types  ## The same tests with the full counts and sizes
	WSPARQUET_TEST_FULL=1 $(BIN)/python -m pytest --numprocesses=auto --dist=worksteal --durations=20

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schemas: $(READY)  ## Write the renderings of the schema anew
	$(BIN)/python -m wsparquet.render schemas

coverage: $(READY)  ## Branch coverage, reported and not judged
	$(BIN)/python -m pytest --numprocesses=auto --dist=worksteal --cov --cov-report=term

clean:
	rm -rf .demo build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis $(VENV)

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable . --group dev
	touch $@
