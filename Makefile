# Everything is installed into .venv in this folder, never into the system.
#   make app         install what the pages need, then serve them on http://localhost:5006
#   make test        install what the tests need, then run them
#   make lab         JupyterLab on the lessons
#   make bench       the figures of the README, beside their peers, in one run
#   make check-slow  physics checks that take minutes
#   make bundle      make the bundled jets and the bundled tagger again
#   make display     make the bundled event display again (needs npm)
# Options: PORT=5007, PYTHON=python3.12, PIP_ARGS="--index-url …" (for example to get a CPU build of torch).

PYTHON ?= python3
PORT ?= 5006
PIP_ARGS ?=
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check install $(PIP_ARGS) -c constraints.txt
LOCK := pyproject.toml constraints.txt

.PHONY: app test lab bench check-slow bundle display lint clean

app: $(VENV)/.app
	@case "$(PORT)" in *[!0-9]*|"") echo "PORT=$(PORT) is no port number; say for example  make app PORT=5007"; exit 1;; esac
	@$(PY) -c "import socket, sys; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); \
	sys.exit(f'Port $(PORT) is busy: stop what runs there, or choose another one with  make app PORT=' + str($(PORT) + 1)) if s.connect_ex(('127.0.0.1', $(PORT))) == 0 else None"
	@echo "Serving on http://localhost:$(PORT) (stop with Ctrl-C)"
	@WORKBENCH_UPLOAD=$${WORKBENCH_UPLOAD-100} $(PY) -m panel serve apps/*.py --address 127.0.0.1 --port $(PORT) --allow-websocket-origin localhost:$(PORT) --allow-websocket-origin 127.0.0.1:$(PORT) --index index --unused-session-lifetime 600000 --log-level warning

test: $(VENV)/.test lint
	$(PY) -m pytest -m "not slow"

lint: $(VENV)/.test
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

check-slow: $(VENV)/.test
	$(PY) -m pytest -m slow

lab: $(VENV)/.app
	$(PY) -m jupyterlab notebooks --ServerApp.ip=127.0.0.1

bench: $(VENV)/.bench
	$(PY) -m benchmarks.run

bundle: $(VENV)/.app
	$(PY) -m workbench.simulate.bundle
	$(PY) -m benchmarks.quality bundle

display:
	cd workbench/widgets/display && npm install --no-package-lock --no-audit --no-fund && npm run build

$(VENV)/.pip:
	@$(PYTHON) -c "import sys; sys.exit(None if sys.version_info >= (3, 11) else f'Python {sys.version.split()[0]} was found; 3.11 or newer is needed: make PYTHON=python3.11 ...')"
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 \
	|| { $(PYTHON) -m venv --without-pip --clear $(VENV) >/dev/null 2>&1 && $(PYTHON) -m pip --python $(PY) install -q pip; } \
	|| { rm -rf $(VENV); echo "This Python can make no virtual environment: install Debian's package python3-venv (apt install python3-venv) and run make again."; exit 1; }
	@touch $@

$(VENV)/.build: $(VENV)/.pip $(LOCK)
	$(PIP) -q hatchling editables
	@touch $@

$(VENV)/.app: $(VENV)/.build
	$(PIP) --no-build-isolation -e .
	@touch $@

$(VENV)/.test: $(VENV)/.build
	$(PIP) --no-build-isolation -e ".[test]"
	@touch $@ $(VENV)/.app

$(VENV)/.bench: $(VENV)/.app
	$(PIP) --no-build-isolation -e ".[bench]"
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
