# make digits   train the example on real handwritten digits
# make test     run every test
# make check    lint and types
# make bench    speed of every package beside its limits; of one by make bench BENCH=registry
VENV   := .venv
PY     := $(VENV)/bin/python
PYTHON ?= python3
READY  := $(VENV)/.ready
EXTRAS := packages/fileio[s3,lmdb,memcached,test] packages/vis[tensorboard] packages/evaluator[torchmetrics]
PLAIN  := $(filter-out packages/fileio packages/vis packages/evaluator,$(patsubst %/pyproject.toml,%,$(wildcard packages/*/pyproject.toml)))

.PHONY: setup digits test check bench clean

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

test: $(READY)
	@$(PY) -m pytest -n auto --dist loadfile

check: $(READY)
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(PY) scripts/typecheck.py

bench: $(READY)
	@failed=0; for file in benchmarks/bench_$(or $(BENCH),*).py; do \
		echo "==> $$file"; $(PY) "$$file" || failed=1; done; exit $$failed

clean:
	rm -rf $(VENV) .cache dist
