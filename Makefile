# The everyday verbs. Run them in an environment with: pip install -e '.[train,video,desktop,app,server,dev]'
.PHONY: test lint types unit format wheel

test: lint types unit

lint:
	ruff check .
	ruff format --check .

types:
	mypy

unit:
	python -m pytest --cov=mien --cov-report=term:skip-covered

format:
	ruff check --fix .
	ruff format .

wheel:
	python -m build --wheel
