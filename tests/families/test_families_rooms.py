"""The table of rooms."""

from __future__ import annotations

import subprocess
import sys

import pytest

from medray import rooms
from medray.errors import RecipeError


@pytest.mark.parametrize(
    ("load", "allowed"), [(rooms.family, "image"), (rooms.task, "multilabel"), (rooms.source, "dicom")]
)
def test_an_unknown_name_is_refused_with_the_allowed_ones(load: object, allowed: str) -> None:
    with pytest.raises(RecipeError, match=rf"'nowhere'.*{allowed}"):
        load("nowhere")  # type: ignore[operator]


def test_recipes_are_checked_without_torch_or_ray() -> None:
    code = (
        "import sys, medray.rooms, medray.tasks.config, medray.families.config\n"
        "sys.exit(bool({'torch', 'ray'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_a_scoring_worker_loads_neither_decoders_nor_monai() -> None:
    code = (
        "import sys, medray.rooms as rooms, medray.drivers.models.predict_chunk, medray.engine.infer\n"
        "import medray.families.image.collate, medray.families.image.network\n"
        "rooms.family('image'), rooms.task('binary'), rooms.task('regression')\n"
        "sys.exit(bool({'pydicom', 'monai', 'sklearn', 'pandas', 'scipy.optimize'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


@pytest.mark.parametrize("name", rooms.FAMILIES)
def test_a_worker_that_prepares_loads_no_torch(name: str) -> None:
    code = (
        "import sys, medray.rooms as rooms, medray.drivers.inputs.prepare_chunk\n"
        f"rooms.family({name!r})\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
