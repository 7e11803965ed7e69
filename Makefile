# Everything that is done with this repository. Each target does its own set-up.
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python
SOURCES := events/src shared/src localstack/src $(wildcard services/*/src)
PACKAGES := events shared localstack $(wildcard services/*)

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all check format lint types generated generate infra-check bench lock clean

help: ## say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: .venv/ready ## make .venv, with the command in .venv/bin/goalrunner

.venv/ready: requirements/dev.txt requirements/emulator.txt requirements/bootstrap.txt requirements/setup.sh $(wildcard */pyproject.toml services/*/pyproject.toml)
	@PYTHON="$(PYTHON)" requirements/setup.sh

demo: setup ## a goals repository from the sample, one slot, everything in sight (KEEP=DIR leaves it there)
	@$(BIN)/goalrunner demo $(if $(KEEP),--keep "$(KEEP)")

test: setup ## every test that needs nothing but the set-up
	$(RUN) -m pytest -n 2 --dist loadgroup -m "not slow and not terraform"

test-all: setup infra-check ## the slow suites, and those that need more
	$(RUN) -m pytest -n 2 --dist loadgroup -m slow

check: setup format lint types generated test ## the gate

format: setup
	$(BIN)/ruff format --check .

lint: setup
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy $(SOURCES)

generated: setup
	$(RUN) -m goalrunner_events.schemas --check
	$(RUN) -m goalrunner_events.docs --check

generate: setup ## write the generated files anew
	$(RUN) -m goalrunner_events.schemas
	$(RUN) -m goalrunner_events.docs
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

infra-check: setup ## Terraform's fold of the manifests equals Python's
	$(RUN) -m pytest tests/infra -m terraform

bench: setup ## cold starts, the pipeline, scanning and committing, as ratios
	$(RUN) -m tests.bench

lock: setup ## resolve every dependency anew
	UV=$(BIN)/uv requirements/lock.sh --upgrade

clean: ## remove what set-up and tests have made
	rm -rf .venv .venv-emulator build .pytest_cache .mypy_cache .ruff_cache .hypothesis
