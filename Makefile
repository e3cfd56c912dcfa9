# make digits        train the example on real handwritten digits
# make quick         lint, types and tests of what changed, in a minute; PACKAGE=config for one
# make test          run the tests of all packages
# make test-slow     the long ones: kills by the hundred, large data
# make test-exact    runs killed or stopped at random moments, and resumed to the bit
# make test-wheels   every wheel alone in a clean environment
# make test-clients libraries that say import mmengine, and the original beside eng-mmengine
# make test-browser the page of eng plot in headless Chromium
# make docs          the documentation into dist/site, strictly, and what must hold of it
# make docs-serve    the same while it is written, on port 8000
# make docs-test     run every code block of its pages; of some by make docs-test PAGES=guides/configs
# make docs-pictures draw the pictures that come from runs anew
# make test-pants    every wheel by Pants, and its tests of the packages without torch
# make check         lint and types, of examples and READMEs as well
# make bench         speed of every package beside its limits; of one by make bench BENCH=registry
# make bench-compare figures of two runs of make bench BENCH_JSON=FILE: OLD=FILE NEW=FILE
VENV   := .venv
PY     := $(VENV)/bin/python
PYTHON ?= python3
READY  := $(VENV)/.ready
DOCS_READY := $(VENV)/.docs-ready
EXTRAS := packages/fileio[s3,lmdb,memcached,test] packages/vis[tensorboard] packages/evaluator[torchmetrics] packages/checkpoint[safetensors] packages/infer[onnx]
PLAIN  := $(filter-out packages/fileio packages/vis packages/evaluator packages/checkpoint packages/infer,$(patsubst %/pyproject.toml,%,$(wildcard packages/*/pyproject.toml)))
# Test files are shared out whole, those that take longest first (conftest.py).
PYTEST := $(PY) -m pytest -n auto --dist loadfile --no-loadscope-reorder

.PHONY: setup digits quick test test-slow test-exact test-wheels test-clients test-browser docs docs-serve docs-test docs-pictures test-pants check bench bench-compare clean

setup: $(READY)

$(READY): pyproject.toml examples/digits/requirements.txt $(wildcard packages/*/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 10) or sys.exit("eng needs Python 3.10 or newer; this is %d.%d. Name another one with: make PYTHON=python3.12" % sys.version_info[:2])'
	@echo "==> [1/4] virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --upgrade "pip>=25.1"
	@echo "==> [2/4] torch 2.13.0 (a few minutes where it is not cached)"
	@$(PY) -m pip install --quiet --progress-bar=on torch==2.13.0
	@echo "==> [3/4] tools for tests and lint, libraries of the example"
	@$(PY) -m pip install --quiet --group dev -r examples/digits/requirements.txt
	@echo "==> [4/4] every eng package, editable"
	@$(PY) -m pip install --quiet $(foreach p,$(EXTRAS) $(PLAIN),-e "$(p)")
	@touch $@
	@echo "==> ready"

digits: $(READY)
	@$(PY) examples/digits/run.py

quick: $(READY)
	@$(PY) scripts/quick.py $(PACKAGE)

test: $(READY)
	@$(PYTEST) -m "not exhaustive and not exact and not wheels and not clients and not browser and not docs" --durations=10

test-slow: $(READY)
	@$(PYTEST) -m exhaustive

test-exact: $(READY)
	@$(PYTEST) -m exact --dist worksteal

test-wheels: $(READY)
	@$(PYTEST) -m wheels --dist worksteal tests

test-clients: $(READY)
	@$(PYTEST) -m clients tests

# Takes the Chromium of the system, or else downloads one.
test-browser: $(READY)
	@$(PY) -m pip install --quiet --group browser
	@command -v chromium chromium-browser google-chrome > /dev/null || $(PY) -m playwright install chromium
	@$(PY) -m pytest -m browser packages/vis

docs: $(DOCS_READY)
	@$(PY) scripts/docs_build.py

docs-serve: $(DOCS_READY)
	@$(PY) scripts/docs_build.py --serve

$(DOCS_READY): $(READY)
	@$(PY) -m pip install --quiet --group docs
	@touch $@

# A page is a test of its own, whichever worker is free takes the next one. The examples register
# their classes in this process, in which pages and their pictures have registered others.
docs-test: $(DOCS_READY)
	@DOCS_PAGES="$(PAGES)" $(PY) -m pytest -n 2 --dist worksteal -q -m docs $(if $(PAGES),tests/test_pages.py,tests --ignore tests/test_docs_gate.py --ignore tests/test_examples.py)
	@$(if $(PAGES),:,$(PY) -m pytest -q -m docs tests/test_examples.py)

docs-pictures: $(READY)
	@for file in docs/pictures/*.py; do echo "==> $$file"; $(PY) "$$file" || exit 1; done

test-pants: $(READY)
	@scripts/test_pants.sh

check: $(READY)
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(PY) scripts/typecheck.py
	@$(PY) scripts/typecheck_users.py

bench: $(READY)
	@failed=0; for file in benchmarks/bench_$(or $(BENCH),*).py; do \
		echo "==> $$file"; BENCH_JSON="$(BENCH_JSON)" $(PY) "$$file" || failed=1; done; exit $$failed

bench-compare: $(READY)
	@$(PY) benchmarks/compare.py "$(OLD)" "$(NEW)"

clean:
	rm -rf $(VENV) .cache dist
