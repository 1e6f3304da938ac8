"""The house stands as `medray/README.md` draws it: who imports whom, how big things are."""

from __future__ import annotations

import ast
import importlib
import inspect
import pickle
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from medray import config, errors
from medray.errors import MedrayError

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "medray").rglob("*.py"))
FORBIDDEN_WORDS = {"utils", "util", "common", "base", "core", "helpers", "helper", "manager", "misc"}

# third-party package -> the only rooms that may import it
ROOMS_OF = {
    "ray": ("engine",),
    "pydicom": ("dicom",),
    "imagecodecs": ("dicom",),
    "torch": ("nn", "tasks", "families", "attribution", "engine"),
    "captum": ("attribution",),
    "monai": ("nn",),
    "nibabel": ("drivers",),
    "deltalake": ("storage",),
    "s3fs": ("storage",),
    "botocore": ("storage",),
    "urllib3": ("storage",),
    "typer": ("cli.py", "commands"),
    "jinja2": ("report",),
    "matplotlib": ("report",),
    "sklearn": ("metrics", "tasks", "baselines", "demo"),
    "polars": (),
}

# room -> the rooms that it may import; the order of the list is the order of the floors
MAY_IMPORT = {
    "errors": set(),
    "schema": {"errors"},
    "privacy": {"errors"},
    "contracts": {"errors", "schema", "privacy"},
    "ops": {"errors", "contracts"},
    "schedule": {"errors"},
    "metrics": {"errors", "schema", "contracts"},
    "report": {"errors", "schema"},
    "nn": {"errors"},
    "attribution": {"errors", "contracts"},
    "storage": {"errors", "schema", "contracts"},
    "dicom": {"errors", "schema", "contracts", "ops", "privacy"},
    "baselines": {"errors", "schema", "contracts", "metrics"},
    "ehr": {"errors", "schema", "contracts", "ops", "privacy"},
    "families": {"errors", "schema", "contracts", "ops", "nn", "dicom"},
    "tasks": {"errors", "schema", "contracts", "ops", "nn", "metrics"},
    "recipes": {"errors", "schema", "storage", "dicom", "ehr", "families", "tasks"},
    "config": {"errors", "recipes"},
    "rooms": {"errors", "contracts"},
    "planning": {"errors", "schema", "contracts", "ops", "privacy", "recipes", "storage", "metrics"},
    "engine": {"errors", "schema", "contracts", "nn", "storage", "config", "recipes", "code_version"},
}


