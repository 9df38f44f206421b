"""Everything of a release that needs no network: checks what it must say, builds it, installs it and runs it.

python tools/release.py              # all of it; ends with the commands that publish
python tools/release.py --package    # build wheel and sdist, install each into an empty environment, run them
python tools/release.py --tag v1.2.3 # only whether that tag names the version, for CI
python tools/release.py --notes      # print the changelog of the version
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
PLACEHOLDER = "OWNER/mien"
TALK_ABOUT_IT = {"tools/release.py", "tests/unit/test_release.py"}


def main() -> int:
    """Do what the arguments say; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--package", action="store_true", help="build, install and run wheel and sdist")
    only.add_argument("--tag", help="check that this tag names the version")
    only.add_argument("--notes", action="store_true", help="print the changelog of the version")
    options = parser.parse_args()
    version = read_version()
    if options.notes:
        print(notes(version))
    elif options.tag:
        return report([] if options.tag == f"v{version}" else [f"the tag is {options.tag}, the version {version}"])
    elif options.package:
        package()
    else:
        if report(problems(version)):
            return 1
        for target in ("test", "docs"):
            run(["make", target])
        package()
        print(f"\nmien {version} is ready in {DIST}. To publish it:\n\n  git tag -a v{version} -m 'mien {version}'")
        print(f"  git push origin v{version}     # the workflow release.yml publishes what it built and tested")
    return 0


def read_version() -> str:
    """The version that the package says of itself."""
    text = (ROOT / "src/mien/__init__.py").read_text(encoding="utf-8")
    return re.findall(r'^__version__ = "(.+)"$', text, re.MULTILINE)[0]


def notes(version: str) -> str:
    """The section of a version in the changelog; empty if there is none."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    section = re.search(rf"^## \[?{re.escape(version)}\b.*\n((?:(?!## ).*\n?)*)", text, re.MULTILINE)
    return section.group(1).strip() if section else ""


def problems(version: str) -> list[str]:
    """What stands in the way of a release."""
    found = []
    if not re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", version):
        found.append(f"src/mien/__init__.py: the version is {version}; expected one like 0.2.0")
    if not notes(version):
        found.append(f"CHANGELOG.md: has no section '## {version} - YEAR-MONTH-DAY'; rename 'Unreleased'")
    if f"\nversion: {version}\n" not in (ROOT / "CITATION.cff").read_text(encoding="utf-8"):
        found.append(f"CITATION.cff: the version is not {version}")
    placed = subprocess.run(["git", "grep", "-l", PLACEHOLDER], cwd=ROOT, capture_output=True, text=True, check=False)
    found.extend(
        f"{path}: put the account that the project is published under in place of OWNER"
        for path in set(placed.stdout.splitlines()) - TALK_ABOUT_IT
    )
    status = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=False)
    if status.returncode or status.stdout.strip():
        found.append("the checkout has changes that are not committed, or is not a git checkout")
    return sorted(found)


def report(found: list[str]) -> int:
    """Print problems on stderr; returns the exit code."""
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


def package() -> None:
    """Build the sdist, the wheel from it, and run each from an empty environment."""
    shutil.rmtree(DIST, ignore_errors=True)
    run([sys.executable, "-m", "build", "--outdir", str(DIST), str(ROOT)])
    run([sys.executable, "-m", "twine", "check", "--strict", *map(str, sorted(DIST.iterdir()))])
    for file in sorted(DIST.iterdir()):
        try_out(file)
    for file in sorted(DIST.iterdir()):
        print(f"{file.name}  {file.stat().st_size / 1e6:.1f} MB")


def try_out(file: Path) -> None:
    """Install a wheel or sdist into an empty environment and read a photo with it."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        programs = Path(folder) / ("Scripts" if os.name == "nt" else "bin")
        run([str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(file)])
        command = [str(programs / "mien"), "photo", str(ROOT / "examples/astronaut.jpg"), "--json"]
        # Elsewhere than in the checkout, and without its paths: nothing but what was installed may answer.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder, env=environment)
        (face,) = json.loads(answer.stdout)["faces"]
        print(f"{file.name}: {face['emotion']} {face['confidence']:.2f}", flush=True)
        if face["emotion"] != "happy":
            raise SystemExit(f"{file.name} reads examples/astronaut.jpg as {face['emotion']}")


def run(command: list[str]) -> None:
    """Run a command in the checkout; ends this program if it fails."""
    print("+", " ".join(command), flush=True)
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)


if __name__ == "__main__":
    sys.exit(main())
