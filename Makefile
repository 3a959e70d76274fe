# Two commands do everything on a fresh machine with Python >= 3.11: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install -qq --constraint constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

.PHONY: demo test lint types layers audit docs translations goldens tests golden constraints \
	bench-accuracy bench-account bench-speed clean

demo: $(VENV)/.base
	@KILOWHAT=$(BIN)/kilowhat sh tools/demo.sh

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or later is needed: make PYTHON=python3.12 …" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.base: $(VENV)/.created pyproject.toml constraints.txt
	$(PIP) --editable '.[account]'
	@touch $@

$(VENV)/.test: $(VENV)/.base requirements/test.txt
	$(PIP) --requirement requirements/test.txt
	@touch $@

$(VENV)/.bench: $(VENV)/.test requirements/bench.txt
	$(PIP) --requirement requirements/bench.txt
	@touch $@

test: lint types layers audit docs translations goldens tests

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

goldens: $(VENV)/.test
	$(BIN)/python tools/golden.py --check

tests: $(VENV)/.test
	$(BIN)/pytest

# Rewrites what a change of data or code moves; the diff is the review.
golden: $(VENV)/.test
	$(BIN)/python tools/golden.py --write
	$(BIN)/python tools/outputs.py --write

# Renews constraints.txt from a fresh environment.
constraints:
	rm -rf $(VENV)-lock
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip install -qq --requirement requirements/test.txt \
		--requirement requirements/bench.txt --requirement requirements/release.txt \
		--editable '.[account,spark]'
	head -n 2 constraints.txt > $(VENV)-lock/constraints.txt
	$(VENV)-lock/bin/pip freeze --exclude-editable >> $(VENV)-lock/constraints.txt
	mv $(VENV)-lock/constraints.txt constraints.txt
	rm -rf $(VENV)-lock

bench-accuracy: $(VENV)/.bench
	$(BIN)/python -m bench.accuracy

bench-account: $(VENV)/.bench
	$(BIN)/python -m bench.account

bench-speed: $(VENV)/.bench
	$(BIN)/python -m bench.speed

clean:
	rm -rf $(VENV) $(VENV)-lock .mypy_cache .ruff_cache .pytest_cache .hypothesis
