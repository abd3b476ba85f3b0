# make help says what there is.
SHELL := /bin/sh
VENV := .venv/bin
UV := .uv/bin/uv
SOURCES := clinic config patients programs tests scripts manage.py
WORKERS ?= 2
CASES ?= 20000
STRINGS ?= 10000

# Else each of the many processes that a run starts would compile all our modules anew.
unexport PYTHONDONTWRITEBYTECODE

# Settings as in production, for the checks that judge them. Nothing connects to these addresses.
PRODUCTION := DATABASE_URL=postgres://app:x@db.invalid/clinic REDIS_URL=redis://valkey.invalid:6379 \
	DATABASE_OWNER_URL=postgres://owner:x@db.invalid/clinic SITE_URL=https://clinic.example \
	SECRET_KEY=only-for-the-checks-of-make-lint-Zq8vN3xW7tY2mK5rL9pD4sF6 \
	ENCRYPTION_KEYS=b25seS1mb3ItdGhlLWNoZWNrcy1vZi1tYWtlLWxpbnQ= ALLOWED_HOSTS=clinic.example \
	SMTP_HOST=smtp.invalid DEFAULT_FROM_EMAIL=clinic@clinic.example DEMO=0 DEBUG=0

.PHONY: help setup demo test fuzz hostile lint lock check-diary

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: .venv/.complete  ## only build .venv (from the hash-pinned requirements)

.venv/.complete: requirements.txt requirements-dev.txt scripts/setup.sh
	@sh scripts/setup.sh

demo: .venv/.complete  ## run everything on bundled servers with a demo clinic; Ctrl-C stops it
	@exec $(VENV)/python manage.py up --demo

test: .venv/.complete  ## every test, on throw-away servers
	@$(VENV)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

fuzz: .venv/.complete  ## CASES=20000 made from the API document, as each role: no server error, no broken promise
	@FUZZ_CASES=$(CASES) $(VENV)/python -m pytest -s tests/programs/api/test_fuzz.py

hostile: .venv/.complete  ## STRINGS=10000 hostile strings through API, admin, e-mail and CSV: all come out as text
	@HOSTILE_STRINGS=$(STRINGS) $(VENV)/python -m pytest tests/programs/test_hostile_strings.py

lint: .venv/.complete  ## style, types, layers, migrations, deployment settings, API document
	@echo "ruff" && $(VENV)/python -m ruff check . && $(VENV)/python -m ruff format --check .
	@echo "mypy" && $(PRODUCTION) $(VENV)/python -m mypy
	@echo "import-linter" && $(VENV)/lint-imports
	@echo "migrations" && $(PRODUCTION) $(VENV)/python -W ignore manage.py makemigrations --check --dry-run
	@echo "check --deploy" && $(PRODUCTION) $(VENV)/python manage.py check --deploy --fail-level WARNING
	@echo "OpenAPI" && $(PRODUCTION) $(VENV)/python manage.py spectacular --validate --fail-on-warn --file /dev/null

lock: .venv/.complete  ## pin the newest versions that requirements*.in allow, with hashes
	@sh scripts/setup.sh uv
	@for name in requirements requirements-dev requirements-uv; do \
		UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) pip compile --quiet --universal --generate-hashes --python-version 3.13 --upgrade \
			$$name.in --output-file $$name.txt; done

check-diary: .venv/.complete  ## FILE=diary.csv: import it, review it, and compare with an independent count
	@test -n "$(FILE)" || { echo "make check-diary FILE=path/to/diary.csv"; exit 1; }
	@$(VENV)/python scripts/check_diary.py "$(FILE)"
