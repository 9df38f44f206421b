# The everyday verbs. Run them in an environment with: pip install -e '.[all,dev]'
.PHONY: test lint types unit fuzz soak quick format docs docs-serve screenshots benchmarks wheel package release constraints lowest

test: lint types unit

lint:
	ruff check .
	ruff format --check .

types:
	mypy
	mypy tests benchmarks examples

unit:
	python -m pytest --cov=mien --cov-report=term:skip-covered

fuzz: # other cases than the usual ones, e.g. make fuzz SEED=7 CASES=20000
	MIEN_FUZZ_SEED=$(or $(SEED),1) MIEN_FUZZ_CASES=$(or $(CASES),2000) python -m pytest -q tests/fuzz

soak: # mien serve under good and hostile clients on the loopback, e.g. make soak REQUESTS=20000 MINUTES=60
	python benchmarks/soak.py --requests $(or $(REQUESTS),20000) --minutes $(or $(MINUTES),60)

quick: # what takes minutes is left out
	python -m pytest -q -m "not slow"

format:
	ruff check --fix .
	ruff format .

docs: # the site, into site/; broken links and names are errors
	python -m mkdocs build --strict

docs-serve: # the site on http://127.0.0.1:8000, built anew as files change
	python -m mkdocs serve

screenshots: # every page and state of the web app and the desktop window, into build/screenshots, to be looked at
	python benchmarks/screenshots.py build/screenshots

benchmarks: # one page, build/benchmarks.md; e.g. make benchmarks ARGS='--only accuracy --fer-python other-env/bin/python'
	python benchmarks/all.py $(ARGS)

wheel:
	python -m build --wheel

package: # wheel and sdist in dist/, each installed into an empty environment and run
	python tools/release.py --package

release: # what a release needs short of publishing it
	python tools/release.py

constraints: # the versions that development and CI run with; pip install -c constraints.txt -e '.[all,dev]'
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.10 --no-annotate --quiet \
		--custom-compile-command "make constraints" -o constraints.txt

lowest: # the oldest versions that pyproject.toml allows
	python -m venv --clear .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet uv
	.venv-lowest/bin/uv pip install --quiet --python .venv-lowest/bin/python --resolution lowest-direct '.[video,server]'
	.venv-lowest/bin/uv pip install --quiet --python .venv-lowest/bin/python pytest hypothesis httpx PyYAML scikit-image
	.venv-lowest/bin/python -m pytest -q -p no:cacheprovider tests/golden tests/unit --ignore tests/unit/desktop

vendor-browser: # the files of npm packages that the browser page ships
	sh src/mien/browser/vendor.sh

types-browser: # the types of the browser page, by TypeScript
	npx --yes -p typescript@5 tsc -p src/mien/browser/tsconfig.json
