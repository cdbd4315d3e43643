# `make report` creates the environment if it is missing or out of date, checks that the machine has
# all required programs, runs the workflow, and prints the path of the report. `make help` lists all
# targets.

# SCALE is default, smoke, full or paper. Every scale except default is an overlay, for example
# config/smoke.yaml.
SCALE ?= default
OVERLAY = $(if $(filter-out default,$(SCALE)),--configfile config/$(SCALE).yaml)
REPORT = $$PWD/results/$(SCALE)/why_spiking.html
# FROM=reference trains nothing and writes no report. It simulates the networks of the reference
# results again in Brian2 and compares the numbers with the reference results.
ifdef FROM
OVERLAY = from_$(FROM) --configfile config/full.yaml
REPORT = $$PWD/results/from_$(FROM)/comparison_with_reference.txt
endif
# ARGS holds further options for snakemake or pytest, for example: make report ARGS="--cores 8"
ARGS ?=

export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Packages of other environments must not leak into this one.
export PYTHONPATH :=
export PYTHONNOUSERSITE := 1
# If Python did not store bytecode, every job would start seconds later.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := report
SHELL := bash
.PHONY: record article help report smoke environment test test-all format lock audit clean

help:
	@echo "make report       run the workflow and write the report (SCALE=paper for published sizes)"
	@echo "make report FROM=reference   simulate the reference networks again in Brian2 and compare"
	@echo "make smoke        run the workflow on tiny networks in a few minutes: tests the code, no verdicts"
	@echo "make environment  create only the environment .venv"
	@echo "make test         run the fast tests; make test-all runs all tests"
	@echo "make style        check formatting, lint, types and spelling; make format repairs formatting"
	@echo "make audit        list the vulnerabilities of the packages that the index knows"
	@echo "make lock         compile requirements.txt and .ci/audit.txt (UPGRADE=--upgrade: newest versions)"
	@echo "make record       compute all of results/reference again in one full run of the present commit"
	@echo "make article      write the article from results/reference; needs pandoc, and TeX for the PDF"
	@echo "make clean        remove .venv and caches; results and data are kept"
	@echo 'ARGS="..." passes options to snakemake or pytest'

smoke: override SCALE := smoke
report smoke: environment
	@python -m whyspiking.running.preflight
	@snakemake $(ARGS) $(OVERLAY)
	@if [ -n "$(FROM)" ]; then cat "$(REPORT)"; \
	elif [ -f "$(REPORT)" ]; then echo "report: $(REPORT)"; fi

# The file .venv/stamp is written last. The environment is complete if this file contains the checksum
# of the name of this folder, of requirements.txt and of pyproject.toml. Snakemake finds a plugin only
# if the plugin is installed from a separate folder.
environment:
	@made_from=$$({ pwd -P; cat requirements.txt pyproject.toml; } | cksum); \
	if [ -x .venv/bin/python ] && [ "$$made_from" = "$$(cat .venv/stamp 2>&1)" ]; then exit; fi; \
	echo "creating the environment .venv ..."; \
	.ci/environment .venv requirements.txt --no-build-isolation \
	  --editable . --editable ./packages/snakemake-logger-plugin-whyspiking && \
	echo "$$made_from" >.venv/stamp && echo "the environment is ready ($$SECONDS s)"

# One worker runs all tests of a file, so that a finished run that these tests share is made once.
test: environment
	@python -m pytest -m "not slow" -n 2 --dist loadfile $(ARGS)

test-all: environment
	@python -m pytest -n 2 --dist loadfile $(ARGS)

# These are separate targets, so that `make --keep-going style` reports all problems at once.
STYLE := ruff-check ruff-format imports snakefmt lint types spelling vocabulary notebooks size
.PHONY: style $(STYLE)
style: $(STYLE)
$(STYLE): environment
ruff-check:
	@ruff check --quiet .
ruff-format:
	@ruff format --check --quiet . || { echo "run: make format" >&2; exit 1; }
imports:
	@said=$$(lint-imports --no-cache 2>&1) || { echo "$$said" >&2; exit 1; }
snakefmt:
	@snakefmt --check Snakefile workflow/Snakefile workflow/rules 2>&1 | tail -n 20; exit $${PIPESTATUS[0]}
# This check leaves out the lint that requires conda or a container in each rule. config/README.md
# gives the reason.
lint:
	@python -c "from snakemake import cli; from snakemake.linting.rules import RuleLinter; \
	  del RuleLinter.lint_missing_software_definition; cli.main(['--lint'])"
types:
	@basedpyright
spelling:
	@codespell
# Private words are refused in texts: maintain/vocabulary.txt has each with the term to use.
TEXTS = ':(glob)**/*.md' ':(glob)**/*.j2' ':(glob)workflow/**/*.yaml' ':(glob)config/*.yaml' \
  ':(glob)workflow/report/*.rst' ':!CHANGELOG.md' ':!results'
vocabulary:
	@git ls-files -z $(TEXTS) | xargs -0 codespell --config maintain/vocabulary.cfg
notebooks:
	@git ls-files -z '*.ipynb' | xargs -0 -r nbstripout --verify
size:
	@python maintain/benchmarks/size.py --check

format: environment
	@ruff check --fix .
	@ruff format .
	@snakefmt Snakefile workflow/Snakefile workflow/rules

COMPILE := uv pip compile --quiet --universal --python-version 3.12 --fork-strategy fewest \
	  --generate-hashes --custom-compile-command "make lock"
lock: environment
	@$(COMPILE) $(UPGRADE) --extra dev pyproject.toml --output-file requirements.txt
	@$(COMPILE) $(UPGRADE) --group audit --output-file .ci/audit.txt

# The audit uses a temporary environment, so that .venv is not needed. uvx could also install the
# tool, but it would not check hashes.
audit:
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	.ci/environment "$$folder" .ci/audit.txt && \
	"$$folder/bin/pip-audit" --requirement requirements.txt --disable-pip --require-hashes \
	  --progress-spinner off

# This target computes all of results/reference. It runs scale full (the same command continues a
# run that was stopped) and scale smoke, whose jobs give estimates of run times. The new reference
# results replace the old ones when they are complete. To use data of the authors, begin ARGS with the
# name of an additional config file.
record: environment
	@python -m whyspiking.running.preflight
	@python -m whyspiking.recording begin
	@snakemake --configfile config/full.yaml $(ARGS)
	@snakemake --configfile config/smoke.yaml
	@python -m whyspiking.recording record
	@python -m whyspiking.recording readme

# This target writes the article and codecheck.yml from the reference results in seconds.
article: environment
	@python -m whyspiking_article

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis
