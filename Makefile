# make search MODEL=mgru   install what is needed and search
# make compare-all         the same for lstm, gru, mlstm and mgru together, and the comparison
# make test                install what is needed and run the tests: minutes
# make test-all            those that are slow as well: real crashes, clusters, stores, browsers;
#                          ARGS=--thorough also runs the other libraries of the benchmarks, and kills
#                          searches at more moments: it takes longer
# make compare             compare the studies under runs/
# make oldest              make test, without benchmarks, on the oldest packages of pyproject.toml
# make lint                ruff and mypy
# make wheel               the wheel of this platform and the source archive, in dist/
# make installed           that wheel in an empty environment: a search and a comparison
# make docs                the documentation as a website, in site/
# make audit               known vulnerabilities of what is installed
#
# ARGS is handed on: make search MODEL=gru ARGS="--config configs/quick.yaml"

PYTHON ?= python3
MODEL ?= mgru
VENV := .venv
OLDEST := .venv-oldest
BIN := $(VENV)/bin

.PHONY: search compare-all test test-all oldest compare lint docs wheel installed audit clean

# Run a second time, the plain command goes on with the study that the first one made.
STUDY = $(subst :,.,$(subst .py:,:,$(notdir $(MODEL))))-delay
RESUME = $(if $(ARGS),,$(if $(wildcard runs/$(STUDY)/study.yaml),--resume))

search: $(VENV)/.run
	$(BIN)/python -m search.run --model $(MODEL) $(RESUME) $(ARGS)

# With several models, --resume also starts those that have no study yet.
compare-all: $(VENV)/.run
	$(BIN)/python -m search.run --model lstm gru mlstm mgru --resume $(ARGS)

compare: $(VENV)/.run
	$(BIN)/python -m analysis.compare $(ARGS)

TESTS = -m pytest --numprocesses 4 --dist worksteal

test: $(VENV)/.dev
	$(BIN)/python $(TESTS) -m "not slow" $(ARGS)

# The hosts of tests/cluster are made once, so one process runs those tests, beside the others:
# both mostly wait.
test-all: $(VENV)/.dev
	@log=$(VENV)/cluster-tests.log; $(BIN)/python -m pytest -m cluster --durations 8 > $$log 2>&1 & hosts=$$!; \
	$(BIN)/python $(TESTS) -m "not cluster" --durations 20 $(ARGS); result=$$?; \
	wait $$hosts || result=$$?; cat $$log; exit $$result

# uv takes the lower bound of each package that pyproject.toml names, and the newest of all others.
# What is left out says nothing about packages (compilers, browsers, races between processes), or the
# same as other tests of resuming. Few examples show whether a package has what is asked of it.
oldest: $(OLDEST)/.stamp
	$(OLDEST)/bin/python $(TESTS) -m "not slow" --hypothesis-profile few --ignore tests/cluster --ignore tests/benchmarks \
	  --ignore tests/search/execute/test_every_event.py \
	  --ignore tests/search/execute/test_several_studies.py --ignore tests/test_several_models.py \
	  --ignore tests/test_steering.py --ignore tests/test_wheel.py --ignore tests/copytask/engine/test_builds.py \
	  --ignore tests/search/study/test_creation.py --ignore-glob '*_browser.py' $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# An error: a broken link, an unknown name of the API, a page that loads something from elsewhere.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	! grep -rlE '<(script|img|link|iframe)[^>]+="?(https?:)?//' --include='*.html' site

# The wheel is built from the source archive, so what that lacks is missing here as well.
wheel: $(VENV)/.dev
	rm -rf dist
	$(BIN)/python -m build

installed: wheel
	.ci/installed $(BIN)/python dist/*.whl

# A stamp for each set of packages, made again when what is installed or compiled changes.
BUILT_FROM := pyproject.toml setup.py $(wildcard copytask/engine/*.[ch])

$(VENV)/.run: $(BUILT_FROM)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.dev: $(BUILT_FROM)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $(VENV)/.run $@

$(VENV)/.docs: $(BUILT_FROM)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	touch $(VENV)/.run $@

$(OLDEST)/.stamp: $(BUILT_FROM)
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet uv
	printf '%s\n' $(GO_WITH_OLDEST) | $(OLDEST)/bin/uv pip install --quiet --python $(OLDEST) \
		--resolution lowest-direct --constraint - --editable '.[fast-test,mlflow,wandb]'
	touch $@

# What the oldest mlflow-skinny and wandb go with; else uv takes later ones of these two.
GO_WITH_OLDEST := 'packaging<26' 'protobuf<7'

# Known vulnerabilities of what is installed; asks pypi.org.
audit: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet pip-audit
	$(BIN)/python -m pip freeze --exclude-editable > $(VENV)/installed.txt
	$(BIN)/pip-audit --strict --no-deps --disable-pip --requirement $(VENV)/installed.txt

clean:
	rm -rf $(VENV) $(OLDEST) build dist site *.egg-info copytask/engine/*.so
