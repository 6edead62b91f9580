SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
PYTEST_ARGS ?= -n 2 --dist loadgroup

RUNTIME_FILES := requirements.txt constraints.txt
DEV_FILES := $(RUNTIME_FILES) requirements-dev.txt

.PHONY: help run venv venv-dev browser check test bench requirements

help: ## Show what there is to type
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: venv ## Start Bellhop on http://127.0.0.1:8000 with everything it needs (PORT=… for another port)
	@exec $(BIN)/python manage.py up --port $(PORT)

venv: ## Create the virtual environment with the pinned runtime requirements
	@tools/install.sh $(PYTHON) $(VENV) runtime $(RUNTIME_FILES)

venv-dev: venv ## The same with what tests and tools need
	@tools/install.sh $(PYTHON) $(VENV) dev $(DEV_FILES)

browser: ## Install what the browser tests need (Chromium, Firefox, D-Bus, libnotify) where it is missing
	@tools/browser.sh

check: export BELLHOP_MODE = test
check: venv-dev ## The fast static part: ruff, mypy, import-linter, missing migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -W ignore manage.py makemigrations --check --dry-run

test: check browser ## Everything in check, then the whole test suite against real PostgreSQL and Redis
	$(BIN)/pytest $(PYTEST_ARGS)

bench: venv-dev ## Measure how fast it is; prints a table and writes bench/results/latest.json
	$(BIN)/python -m bench

requirements: venv-dev ## Write the covering tests into docs/requirements
	$(BIN)/python -m tests.requirements
