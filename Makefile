# make demo   sets everything up and runs the whole of hookctl against a receiver of its own
# make test   sets everything up and runs every test
# make quick  lint and the fast tests, in under a minute
# make soak   the same properties with new random examples, five times as many of the slow ones, and 200 killed processes; RUNS=1 of them
# make fuzz   random command lines, settings and input; SECONDS=600 of them, for each of its tests; and TEMPLATES=20000
PYTHON ?= python3
# Each module is compiled once, and not in each of the thousand processes that the tests start.
unexport PYTHONDONTWRITEBYTECODE
# Many tests wait for processes and sockets, so there are more of them at a time than cores.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(2 * os.cpu_count(), 16))')
# Each worker begins with tests that belong together, and takes some of another's when it has none left.
TESTS = $(BIN)/pytest -q -n $(WORKERS) --dist worksteal
BIN := .venv/bin
READY := .venv/ready
CODE := engine plugins tests examples benchmarks docs/site

# What `make quick` tests: the parts that need no process, network or store.
QUICK := tests/config tests/house tests/model tests/network tests/plugin tests/report tests/template tests/when
# Properties with many random examples, and plugins that hang: `make test` runs them.
LONG := tests/config/directory/test_never_wrong.py tests/template/language/test_like_jinja.py tests/template/formats tests/plugin/test_contract.py tests/plugin/test_containment.py
SECONDS := 600
RUNS := 1
TEMPLATES := 20000
SEED :=

.PHONY: demo test quick soak fuzz lint types contracts check bench docs site picture screenshots wheel sbom lock clean

demo: $(READY)
	@$(BIN)/python examples/demo/run.py

test: $(READY)
	@$(TESTS)

quick: lint
	@$(TESTS) $(QUICK) $(LONG:%=--ignore=%)

soak: $(READY)
	@for run in $$(seq $(RUNS)); do HYPOTHESIS_PROFILE=soak KILLS=200 $(TESTS) || exit 1; done

fuzz: $(READY)
	@FUZZ_SECONDS=$(SECONDS) FUZZ_TEMPLATES=$(TEMPLATES) FUZZ_SEED=$(SEED) $(TESTS) tests/hostile/test_fuzz.py tests/hostile/test_fuzz_templates.py

lint: $(READY)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .

types: $(READY)
	@$(BIN)/mypy --no-error-summary $(CODE)

contracts: $(READY)
	@$(BIN)/lint-imports --no-cache --no-logo

# Everything that CI runs.
check: lint types contracts test

bench: $(READY)
	@$(BIN)/python benchmarks/templates.py --rounds 10 --count 100
	@$(BIN)/python benchmarks/run.py
	@$(BIN)/python benchmarks/plan_at_size.py --rounds 3 --without-check-jsonschema

# Writes what the commands print, and what the schemas and tables hold, into the documentation.
docs: $(READY)
	@UPDATE_DOCS=1 $(BIN)/pytest -q tests/docs

# Builds the website of the documentation in build/site, without a network.
site: $(READY)
	@$(BIN)/python docs/site/build.py

# Draws docs/plan.svg again: the picture of `hookctl plan` in README.md.
picture: $(READY)
	@UPDATE_DOCS=1 $(BIN)/pytest -q tests/docs/test_picture.py

# Makes docs/images/ again: the pages of `hookctl serve` in README.md and docs/serve.md. Needs Chromium.
screenshots: $(READY)
	@UPDATE_SCREENSHOTS=1 $(BIN)/pytest -q tests/serve/browser/staged/test_screenshots.py

# Builds what is installed elsewhere, in dist/: a wheel, and the source distribution that it is built from.
wheel: $(READY)
	@$(BIN)/python -m build

# Lists in dist/ all that an installed hookctl consists of, as CycloneDX.
sbom: $(READY)
	@mkdir -p dist
	@$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --output-file dist/hookctl.cdx.json docs/ci/requirements.txt

# Pins in docs/ci/requirements.txt what CI jobs and the image install, in the newest versions that fit. Needs a network.
lock: $(READY)
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock" --extra serve --extra postgres pyproject.toml docs/ci/build.in --output-file docs/ci/requirements.txt

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .hookctl
	find engine plugins tests examples benchmarks \( -name __pycache__ -o -name .ruff_cache \) -prune -exec rm -rf {} +

# The stamp is newer than pyproject.toml once everything that it names is installed.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"hookctl needs Python 3.11 or newer, and $(PYTHON) is {v[0]}.{v[1]}: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing hookctl and its tools into .venv ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
