# Everything a fresh machine needs is set up here, in .venv beside this file. Needs Python 3.11 or newer with venv.
PYTHON ?= python3
VENV := .venv
ENGINES := .venv-engines
BIN := $(VENV)/bin
TOOLS := $(VENV)/.tools
READY := $(VENV)/.ready
COLLECTED := $(VENV)/.collected

# pip, the lints and cargo test share one profile and these settings, which setuptools-rust makes too: so they share
# what is compiled.
PROFILE := checked
export PYO3_PYTHON := $(CURDIR)/$(BIN)/python
export PYO3_BUILD_EXTENSION_MODULE := 1
# Tests start hundreds of processes. If bytecode may not be written, each of them compiles the package again.
export PYTHONDONTWRITEBYTECODE :=
# Jobs that run at once print their output when they end. Make before 4.0 cannot do that.
SYNC := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
INSTALL_RELEASE := $(BIN)/pip install --quiet --no-deps --editable .
# One worker more than there are cores, because many tests wait: for retries, for servers, for the disk.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
PYTEST := $(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=worksteal

.PHONY: help demo test test-full engines checks release rust spark cargo wheel lint types format schemas docs coverage \
	mutants clean

help:  ## This list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## /{printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY)  ## The main job on generated input: the tree, the counts, a query's answer
	PATH="$(CURDIR)/$(BIN):$$PATH" sh docs/demo.sh .demo

test: checks  ## All tests with small counts and sizes
	$(PYTEST)

test-full: export PROPTEST_CASES ?= 500000
test-full: checks  ## The same tests with the full counts and sizes, with the native crate as wheels have it
	$(INSTALL_RELEASE)
	@$(MAKE) --no-print-directory spark engines
	WSPARQUET_TEST_FULL=1 WSPARQUET_TEST_ENGINES=$(CURDIR)/$(ENGINES)/bin/python $(PYTEST) --durations=20

engines: $(ENGINES)/.ready  ## Other engines that read published tables, in an environment of their own: 1.5 GB

$(ENGINES)/.ready: pyproject.toml
	$(PYTHON) -m venv $(ENGINES)
	$(ENGINES)/bin/pip install --quiet --upgrade pip
	$(ENGINES)/bin/pip install --quiet --group engines
	touch $@

# Jobs run at once, because pip waits for the network and cargo for its largest crates, each on one core. mypy, half a
# minute on one core, needs the libraries only, so it runs while the crate is compiled, and not alone after that.
checks:  ## Set-up, and all checks but pytest: the native crate, lints, types
	@$(MAKE) --no-print-directory --jobs=3 $(SYNC) rust types lint $(COLLECTED)

# With clippy as the compiler, cargo lints this crate while it compiles it. `cargo clippy --all-targets --all-features`
# finds the same, but first checks again the 80 crates that are compiled already, half a minute on two cores.
LINTING := RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS=-D__CLIPPY_HACKERY__warnings

# Without cargo there is nothing native to test. The first build is the one that pip asks for: pip finds it done. cargo
# would share the jobs of make, and wait for them: it does better with its own.
rust: | $(PYO3_PYTHON)  ## The native crate: format, lints, unit tests and fuzzing
	@if ! command -v cargo >/dev/null; then echo "no cargo: nothing native is in use"; exit 0; fi; \
	set -ex; unset MAKEFLAGS MFLAGS; cd native; cargo fmt --check; \
	cargo rustc --quiet --profile $(PROFILE) --lib --features python,pyo3/extension-module \
		--crate-type cdylib; \
	$(LINTING) cargo rustc --quiet --profile $(PROFILE) --lib --features python,pyo3/extension-module \
		--crate-type rlib -- -C opt-level=0; \
	$(LINTING) cargo test --quiet --profile $(PROFILE)

# PySpark is 400 MB, and of no use without Java: its tests are then skipped, and say so.
spark: $(READY)  ## PySpark for its tests: `make test` runs a few of them then, and `make test-full` all
	@if command -v java >/dev/null; then $(BIN)/pip install --quiet --group spark; \
	else echo "no java: the tests of Spark are skipped"; fi

release: $(READY)  ## Install the native crate as wheels have it, for benchmarks: the one of the tests is slower
	$(INSTALL_RELEASE)

cargo:
	@command -v cargo >/dev/null || { echo "make wheel: needs cargo (Rust 1.88 or newer, https://rustup.rs)," \
		"found none: the wheel would lack the native crate" >&2; exit 1; }

wheel: cargo $(READY)  ## A wheel with the native crate, in dist/, tried in a fresh environment
	rm -rf build dist
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .
	$(PYTHON) -m venv dist/.venv
	dist/.venv/bin/pip install --quiet dist/*.whl
	@cd dist && .venv/bin/wsparquet --version | grep native || { cd .. && rm -rf dist; \
		echo "make wheel: the native crate could not be built; see why with \`cd native && cargo build\`" >&2; exit 1; }
	cd dist && .venv/bin/wsparquet generate --size 1000000 .try && .venv/bin/wsparquet convert .try --to .tried
	rm -rf dist/.venv dist/.try dist/.tried

lint: $(TOOLS)  ## Ruff (lints, format) and the import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(TOOLS)  ## mypy, strict
	$(BIN)/mypy

format: $(TOOLS)  ## Rewrite the Python code as ruff formats it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schemas: $(READY)  ## What is derived from the code and committed: field ids, the renderings of the schema, a diagram
	$(BIN)/python -m tools.field_ids
	$(BIN)/python -m wsparquet.render schemas
	$(BIN)/python -m tools.website.rooms

docs: $(READY)  ## The documentation site, in build/website/site; a warning is an error
	$(BIN)/python -m tools.website build/website

ROOM ?= commit
SAMPLE ?= 60
SEED ?= 1
JOBS ?= 1
mutants: $(READY)  ## Small faults in a copy of ROOM (SAMPLE=60 SEED=1 JOBS=1): which of them no test notices
	@test $(ROOM) = native || $(BIN)/python -c "import mutmut" 2>/dev/null || $(BIN)/pip install --quiet --group mutants
	$(BIN)/python -m tools.mutants $(ROOM) --sample=$(SAMPLE) --seed=$(SEED) --jobs=$(JOBS) $(MUTANT:%=--mutant=%) \
		$(TESTS:%=--tests=%)

coverage: $(READY)  ## Branch coverage, reported and not judged
	$(PYTEST) --cov --cov-report=term

clean:  ## Delete all that these targets have made
	rm -rf .demo build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis target $(VENV) $(ENGINES)

$(PYO3_PYTHON):
	$(PYTHON) -m venv $(VENV)

CRATE := $(wildcard native/Cargo.* native/src/*.rs native/src/*/*.rs native/src/*/*/*.rs)
$(READY): $(TOOLS) pyproject.toml $(CRATE)
	unset MAKEFLAGS MFLAGS; SETUPTOOLS_RUST_CARGO_PROFILE=$(PROFILE) $(BIN)/pip install --quiet --no-deps --editable .
	touch $@

# Compiles what tests import, and the tests, once. Otherwise each worker would, all of them at the same time.
$(COLLECTED): $(READY)
	$(BIN)/python -m pytest --collect-only -qq > /dev/null || true
	touch $@

# The libraries of the package and the tools. pip would compile all of their modules, of which most are never imported.
DEPENDENCIES := import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")
$(TOOLS): pyproject.toml | $(PYO3_PYTHON)
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/python -c '$(DEPENDENCIES)' > $(VENV)/dependencies.txt
	$(BIN)/pip install --quiet --no-compile --requirement $(VENV)/dependencies.txt --group dev --group docs
	touch $@
