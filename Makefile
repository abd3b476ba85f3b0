# make help says what there is.
SHELL := /bin/sh
VENV := .venv/bin
UV := .uv/bin/uv
SOURCES := clinic config patients programs tests benchmarks scripts manage.py
# The slowest tests wait for real processes most of the time: more workers than cores use them meanwhile.
WORKERS ?= 4
CASES ?= 20000
STRINGS ?= 10000

# Else each of the many processes that a run starts would compile all our modules anew.
unexport PYTHONDONTWRITEBYTECODE

# Settings as in production, for the checks that judge them. Nothing connects to these addresses.
PRODUCTION := DATABASE_URL=postgres://app:nobody-connects@db.invalid/clinic REDIS_URL=redis://valkey.invalid:6379 \
	DATABASE_OWNER_URL=postgres://owner:nobody-connects@db.invalid/clinic SITE_URL=https://clinic.example \
	SECRET_KEY=only-for-the-checks-of-make-lint-Zq8vN3xW7tY2mK5rL9pD4sF6 \
	ENCRYPTION_KEYS=b25seS1mb3ItdGhlLWNoZWNrcy1vZi1tYWtlLWxpbnQ= ALLOWED_HOSTS=clinic.example \
	SMTP_HOST=smtp.invalid DEFAULT_FROM_EMAIL=clinic@clinic.example DEMO=0 DEBUG=0

.PHONY: help setup demo test access fuzz hostile lint lock check-diary chaos races pooled disk-full restore-drill sbom \
	audit-deps asvs mutate-guards bench-caseload

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

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

access: .venv/.complete  ## the whole access matrix: every address, role, object and method
	@ACCESS_FULL=1 $(VENV)/python -m pytest tests/access -q

lint: .venv/.complete  ## style, types, layers, migrations, deployment settings, API document
	@echo "ruff" && $(VENV)/python -m ruff check . && $(VENV)/python -m ruff format --check .
	@echo "mypy" && $(PRODUCTION) $(VENV)/python -m mypy
	@echo "import-linter" && $(VENV)/lint-imports
	@echo "migrations" && $(PRODUCTION) $(VENV)/python -W ignore manage.py makemigrations --check --dry-run
	@$(VENV)/python scripts/lint_migrations.py
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

chaos: .venv/.complete  ## SEED= KILLS= CHECK_INS= MAILS=: kill the real processes at random, and count what is lost
	@$(VENV)/python -m tests.faults.chaos

races: .venv/.complete  ## ROUNDS=200: 50 times the same answer, 20 times the same login code, at once
	@$(VENV)/python -m tests.faults.races

pooled: .venv/.complete  ## REQUESTS=10000: two clinics in turn over 4 connections of PgBouncer
	@$(VENV)/python -m tests.faults.pooled

disk-full: .venv/.complete  ## the disk under everything gets full, and is freed: what was stored, what came back
	@$(VENV)/python -m tests.faults.disk_full

restore-drill: .venv/.complete  ## dump, erase, restore into a fresh database, erase again, compare every table
	@$(VENV)/python -m tests.faults.restore

sbom: .venv/.complete  ## dist/sbom.json: what the service is made of (CycloneDX), the same for the same pins
	@mkdir -p dist
	@PYTHONWARNINGS=ignore $(VENV)/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --output-reproducible --spec-version 1.6 --output-file dist/sbom.json
	@echo "dist/sbom.json"

audit-deps: .venv/.complete  ## look up the pinned packages; offline: ADVISORIES=a checkout of pypa/advisory-database
	@$(VENV)/python scripts/audit_dependencies.py $(if $(ADVISORIES),--advisories "$(ADVISORIES)")

asvs: .venv/.complete  ## render docs/asvs.csv (OWASP ASVS 5.0) and print its counts
	@$(VENV)/python scripts/asvs.py

bench-caseload: .venv/.complete  ## PATIENTS=5000 WEEKS=12 ROUNDS=40: the first page's server time against a bare view
	@$(VENV)/python -m benchmarks.caseload

mutate-guards: .venv/.complete  ## take away each constraint, policy, lease, scope call and rate limit; ONLY=regex for some
	@$(VENV)/python scripts/mutate_guards.py $(if $(ONLY),--only "$(ONLY)")
