# Each target sets up what it needs; a second call finds it there. `make help` lists them.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt
JOBS ?= 2
FAMILIES := auto llava qwen2_audio qwen2_vl
TOOLS := bench toy
PROJECTS := constraints.txt pyproject.toml $(FAMILIES:%=plugins/%/pyproject.toml)

.DEFAULT_GOAL := help
.PHONY: help demo test test-lowest test-inspect fuzz drill study families lint format reference docs release

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | while IFS="$$(printf '\t')" read -r name what; do \
		printf 'make %-11s %s\n' "$$name" "$$what"; done

demo: .venv/.stamp-use ## Optimise and verify the demo examples with a bundled model; LANG=zh: in Chinese
	OMP_NUM_THREADS=1 $(BIN)/sea optimize $(if $(filter zh,$(LANG)),--plugin llava --lang zh,--plugin qwen2_audio)

test: .venv/.stamp-dev ## Run all tests, offline
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(BIN)/pytest -n $(JOBS) --dist loadgroup

# sea-auto and sea-qwen2-vl need a newer transformers, and so do the tests that use them.
test-lowest: .venv-lowest/.stamp ## Run the tests of data, runs, alignment and two families with the oldest versions allowed
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 .venv-lowest/bin/pytest -n $(JOBS) --dist loadgroup -W ignore::DeprecationWarning \
		tests/data/test_read.py tests/data/test_read_errors.py tests/data/test_read_any_content.py tests/runs \
		tests/alignment/test_align.py tests/alignment/test_train.py \
		plugins/llava/tests plugins/qwen2_audio/tests

# Inspect needs older versions of two libraries than constraints.txt has.
test-inspect: .venv-inspect/.stamp ## Run the tests of Inspect's scorers, in an environment of their own
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 .venv-inspect/bin/pytest plugins/bench/tests/inspect

fuzz: .venv/.stamp-dev ## Open 10,000 damaged files of each kind
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 SEA_FUZZ=10000 $(BIN)/pytest -n $(JOBS) --dist load tests/fuzz

drill: .venv/.stamp-dev ## Stop every command at random points, 312 in all, and re-run it
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m drills

# MALLOC_*: glibc keeps freed memory for the next tensor. The kernel would clear it again each time.
study: export MALLOC_MMAP_THRESHOLD_ = 4000000000
study: export MALLOC_TRIM_THRESHOLD_ = 8000000000
study: .venv/.stamp-dev ## Run the study on the bundled models (80 minutes on 2 cores); QUICK=1: one model, minutes; TEST=1: the end
	OMP_NUM_THREADS=1 $(BIN)/sea toy study --out studies/toy
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(BIN)/sea study run studies/toy/study.yaml --jobs $(JOBS) $(if $(QUICK),--quick,$(if $(TEST),--test))

families: .venv/.stamp-dev ## Go over all multimodal classes of transformers, on tiny models
	PYTHONPATH=tests $(BIN)/python -m families

lint: .venv/.stamp-dev ## Check style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

format: .venv/.stamp-dev ## Put imports and layout in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

reference: .venv/.stamp-dev ## Write docs/reference from the commands and their settings
	$(BIN)/python -m sea_core.cli.reference docs/reference

docs: .venv/.stamp-dev ## Build the site of the documents in build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

release: .venv/.stamp-dev ## Build and check all distributions in dist/; nothing is uploaded
	$(PIP) -e '.[release]'
	rm -rf dist
	for project in . $(FAMILIES:%=plugins/%) $(TOOLS:%=plugins/%); do \
		$(BIN)/python -m build --quiet --no-isolation --outdir dist $$project || exit 1; done
	$(BIN)/twine check --strict dist/*
	@echo "To publish: $(BIN)/twine upload dist/*   (after the checklist in CONTRIBUTING.md)"

.venv/.stamp-torch: constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or type make PYTHON=/path/to/python3"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is older than Python 3.11: install that, or type make PYTHON=/path/to/python3.11"; exit 2; }
	$(PYTHON) -m venv .venv
	@echo "Installing torch, then the other libraries: a few minutes without output"
	$(PIP) torch
	@touch $@

.venv/.stamp-use: .venv/.stamp-torch $(PROJECTS)
	$(PIP) -e . $(FAMILIES:%=-e plugins/%)
	@touch $@

.venv/.stamp-dev: .venv/.stamp-use $(TOOLS:%=plugins/%/pyproject.toml)
	$(PIP) -e '.[dev]' $(TOOLS:%=-e plugins/%)
	@touch $@

.venv-inspect/.stamp: $(PROJECTS) plugins/bench/pyproject.toml
	$(PYTHON) -m venv .venv-inspect
	.venv-inspect/bin/pip --disable-pip-version-check install --quiet -e . -e 'plugins/bench[inspect]' pytest hypothesis
	@touch $@

.venv-lowest/.stamp: constraints-lowest.txt $(PROJECTS)
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/pip --disable-pip-version-check install --quiet -c constraints-lowest.txt \
		-e . -e plugins/llava -e plugins/qwen2_audio pytest pytest-xdist hypothesis scipy
	@touch $@
