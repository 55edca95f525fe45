# Needs Python 3.10+, git and make; everything else is installed into .venv from the lock files.
PYTHON ?= python3
BIN := .venv/bin
STAMP := $(BIN)/.installed
STAMP_DEV := $(BIN)/.installed-dev
VIDEO ?=

.PHONY: help install dev demo test lint format type imports unit unit-e2e unit-media unit-rest test-slow test-sentinel bench bench-chunks bench-quality bench-latency bench-idle bench-ticks bench-cancel bench-grid bench-search bench-scenes bench-posters bench-sprites chaos corpus lock types clean

help:  ## This list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.10 or newer is needed, this is " + sys.version) if sys.version_info < (3, 10) else 0'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(STAMP_DEV): requirements-dev.lock $(STAMP)
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	@touch $@

install: $(STAMP)  ## Create .venv with what running needs
dev: $(STAMP_DEV)  ## ... and what testing needs

demo: $(STAMP)  ## Start everything, process a video (VIDEO=path for yours), show where to watch it
	@$(BIN)/video-pipeline demo $(if $(filter-out 0,$(DEMO_EXIT)),--exit) $(if $(VIDEO),"$(VIDEO)")

test: lint type imports unit  ## Everything that must pass

lint: $(STAMP_DEV)  ## Lint and format check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(STAMP_DEV)  ## Put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

type: $(STAMP_DEV)  ## Check types
	$(BIN)/mypy

imports: $(STAMP_DEV)  ## Imports run downhill
	$(BIN)/lint-imports

unit: $(STAMP_DEV)  ## Unit, integration and end-to-end tests
	$(BIN)/dagster definitions validate -w workspace.yaml
ifdef PYTEST_ARGS
	$(BIN)/pytest $(PYTEST_ARGS)
else
	@$(MAKE) --no-print-directory -k -j2 unit-e2e unit-media unit-rest
endif

# Two side by side, the longest first: it mostly waits for a stack to do something, while the media engine's compute.
COMPUTING := $(addprefix video_pipeline_tests/,media assets corpus stores presets bench)
REPORT = $(if $(REPORTS),--durations=15 --junitxml=$(REPORTS)/$@.xml)

unit-media: $(STAMP_DEV)
	$(BIN)/pytest -p no:cacheprovider $(REPORT) $(COMPUTING)

unit-e2e: $(STAMP_DEV)
	$(BIN)/pytest -p no:cacheprovider $(REPORT) video_pipeline_tests/e2e

unit-rest: $(STAMP_DEV)
	$(BIN)/pytest -p no:cacheprovider $(REPORT) $(addprefix --ignore=,$(COMPUTING) video_pipeline_tests/e2e) video_pipeline_tests

test-slow: $(STAMP_DEV)  ## What takes minutes: restarts and drains in mid-encode, a backfill of 20
	$(BIN)/pytest -m slow $(PYTEST_ARGS)

test-sentinel: $(STAMP_DEV)  ## The end-to-end tests with Redis behind three Sentinels
	$(BIN)/pytest --redis sentinel $(PYTEST_ARGS) video_pipeline_tests/e2e

bench: $(STAMP_DEV)  ## Our time against bare ffmpeg, one ffmpeg per rung and Shaka Streamer for the same rungs
	$(BIN)/python -m video_pipeline_tests.bench $(BENCH_ARGS)

bench-chunks: $(STAMP_DEV)  ## Our encode in chunks over one bare ffmpeg on 1, 2 and all cores: frames per second and memory
	$(BIN)/python -m video_pipeline_tests.bench.chunks $(BENCH_ARGS)

bench-quality: $(STAMP_DEV)  ## What bit rates chosen for each title save and are worth, beside Shaka Streamer's table and a fixed CRF
	$(BIN)/python -m video_pipeline_tests.bench.quality $(BENCH_ARGS)

bench-latency: $(STAMP_DEV)  ## What a job waits for in a warm stack, beside Dagster's default launcher
	$(BIN)/python -m video_pipeline_tests.bench.latency $(BENCH_ARGS)

bench-idle: $(STAMP_DEV)  ## What an idle stack costs, beside Dagster alone
	$(BIN)/python -m video_pipeline_tests.bench.idle $(BENCH_ARGS)

bench-ticks: $(STAMP_DEV)  ## What a look of the intake takes with 10 000 jobs waiting and with 200 held
	$(BIN)/python -m video_pipeline_tests.bench.ticks $(BENCH_ARGS)

bench-cancel: $(STAMP_DEV)  ## How long until nothing is left of a cancelled job, in every state and way
	$(BIN)/python -m video_pipeline_tests.bench.cancel $(BENCH_ARGS)

bench-grid: $(STAMP_DEV)  ## How many segment starts differ from rung to rung, ours beside `ffmpeg -g`
	$(BIN)/python -m video_pipeline_tests.bench.grid $(BENCH_ARGS)

bench-search: $(STAMP_DEV)  ## VMAF and bit rate as the search predicts them, beside every frame of the encodes measured
	$(BIN)/python -m video_pipeline_tests.bench.search $(BENCH_ARGS)

bench-scenes: $(STAMP_DEV)  ## Scene detectors on clips with known cuts, fades and dissolves: precision, recall and F1
	$(BIN)/python -m video_pipeline_tests.bench.scenes $(BENCH_ARGS)

bench-posters: $(STAMP_DEV)  ## Our posters and candidates beside frames at 10, 50 and 90 %, as contact sheets (BENCH_ARGS: a directory)
	$(BIN)/python -m video_pipeline_tests.bench.posters $(BENCH_ARGS)

bench-sprites: $(STAMP_DEV)  ## CPU time of the sprite sheets over that of the encode, also for three hours
	$(BIN)/python -m video_pipeline_tests.bench.sprites $(BENCH_ARGS)

chaos: $(STAMP_DEV)  ## Kill encoders and workers at random moments: published once, the same bytes, no chunk redone but those in hand
	$(BIN)/python -m video_pipeline_tests.bench.chaos $(BENCH_ARGS)

corpus: $(STAMP_DEV)  ## Every real clip through the pipeline, judged by independent tools, as a table (CORPUS_ARGS: words, options)
	$(BIN)/python -m video_pipeline_tests.corpus $(CORPUS_ARGS)

lock:  ## Renew the lock files (needs uv)
	uv pip compile -q --universal --python-version 3.10 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --extra build pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.10 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --extra build --extra dev pyproject.toml -o requirements-dev.lock

types: $(STAMP_DEV)  ## Renew the TypeScript types of the queue's messages
	$(BIN)/python -m video_pipeline_tests.node.types

clean:  ## Remove .venv and all state
	rm -rf .venv .video-pipeline
