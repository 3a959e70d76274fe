# Two commands do everything on a fresh machine with Python >= 3.11: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test lint types layers tests audit docs translations golden bench-accuracy bench-speed fit clean

demo: $(VENV)/.base
	@KILOWHAT=$(BIN)/kilowhat sh tools/demo.sh

$(VENV)/.created:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.base: $(VENV)/.created pyproject.toml
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.base constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --requirement requirements/test.txt
	@touch $@

$(VENV)/.bench: $(VENV)/.test
	$(BIN)/pip install --quiet --constraint constraints.txt --requirement requirements/bench.txt
	@touch $@

test: lint types layers audit docs translations tests

lint: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.test
	$(BIN)/mypy

layers: $(VENV)/.test
	$(BIN)/lint-imports --no-cache

audit: $(VENV)/.test
	$(BIN)/kilowhat data check

docs: $(VENV)/.test
	$(BIN)/python tools/outputs.py --check

translations: $(VENV)/.test
	$(BIN)/python tools/translations.py check

tests: $(VENV)/.test
	$(BIN)/pytest

golden: $(VENV)/.test
	$(BIN)/python tools/golden.py --write
	$(BIN)/python tools/outputs.py --write

bench-accuracy: $(VENV)/.bench
	$(BIN)/python -m bench.accuracy

bench-speed: $(VENV)/.bench
	$(BIN)/python -m bench.speed

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
