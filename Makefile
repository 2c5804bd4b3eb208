# Each command sets up what it needs in .venv the first time, and installs nothing the next.
# Another Python: make PYTHON=python3.13 test

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
# -qq: pip shows errors alone.
INSTALL := $(PY) -m pip install -qq --disable-pip-version-check
SETTINGS := pyproject.toml setup.cfg
# What networks come from, apart from all else: lyapnet needs none of these.
FRAMEWORKS := torch==2.13.0 lightning keras flax jax reservoirpy
WITH := .venv-frameworks

.NOTPARALLEL:
.PHONY: help demo test plain frameworks lint docs bench clean

help:
	@echo "make demo    see what lyapnet does, in about a minute"
	@echo "make test    run the tests, the examples in the docstrings and README, the notebooks"
	@echo "make plain   run them again by NumPy alone, as without numba"
	@echo "make frameworks  hold networks against PyTorch, Keras and Flax, which takes a large download"
	@echo "make lint    check style and types"
	@echo "make docs    build the documentation into docs/_build/html"
	@echo "make bench   run the benchmarks, each in its quick form"
	@echo "make clean   remove .venv and whatever was built"

demo: $(VENV)/demo.ready
	$(VENV)/bin/lyapnet demo

# Tests run side by side, so each gets one BLAS thread.
test: export OMP_NUM_THREADS = 1
test: export MPLBACKEND = Agg
test: $(VENV)/test.ready
	$(PY) -m pytest -n auto --maxprocesses 8 --nbmake tests lyapnet $(wildcard notebooks/*.ipynb)

plain: export OMP_NUM_THREADS = 1
plain: export MPLBACKEND = Agg
plain: export LYAPNET_TEST_WITHOUT = numba llvmlite
plain: $(VENV)/test.ready
	$(PY) -m pytest -n auto --maxprocesses 8 tests lyapnet

frameworks: export OMP_NUM_THREADS = 1
frameworks: export MPLBACKEND = Agg
frameworks: export KERAS_BACKEND = torch
frameworks: $(WITH)/ready
	$(WITH)/bin/python -m pytest tests/weights/test_frameworks.py tests/weights/test_notebook_torch.py \
	  tests/weights/test_reservoirpy.py tests/with_torch tests/with_jax lyapnet/torch lyapnet/jax

lint: $(VENV)/test.ready
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy

docs: $(VENV)/docs.ready
	$(PY) -m sphinx -b html -E -W --keep-going --quiet docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

bench: $(VENV)/test.ready
	$(PY) benchmarks/run.py --quick

clean:
	rm -rf $(VENV) $(WITH) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -rf docs/_build docs/api/generated lyapnet-demo
	find lyapnet tests benchmarks docs -name __pycache__ -prune -exec rm -rf {} +

# What follows happens once; a change of the settings brings pip back.

$(VENV)/demo.ready: $(VENV)/created $(SETTINGS)
	@echo "Installing lyapnet into $(VENV) ..."
	@$(INSTALL) --only-binary gmpy2,python-flint,numba,llvmlite -e '.[precision,fast]' 2>/dev/null || { \
	  $(INSTALL) -e . && \
	  echo "gmpy2, python-flint and numba, which are optional, cannot all be had as wheels here:" \
	    "arbitrary precision and small systems are slower without them."; }
	@touch $@

$(VENV)/test.ready $(VENV)/docs.ready: $(VENV)/%.ready: $(VENV)/created $(SETTINGS)
	@echo "Installing lyapnet and what 'make $*' needs into $(VENV) ..."
	@$(INSTALL) -e '.[$*]'
	@touch $@

$(VENV)/created:
	@command -v "$(PYTHON)" >/dev/null || { \
	  echo "There is no $(PYTHON) here. Install Python 3.11 or newer, or name the one you have:" \
	    "make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "lyapnet needs Python 3.11 or newer, and $(PYTHON) is $$("$(PYTHON)" -V 2>&1)." \
	    "Install a newer one and name it: make PYTHON=python3.13 $(MAKECMDGOALS)" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) comes without its venv module, which lyapnet is installed with." \
	    "On Debian and Ubuntu: apt install python3-venv; then run make again." >&2; exit 1; }
	@"$(PYTHON)" -m venv --clear $(VENV)
	@touch $@

$(WITH)/ready: $(VENV)/created $(SETTINGS)
	@echo "Installing lyapnet and $(FRAMEWORKS) into $(WITH) ..."
	@$(PY) -m venv --clear $(WITH)
	@$(WITH)/bin/python -m pip install -qq --disable-pip-version-check -e '.[test]' $(FRAMEWORKS)
	@touch $@
