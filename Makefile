# make demo    install into .venv, segment the bundled samples, show them in napari
# make test    install the test extra into .venv, run lint, types, contracts and all tests
# make test-slow  the tests that take longer
# make docs    the documentation as a site in build/site; any broken link is an error
# make docs-pictures  every picture of the documentation anew, from the real program on synthetic images
# make dist    wheel and source distribution in dist/, checked
# make dist-check  wheel and source distribution in clean environments: oldest and newest napari, PyQt6 and PySide6
# make bench   guards of speed: prints ratios, fails beyond generous bounds
# make gpu-check  what a graphics card makes of it, in minutes; docs/gpu.md
# make fuzz    reads 20,000 damaged files and counts what becomes of them
# make mutants  changes the code and asks the tests whether they notice
# make teach   teach the networks anew, on synthetic images alone (hours on two cores, minutes on a card)

PYTHON ?= python3
# The exact release that the tests run with; the package itself takes a range.
TORCH ?= torch==2.13.0
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
XVFB := xvfb-run --auto-servernum --server-args="-screen 0 1366x768x24"

.PHONY: demo test test-slow docs docs-pictures dist dist-check bench fuzz gpu-check mutants lint teach clean

$(VENV)/.made:
	bash scripts/system-packages.sh
	$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"Python 3.11 or later is needed; this is {v[0]}.{v[1]}. Try: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) "$(TORCH)"
	touch $@

$(VENV)/.demo: $(VENV)/.made pyproject.toml
	$(PIP) --editable ".[demo]"
	touch $@

$(VENV)/.test: $(VENV)/.made pyproject.toml
	$(PIP) --editable ".[test]"
	touch $@

demo: $(VENV)/.demo
	$(BIN)/python examples/demo.py

lint: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/npe2 validate napari_s3net/napari.yaml

test: lint
	$(XVFB) $(BIN)/python -m pytest -m "not slow" --numprocesses logical --maxprocesses 4 --dist loadfile

test-slow: $(VENV)/.test
	$(XVFB) $(BIN)/python -m pytest -m slow

$(VENV)/.docs: $(VENV)/.made pyproject.toml
	$(PIP) --editable ".[docs]"
	touch $@

docs: $(VENV)/.docs
	$(BIN)/mkdocs build --strict

docs-pictures: $(VENV)/.demo
	$(XVFB) $(BIN)/python scripts/docs_pictures.py
	$(XVFB) $(BIN)/python scripts/ten_clicks.py

dist: $(VENV)/.made
	$(PIP) build twine
	rm -rf dist build/lib build/bdist.*
	$(BIN)/python -m build
	$(BIN)/twine check --strict dist/*

dist-check: $(VENV)/.made
	$(PIP) build
	$(BIN)/python scripts/check_release.py

bench: $(VENV)/.test
	$(BIN)/python scripts/bench.py

fuzz: $(VENV)/.test
	$(BIN)/python scripts/fuzz_reading.py

gpu-check:
	$(PYTHON) scripts/gpu_check.py --output docs/gpu.json --page docs/gpu.md

mutants: $(VENV)/.test
	$(PIP) "mutmut>=3.3"
	$(BIN)/mutmut run
	$(BIN)/mutmut results

teach: $(VENV)/.demo
	for kind in skin chest; do $(BIN)/napari-s3net teach $$kind -o build/weights/$$kind.safetensors || exit 1; done

clean:
	rm -rf $(VENV) demo-output build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