def _room(path: Path) -> str:
    return path.relative_to(ROOT / "medray").parts[0]


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node that runs: what stands below `if TYPE_CHECKING` is for readers."""
    for child in ast.iter_child_nodes(tree):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield child
            yield from _nodes(child)


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in _nodes(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
            if node.module == "medray":
                yield from ((node.lineno, f"medray.{alias.name}") for alias in node.names)


def test_each_library_is_imported_in_its_rooms_only() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in SOURCES
        for line, name in _imports(path)
        if (rooms := ROOMS_OF.get(name.split(".")[0])) and _room(path) not in rooms
    ]
    assert not wrong, "\n".join(wrong)


def test_rooms_import_only_from_floors_below() -> None:
    wrong = []
    for path in SOURCES:
        room = _room(path).removesuffix(".py")
        for line, name in _imports(path):
            parts = name.split(".")
            if parts[0] == "medray" and len(parts) > 1 and room in MAY_IMPORT:
                target = parts[1]
                if target not in {*MAY_IMPORT[room], room}:
                    wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert not wrong, "\n".join(wrong)


# room of drivers -> the other rooms of drivers that it may import; what stands outside a room is for all
DRIVERS_MAY_IMPORT = {
    "volumes": set(),
    "images": {"volumes"},
    "records": set(),
    "inputs": {"records"},
    "export": {"records", "volumes"},
    "models": {"inputs"},
    "night": {"images", "records", "inputs", "models"},
    "explain": {"records", "inputs", "models"},
    "operate": {"inputs"},
}


def test_rooms_of_drivers_import_only_from_floors_below() -> None:
    for path in SOURCES:
        parts = path.relative_to(ROOT / "medray").parts
        if parts[0] != "drivers" or len(parts) == 2:
            continue
        for _, name in _imports(path):
            target = name.removeprefix("medray.drivers.").split(".")[0] if name.startswith("medray.drivers.") else ""
            if target in DRIVERS_MAY_IMPORT:
                assert target in {*DRIVERS_MAY_IMPORT[parts[1]], parts[1]}, f"{path} imports {name}"


def test_families_and_tasks_do_not_know_each_other() -> None:
    for path in SOURCES:
        names = [name for _, name in _imports(path)]
        if _room(path) == "families":
            assert not [name for name in names if name.startswith("medray.tasks")], path
        if _room(path) == "tasks":
            assert not [name for name in names if name.startswith("medray.families")], path


def test_torch_distributed_only_in_the_engine() -> None:
    for path in SOURCES:
        if _room(path) != "engine":
            assert not [name for _, name in _imports(path) if name.startswith("torch.distributed")], path


def test_a_recipe_is_checked_without_ray_or_torch() -> None:
    code = (
        "import sys, medray.config, medray.cli; print(sorted({'ray', 'torch', 'monai', 'pydicom'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_files_and_functions_are_small() -> None:
    sizes = {}
    for path in SOURCES:
        lines = [line for line in path.read_text().splitlines() if line.strip() and not line.strip().startswith("#")]
        sizes[path] = len(lines)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                length = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
                assert length <= 40, f"{path.relative_to(ROOT)}:{node.lineno} {node.name} has {length} lines"
    assert max(sizes.values()) <= 400
    assert statistics.median(sizes.values()) <= 120


def test_no_room_is_a_drawer() -> None:
    for path in [*SOURCES, *(p for p in (ROOT / "medray").rglob("*") if p.is_dir())]:
        assert not FORBIDDEN_WORDS & set(path.stem.lower().split("_")), path


def test_every_room_has_an_empty_init_and_a_readme() -> None:
    for folder in {path.parent for path in SOURCES}:
        if folder.name in ("medray", "codecs", "image"):
            continue
        assert (folder / "__init__.py").read_text() == "", folder
        lines = (folder / "README.md").read_text().splitlines()
        assert 3 <= len(lines) <= 30, folder


def test_jobs_are_thin_and_complete() -> None:
    scripts = sorted((ROOT / "jobs").glob("*.py"))
    assert {path.stem for path in scripts} == set(config.JOBS)
    for path in scripts:
        assert len(path.read_text().splitlines()) <= 30, path


@pytest.mark.parametrize("path", sorted((ROOT / "jobs" / "recipes").rglob("*.toml")), ids=lambda path: path.stem)
def test_every_recipe_loads(path: Path) -> None:
    assert config.load(str(path)).job in config.JOBS


@pytest.mark.parametrize("kind", [kind for _, kind in inspect.getmembers(errors, inspect.isclass)])
def test_errors_survive_pickle(kind: type[Exception]) -> None:
    arguments = ("where", "found", "allowed", "do") if issubclass(kind, MedrayError) else ("truncated", "3 bytes")
    if kind.__module__ != errors.__name__:
        pytest.skip("imported, not defined there")
    error = kind(*arguments)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_the_drawn_tree_is_the_real_one() -> None:
    text = (ROOT / "medray" / "README.md").read_text()
    drawn = text.split("## 4.")[1].split("```")[1]
    below = drawn.split("\nmedray/\n")[1].split("\ncluster/")[0]
    names = {
        line.split()[0].rstrip("/")
        for line in below.splitlines()
        if line.startswith("  ") and not line.startswith("   ")
    }
    ignored = {"__pycache__", "__init__.py"}
    real = {path.name for path in (ROOT / "medray").iterdir()} - ignored
    assert names == real


def test_the_top_level_is_the_fixed_one() -> None:
    told = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if told.returncode:
        pytest.skip("not a git checkout")
    top = {name.split("/")[0] for name in told.stdout.split()}
    assert {name for name in top if not name.startswith(".")} <= {
        "pyproject.toml", "README.md", "jobs", "medray", "cluster", "tests",
    }  # fmt: skip


def test_every_name_of_the_rooms_table_can_be_loaded() -> None:
    rooms = importlib.import_module("medray.rooms")
    for table in (rooms.FAMILIES, rooms.TASKS, rooms.SOURCES):
        for place in table.values():
            module, attribute = place.split(":")
            assert getattr(importlib.import_module(module), attribute).name in table
