# Every target sets up the virtual environment it needs by itself, and nothing outside this folder.
# System packages are never installed from here: a missing one is one sentence with the apt line.

PYTHON ?= python3
SEEDS  ?= 120
VENV   := .venv
READY  := $(VENV)/.installed
PY     := $(VENV)/bin/python
# Tests wait more than they work: one worker more than there are processors.
WORKERS := $(shell echo $$(( $$(nproc) + 1 )))

# Archives of one commit are the same octets everywhere.
export SOURCE_DATE_EPOCH := $(shell git log -1 --format=%ct 2>/dev/null || stat -c %Y pyproject.toml)

.PHONY: help run test service lint look bench against days long peers dist deb settings manual lock clean
.DEFAULT_GOAL := help

help:
	@echo "make run      a small internet on loopback: watch a blocked primary being covered"
	@echo "make test     the fast suite, under five minutes, no network"
	@echo "make service  the service's processes: killed at any call, crowded, reloaded, on a failing disk; the demo"
	@echo "make lint     ruff, mypy --strict, the floors"
	@echo "make days     simulated days: certain ones, SEEDS=120 at random, and a new server's first month"
	@echo "make look     the pages and mails in Chromium: accessible, on a phone and on a desk, light and dark"
	@echo "make against  against real Postfix, Exim, OpenSMTPD, Unbound, Knot and web servers"
	@echo "make bench    accept and relay against Postfix, an issue against the machine itself"
	@echo "make dist     a wheel and the source in dist/"
	@echo "make deb      a Debian package in dist/, for Debian 12"
	@echo "make settings the tables of docs/settings.md, from the descriptions of the keys"
	@echo "make manual   the manual as pages in build/manual"
	@echo "make long     the full forms of everything"
	@echo "make peers    fetch Debian's servers into .peers/, unpacked, not installed"

run: $(READY)
	@$(VENV)/bin/secondpost demo

IN_PARALLEL := --numprocesses $(WORKERS) --maxprocesses 4 --dist worksteal

OF_THE_SERVICE := tests/service tests/demo tests/crash tests/processes/test_moving.py

test: $(READY) have-postgres have-zstd
	@$(PY) -m pytest $(IN_PARALLEL) $(addprefix --ignore , tests/against tests/look tests/days $(OF_THE_SERVICE))

service: $(READY) have-strace have-ip
	@$(PY) -m pytest $(OF_THE_SERVICE) $(IN_PARALLEL)

lint: $(READY)
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-logo

look: $(READY) have-chromium
	@$(PY) -m pytest tests/look

days: $(READY)
	@$(PY) -m pytest $(IN_PARALLEL) tests/days
	@$(PY) -m simulation.days --seeds $(SEEDS)
	@$(PY) -m tests.days.month

bench: $(READY) have-peers
	@$(PY) -m bench

against: $(READY) have-peers have-swaks have-package
	@$(PY) -m pytest --numprocesses 2 --dist loadfile tests/against

long: $(READY) have-peers have-strace have-ip have-swaks have-chromium have-postgres have-zstd
	@$(MAKE) --no-print-directory lint test service look
	@PROMISES=10000 WEEKS=500 MINIMUM=2000 $(PY) -m pytest $(addprefix tests/newsletter/test_, promises.py weeks_at_random.py minimum.py)
	@$(PY) -m tests.crash.kill_loop --seconds 1800
	@$(PY) -m tests.crash.reader_states
	@$(PY) -m tests.crash.fanout_kill --readers 20000
	@$(MAKE) --no-print-directory days SEEDS=1000
	@$(PY) -m simulation.days --planted all --seeds 50
	@$(MAKE) --no-print-directory deb against
	@$(MAKE) --no-print-directory bench

# Debian's packages conflict with each other, so each is unpacked into a root of its own.
# One is a whole Debian with systemd, in which the units run.
peers: $(READY) have-debootstrap
	@$(PY) -m bench.peers unpack

dist: $(READY)
	@rm -rf dist/*.whl dist/*.tar.gz
	@$(PY) -m hatchling build --directory dist 2>&1 | grep ^dist/

deb: dist have-debhelper
	@$(PY) -m release.debian_package

settings: $(READY)
	@$(PY) -m release.settings_page

manual: $(READY)
	@$(PY) -m release.manual build/manual

# New versions: hashes as the public index lists them, for every platform, and no index address.
lock:
	@$(PYTHON) -m venv build/lock
	@build/lock/bin/pip install --quiet uv==0.13.9
	@build/lock/bin/uv pip compile pyproject.toml --group dev --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --upgrade \
	  --custom-compile-command "make lock" --quiet --output-file requirements.lock
	@build/lock/bin/uv pip compile pyproject.toml --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --constraint requirements.lock \
	  --custom-compile-command "make lock" --quiet --output-file requirements.install.lock

clean:
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "Python 3.11 or newer is missing: apt-get install python3 (or make PYTHON=/path/to/python3.11)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "Python's venv module is missing: apt-get install python3-venv"; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@# Twice quiet: the source builds warn of what will change in later versions of pip.
	@$(PY) -m pip install --quiet --quiet --disable-pip-version-check --require-hashes --no-deps \
	  --only-binary :all: --no-binary dkimpy,authres \
	  -r requirements.lock
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@$(PY) -m compileall -q src simulation
	@touch $@

.PHONY: have-strace have-ip have-swaks have-chromium have-postgres have-zstd have-debootstrap have-debhelper have-package have-peers
have-strace:
	@command -v strace >/dev/null || { echo "strace is missing: apt-get install strace"; exit 1; }
have-ip:
	@command -v ip >/dev/null || { echo "ip is missing: apt-get install iproute2"; exit 1; }
have-swaks:
	@command -v swaks >/dev/null || { echo "swaks is missing: apt-get install swaks"; exit 1; }
have-zstd:
	@command -v zstd >/dev/null || { echo "zstd is missing: apt-get install zstd"; exit 1; }
have-postgres:
	@test -x /usr/lib/postgresql/15/bin/initdb || { echo "PostgreSQL is missing: apt-get install postgresql-15"; exit 1; }

have-chromium:
	@command -v chromium >/dev/null || { echo "chromium is missing: apt-get install chromium"; exit 1; }
have-debootstrap:
	@command -v debootstrap >/dev/null || { echo "debootstrap is missing: apt-get install debootstrap"; exit 1; }
have-debhelper:
	@command -v dh >/dev/null && /usr/bin/python3 -c 'import ensurepip, venv' \
	  || { echo "Debian's tools are missing: apt-get install build-essential debhelper fakeroot python3 python3-venv"; exit 1; }
have-package:
	@ls dist/secondpost_*.deb >/dev/null 2>&1 || { echo "the package is missing: make deb"; exit 1; }
have-peers: $(READY)
	@$(PY) -m bench.peers check
