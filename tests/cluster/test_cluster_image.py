"""The image: installed as the README says, set as a session is, by nobody in particular, without secrets."""

from __future__ import annotations

import re
import shlex
import tomllib
from fnmatch import fnmatch

from manifests import CLUSTER, ROOT

from medray.engine.session import _SETTINGS

TEXT = (CLUSTER / "Dockerfile").read_text()
LINES = [
    line
    for line in re.sub(r"\\\n", " ", "\n".join(x for x in TEXT.splitlines() if not x.startswith("#"))).splitlines()
    if line.strip()
]


def _steps(name: str) -> list[str]:
    return [line.split(maxsplit=1)[1] for line in LINES if line.split()[0] == name]


def test_it_is_installed_as_the_readme_says() -> None:
    command = re.search(r"## Run it.*?```bash\n(.*?)\n", (ROOT / "README.md").read_text(), re.DOTALL)
    assert command is not None
    (install,) = [step for step in command[1].split(" && ") if "pip install" in step]
    # A virtual environment and an editable folder are for people: an image is its own and never edited.
    words = [word.removeprefix(".venv/bin/") for word in install.split() if word != "-e"]
    (ran,) = [step for step in _steps("RUN") if "pip" in step]
    assert shlex.split(ran) == words == ["pip", "install", "--quiet", "."]
    python = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert re.match(r"python:3\.11-slim", _steps("FROM")[0])
    assert python.startswith(">=3.11")


def test_what_the_install_needs_reaches_the_build() -> None:
    """The files that the build copies, and setuptools with them, are the ones that .dockerignore lets through."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    rules = (ROOT / ".dockerignore").read_text().split()
    copied = [word for step in _steps("COPY") for word in step.split()[:-1]]
    assert {"pyproject.toml", "medray", project["project"]["readme"]} == set(copied)
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == set(copied)
    assert any(fnmatch("medray/__pycache__", rule) for rule in rules[1:] if not rule.startswith("!"))
    assert all((ROOT / name).exists() for name in copied)


def test_nodes_are_set_as_a_session_is() -> None:
    given = dict(word.split("=", 1) for step in _steps("ENV") for word in step.split())
    assert {name: given.get(name) for name in _SETTINGS} == _SETTINGS
    assert set(given) - set(_SETTINGS) == {"PIP_NO_CACHE_DIR", "PYTHONDONTWRITEBYTECODE", "RAY_AUTH_MODE"}


def test_it_runs_as_nobody_in_particular_and_holds_no_secret() -> None:
    assert _steps("USER") == ["1000"]
    assert LINES.index("USER 1000") > max(number for number, line in enumerate(LINES) if line.startswith("RUN"))
    assert not [line for line in LINES if line.split()[0] in ("ADD", "ARG")]
    assert not re.search(
        r"(?i)secret_access|password|token=(?!token)|medray_key=", TEXT.replace("RAY_AUTH_MODE=token", "")
    )
