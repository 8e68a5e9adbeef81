# make demo | make test | make check | make bench: each makes its own virtual environment first.
PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
READY := $(VENV)/.ready

.PHONY: demo test check bench schema lab-tcp lab-usb clean
.DELETE_ON_ERROR:

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(READY)

# The demo finds risky apps on its virtual phone, so it ends with 3, as an audit would: here that is success.
demo: $(READY)
	@$(BIN)/privaudit demo; code=$$?; test $$code -eq 3

test: $(READY)
	$(BIN)/python -m pytest --numprocesses auto $(ARGS)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Writes benchmarks/RESULTS.md; installs MVT, which we measure against, into an environment of its own.
bench: $(READY)
	$(BIN)/python benchmarks/bench.py $(ARGS)

schema: $(READY)
	$(BIN)/privaudit schema > privaudit/report/schemas/privaudit-report-1.json

# A phone's own daemon, over loopback and over a virtual USB bus; see tests/lab/README.md. Both need root.
lab-tcp: $(READY)
	tests/lab/build.sh tcp
	$(BIN)/python -m pytest tests/lab $(ARGS)

lab-usb:
	tests/lab/build.sh usb
	tests/lab/usb/run.sh tests/lab/usb/job

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
