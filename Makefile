# Thin on purpose: each line is something one could type.
PY := .venv/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test proof check chaos bench mutants texts docs lock setup
run: .venv/ready docs
	@$(PY) -W ignore -m app.cli up

# Two processes with servers of their own; the seed, so that both count the same tests.
PYTEST := PYTHONHASHSEED=0 $(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder
test: .venv/ready
	@$(PYTEST) -m "not proof"

# The same promises at full size, and what takes minutes: the kill matrix, ten thousand races, the simulation.
proof: .venv/ready
	@$(PYTEST) -m proof

check: .venv/ready
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(PY) -m pytest -q tests/house
	@$(PY) -W ignore scripts/lint_openapi.py

chaos: .venv/ready
	@$(PY) -W ignore -m dev.chaos

bench: .venv/ready
	@$(PY) -W ignore -m dev.bench

mutants: .venv/ready
	@$(PY) -W ignore -m dev.mutants $(ONLY)

# The guides at /docs, from the Markdown in docs/. Nothing happens where none is newer than the last build.
docs: .venv/ready
	@$(PY) scripts/build_docs.py

setup: .venv/ready docs

# The lock alone decides what is installed: first the installer, then each package by its hash, with nothing looked up
# that the lock does not list. What has no wheel for this machine is built by the pinned setuptools, too.
.venv/ready: requirements-pip.txt requirements-dev.txt pyproject.toml
	python3 -m venv .venv
	.venv/bin/pip install -q --no-deps --only-binary :all: --require-hashes -r requirements-pip.txt
	.venv/bin/pip install -q --no-deps --no-build-isolation --require-hashes -r requirements-dev.txt
	.venv/bin/pip install -q --no-deps --no-build-isolation -e .
	@touch .venv/ready

# Collects what people read into locale/messages.pot, and tells each language's catalog what is new. `.venv/bin/python -m
# scripts.texts de` begins a language.
texts: .venv/ready
	@$(PY) -m scripts.texts

lock:
	uv pip compile -q pyproject.toml --no-strip-extras --universal --python-version 3.11 --generate-hashes -o requirements.txt
	uv pip compile -q pyproject.toml --extra dev --group docs --no-strip-extras --universal --python-version 3.11 --generate-hashes -c requirements.txt -o requirements-dev.txt
	uv pip compile -q --group docs --universal --python-version 3.11 --generate-hashes -c requirements-dev.txt -o requirements-docs.txt
	printf 'pip\nsetuptools\nwheel\n' | uv pip compile -q - --universal --python-version 3.11 --generate-hashes --allow-unsafe -c requirements-dev.txt -o requirements-pip.txt
	python3 scripts/list_bare_names.py requirements.txt requirements-dev.txt requirements-docs.txt
