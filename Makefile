# `make report` on a fresh machine: makes the environment if it is missing or out of date, checks
# what the machine lacks, runs the workflow, says where the report is. `make help` lists the rest.

# default, smoke or paper: the last two are the overlays config/smoke.yaml and config/paper.yaml.
SCALE ?= default
OVERLAY = $(if $(filter-out default,$(SCALE)),--configfile config/$(SCALE).yaml)
REPORT = $$PWD/results/$(SCALE)/why_spiking.html
# FROM=reference: no training, no report; networks of the record again in Brian2, beside the record.
ifdef FROM
OVERLAY = from_$(FROM) --configfile config/full.yaml
REPORT = $$PWD/results/from_$(FROM)/beside_the_record.txt
endif
# More options for snakemake or pytest: make report ARGS="--cores 8"
ARGS ?=

export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Packages of other environments must not leak into this one.
export PYTHONPATH :=
export PYTHONNOUSERSITE := 1
# Without stored bytecode every job starts seconds later.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := report
SHELL := bash
.PHONY: record article help report smoke environment test test-all format lock audit clean

help:
	@echo "make report       the whole run and the report (SCALE=paper for the published sizes)"
	@echo "make report FROM=reference   networks of the record again in Brian2, beside its numbers"
	@echo "make smoke        the same in a few minutes: checks the plumbing, gives no verdict"
	@echo "make environment  only make .venv"
	@echo "make test         the fast tests; make test-all: all of them"
	@echo "make style        formatting, lint, types, spelling; make format: repair formatting"
	@echo "make audit        known vulnerabilities of the packages, as far as the index tells"
	@echo "make lock         recompile requirements.txt, .ci/audit.txt (UPGRADE=--upgrade: newest versions)"
	@echo "make record       the whole of results/reference anew, from one run of the present commit"
	@echo "make article      the article from the tables of results/reference; needs pandoc, for PDF TeX"
	@echo "make clean        remove .venv and caches; results and data stay"
	@echo 'ARGS="..." is handed to snakemake or pytest'

smoke: override SCALE := smoke
report smoke: environment
	@python -m whyspiking.running.preflight
	@snakemake $(ARGS) $(OVERLAY)
	@if [ -n "$(FROM)" ]; then cat "$(REPORT)"; \
	elif [ -f "$(REPORT)" ]; then echo "report: $(REPORT)"; fi

# The environment is complete if its stamp, which is written last, has the checksum of this folder's
# name and of what the environment is made from. Snakemake finds a plugin only if the plugin is
# installed in a folder of its own.
environment:
	@made_from=$$({ pwd -P; cat requirements.txt pyproject.toml; } | cksum); \
	if [ -x .venv/bin/python ] && [ "$$made_from" = "$$(cat .venv/stamp 2>&1)" ]; then exit; fi; \
	echo "making the environment .venv ..."; \
	.ci/environment .venv requirements.txt --no-build-isolation \
	  --editable . --editable ./packages/snakemake-logger-plugin-whyspiking && \
	echo "$$made_from" >.venv/stamp && echo "the environment is ready ($$SECONDS s)"

# A file goes to one worker, so that what its tests share, a finished run say, is made once.
test: environment
	@python -m pytest -m "not slow" -n 2 --dist loadfile $(ARGS)

test-all: environment
	@python -m pytest -n 2 --dist loadfile $(ARGS)

# Separate targets, so that `make --keep-going style` tells everything at once.
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
# But for the one that asks for conda or a container in each rule: config/README.md says why.
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

# In a temporary environment, so that .venv need not be there. uvx would install the tool, too, but
# without checking hashes.
audit:
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	.ci/environment "$$folder" .ci/audit.txt && \
	"$$folder/bin/pip-audit" --requirement requirements.txt --disable-pip --require-hashes \
	  --progress-spinner off

# All of results/reference from nothing: run scale full (stopped, it goes on), and smoke for what its
# jobs cost; put the record in the place of the old one when it is whole. Data of the authors: ARGS
# begins with the name of a further config file.
record: environment
	@python -m whyspiking.running.preflight
	@python -m whyspiking.recording begin
	@snakemake --configfile config/full.yaml $(ARGS)
	@snakemake --configfile config/smoke.yaml
	@python -m whyspiking.recording record
	@python -m whyspiking.recording readme

# The article and codecheck.yml from the tables of the record, in seconds.
article: environment
	@python -m whyspiking_article

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis
