# Two commands set everything up on a fresh machine (Python >= 3.11, make, pip): make demo, make test.
PYTHON ?= python3
SEED ?= 1
BIN := .venv/bin
export HF_HUB_DISABLE_TELEMETRY := 1
export TOKENIZERS_PARALLELISM := false
export TRANSFORMERS_VERBOSITY := error
# Waiting threads must not burn the cores that other processes need.
export OMP_WAIT_POLICY := passive

.PHONY: setup demo test soak lint clean

setup: .venv/.ready

# Whatever was installed with other versions is brought to those of constraints.txt.
.venv/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: setup
	$(BIN)/python scripts/reproduce.py experiment=demo run_dir=runs/demo seed=$(SEED)

test: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile

soak: setup
	$(BIN)/python -m pytest -m soak --timeout 3600

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf .venv runs build *.egg-info .pytest_cache .ruff_cache .mypy_cache
