# Two commands: `make lab` opens the course, `make test` runs every test.

PYTHON ?= python3
VENV ?= .venv
TORCH ?= default
WORKERS ?= 2
BIN = $(VENV)/bin
TESTS = $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal
GIT = git -c user.name=reader -c user.email=reader@localhost
PIP = $(BIN)/python -m pip install --constraint constraints.txt

# PyTorch's own index serves CPU wheels of 0.2 GB; elsewhere the Linux wheel brings CUDA along.
TORCH_INDEX_cpu = --index-url https://download.pytorch.org/whl/cpu
$(if $(filter default cpu,$(TORCH)),,$(error TORCH must be default or cpu; got $(TORCH)))

# A Linux machine without a display gets the address printed; containers often run as root.
DISPLAY_FOUND = $(or $(DISPLAY),$(WAYLAND_DISPLAY),$(filter-out Linux,$(shell uname)))
LAB_OPTIONS = --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb \
	$(if $(DISPLAY_FOUND),,--no-browser) $(if $(filter 0,$(shell id -u)),--allow-root)

NOTEBOOKS = $(wildcard notebooks/[0-9]*.ipynb)
EXECUTED = $(NOTEBOOKS:notebooks/%=build/executed/%)
LIBRARY = $(shell find course_lib -name "*.py" -o -name "*.js" -o -name "*.css")

.PHONY: help lab update lint test check notebooks measure executed rehearse-class rehearse-binder book slides solutions film

help:
	@echo "make lab         open the course in JupyterLab (TORCH=cpu: smaller download, no GPU)"
	@echo "make update      fetch the newest course; your answers and notes stay"
	@echo "make test        run every test (WORKERS=1: one after the other)"
	@echo "make check       run the quick tests (lint, unit, floors, notebook sources)"
	@echo "make lint        look at style and spelling"
	@echo "make notebooks   build notebooks/*.ipynb from notebooks/source/*.py"
	@echo "make measure     measure every notebook (NN=08: that one) and write the figures into the texts"
	@echo "make rehearse-binder run the course within Binder's limits, and write what it takes into README.md"
	@echo "make rehearse-class  hold a lesson of 12 on a JupyterHub, and write what a class needs into TEACHING.md"
	@echo "make executed    run a copy of every notebook, with its outputs, in build/executed (-j2: two at a time)"
	@echo "make slides      make the slides of a lecture, build/slides/*.html, and look for one that overflows"
	@echo "make solutions   write copies of all notebooks with every exercise solved, in build/solutions"
	@echo "make film        film the latent plane for the README"
	@echo "make book        make the book to read without Python, build/book/index.html"

# --no-deps: torch alone comes from its index; what it needs follows with the course.
$(VENV)/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and \
		f'Python 3.11 or newer is needed; got {sys.version.split()[0]}. Try: make lab PYTHON=python3.12')"
	$(PYTHON) -m venv $(VENV)
	$(PIP) --no-deps $(TORCH_INDEX_$(TORCH)) torch
	$(PIP) --editable .
	@touch $@

$(VENV)/installed-for-tests: $(VENV)/installed
	$(PIP) --editable ".[test]"
	@touch $@

$(VENV)/installed-for-book: $(VENV)/installed
	$(PIP) --editable ".[book]"
	@touch $@

lab: $(VENV)/installed
	$(BIN)/python -m jupyter lab $(LAB_OPTIONS)

# What the reader wrote is committed first, and wins where both changed the same lines.
update:
	git diff --quiet HEAD || $(GIT) commit --quiet --all --message "My work"
	$(GIT) pull --no-rebase --no-edit --strategy-option=ours

lint: $(VENV)/installed-for-tests
	$(BIN)/ruff check
	$(BIN)/codespell

# Tests that measure time run by themselves, after all the others.
test: lint
	$(TESTS) --oracles -m "not alone"
	$(BIN)/python -m pytest -m alone

check: lint
	$(TESTS) -m "not slow and not browser and not alone"

notebooks: $(VENV)/installed-for-tests
	$(BIN)/python notebooks/source/build.py

# For teachers; the texts link to the three pages.
solutions: $(VENV)/installed-for-tests
	$(BIN)/python notebooks/source/build.py --solved build/solutions
	cp notebooks/glossary.ipynb notebooks/ledger.ipynb notebooks/references.ipynb build/solutions

measure: $(VENV)/installed-for-tests
	$(BIN)/python tests/notebooks/measure.py $(NN)
	$(BIN)/python tests/uses/sizing.py

# npm comes with the hub's own Node; the proxy goes into the environment, beside JupyterHub.
$(VENV)/installed-for-hub: $(VENV)/installed-for-tests
	$(PIP) --editable ".[hub]"
	$(BIN)/npm install --global --prefix $(VENV) --no-audit --no-fund configurable-http-proxy@5.3.0
	@touch $@

rehearse-class: $(VENV)/installed-for-hub
	$(BIN)/python tests/uses/classroom.py --write

rehearse-binder: $(VENV)/installed-for-tests
	$(BIN)/python tests/browser/rehearse_binder.py --write

film: $(VENV)/installed-for-tests
	PYTHONPATH=. $(BIN)/python tests/browser/film.py

# The slides and the book are made from these copies.
executed: $(EXECUTED)

build/executed/%.ipynb: notebooks/%.ipynb $(LIBRARY) | $(VENV)/installed
	COURSE_PROGRESS=$(CURDIR)/build/progress.json $(BIN)/jupyter nbconvert --log-level=WARN \
		--execute --to notebook --output-dir build/executed $<

# A static site that is read as files, without a network.
book: executed $(VENV)/installed-for-book
	$(BIN)/python -m notebooks.book.build

# Each notebook as slides that open without a network, measured in Chromium.
SLIDES = $(NOTEBOOKS:notebooks/%.ipynb=build/slides/%.html)

slides: $(SLIDES)
	$(BIN)/python tests/browser/overflow.py $(SLIDES)

build/slides/%.html: build/executed/%.ipynb $(wildcard notebooks/slides/*) | $(VENV)/installed-for-tests
	$(BIN)/python notebooks/slides/slides.py --to build/slides $<
