# make demo | make test | make check | make bench: each makes its own virtual environment first.
PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
READY := $(VENV)/.ready

.PHONY: demo test check bench untranslated schema oldest fuzz portable windows bare browser test-browser lock release lab-tcp lab-usb lab-browser clean
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
	$(BIN)/mypy --platform win32
	$(BIN)/lint-imports

# Lists the sentences that each language lacks, by area.
untranslated: $(READY)
	@$(BIN)/python -m pytest tests/test_locales.py -k still_missing --quiet --capture=no

# Writes benchmarks/RESULTS.md; installs MVT, which we measure against, into an environment of its own.
bench: $(READY)
	$(BIN)/python -m benchmarks.bench $(ARGS)

schema: $(READY)
	$(BIN)/privaudit schema > privaudit/data/schemas/privaudit-report-1.json
	$(BIN)/privaudit schema --apk > privaudit/data/schemas/privaudit-apk-1.json
	$(BIN)/privaudit schema --diff > privaudit/data/schemas/privaudit-diff-1.json

# The oldest versions that pyproject.toml allows, in an environment of their own, and the tests that lean on them.
# How the schema is worded is the newer pydantic's.
oldest: .oldest/.ready
	.oldest/bin/python -m pytest --numprocesses auto -p no:cacheprovider tests/transport tests/apk/test_info.py \
	  tests/capture/test_archive.py tests/test_cli.py tests/test_schema.py \
	  --deselect tests/test_schema.py::test_printed_schema_equals_the_published_one \
	  --deselect tests/test_schema.py::test_printed_schema_of_comparisons_equals_the_published_one $(ARGS)

.oldest/.ready: pyproject.toml tools/oldest.py
	$(PYTHON) -m venv .oldest
	$(PYTHON) tools/oldest.py > .oldest/constraints.txt
	.oldest/bin/python -m pip install --quiet --disable-pip-version-check --constraint .oldest/constraints.txt \
	  --editable . hypothesis jsonschema pytest pytest-xdist
	touch $@

# Fuzzes every parser and reader for FUZZ_SECONDS each, or those that are named: make fuzz TARGETS="axml arsc". What it
# keeps and finds goes to tests/fuzz/, a record of the run to benchmarks/RESULTS.md. First it looks for damaged texts that
# clear an app in a report that calls itself whole.
FUZZ_SECONDS ?= 600
fuzz: .fuzz/.ready
	nice .fuzz/bin/python -m tests.fuzz.semantics
	nice .fuzz/bin/python -m tests.fuzz.run $(TARGETS) --seconds $(FUZZ_SECONDS)

.fuzz/.ready: pyproject.toml
	$(PYTHON) -m venv .fuzz
	.fuzz/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[fuzz]' hypothesis pytest
	touch $@

# For computers without Python: dist/privaudit-VERSION-windows.zip and -linux.tar.gz. ARGS=linux makes that one only. Each
# holds a CPython, which is fetched from its publisher; ARGS="linux --linux-python FILE" takes it from a file.
portable: $(READY)
	$(BIN)/python tools/portable/build.py $(ARGS)

# On Windows, without Windows: every command of the portable folder, then the tests, under Wine, in Chinese, without a
# network. Needs root and mmdebstrap.
windows: $(READY)
	tools/windows/run.sh $(BIN)/python smoke
	tools/windows/run.sh $(BIN)/python suite $(ARGS)

# README's commands on a new Debian 12, 13 and testing. Needs root and mmdebstrap.
bare:
	.ci/bare bookworm demo
	.ci/bare trixie demo test
	.ci/bare forky demo test

# The page that checks a phone in a browser: dist/privaudit.html, and dist/privaudit-page/ for a static host. Needs node.
browser: $(READY)
	$(BIN)/python tools/browser/build.py $(ARGS)

# The page in Chromium, whole; `make test` has one test of it.
test-browser: $(READY)
	$(BIN)/python tools/browser/build.py
	PRIVAUDIT_BROWSER=1 $(BIN)/python -m pytest tests/browser $(ARGS)

# The pins of what these hold, with their hashes, from what is newest now.
lock: $(READY)
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--upgrade pyproject.toml --output-file tools/portable/locked.txt

# Installs what a release hands out, as people do, and runs it.
release: $(READY)
	.ci/release

# A phone's own daemon, over loopback and over a virtual USB bus; see tests/lab/README.md. Both need root.
lab-tcp: $(READY)
	tests/lab/build.sh tcp
	$(BIN)/python -m pytest tests/lab $(ARGS)

# Chromium in the virtual machine, and the page in it against a phone's own daemon over a virtual USB bus.
lab-browser: browser
	tests/lab/build.sh browser
	tests/lab/browser/run.sh dist/privaudit.html $(BIN)/python tests/lab/browser/drive.py

lab-usb:
	tests/lab/build.sh usb
	tests/lab/usb/run.sh tests/lab/usb/job

clean:
	rm -rf $(VENV) .oldest .fuzz dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
