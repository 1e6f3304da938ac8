"""Series become volumes after an ingest, grow into the next version, and leave as arrays and files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from ct_series import STRICT, ct, field, written
from place import Place

from medray import config
from medray.drivers.export.nifti import export_nifti
from medray.drivers.images.ingest import ingest_archive
from medray.drivers.job import Job, Result
from medray.drivers.volumes import build
from medray.drivers.volumes.read import newest_volumes, read_volume, volume_row
from medray.errors import PlanError, StorageError
from medray.narration import silent
from medray.planning.accounting import stored_sum
from medray.schema.images import IMAGES
from medray.schema.volumes import VOLUMES
from medray.storage.snapshot import Snapshot, snapshot
from medray.storage.store import LAKE

pytestmark = pytest.mark.ray
GROWING, TILTED = "1.2.3", "1.2.4"


@dataclass(frozen=True)
class Scanner(Place):
    """An archive with a series of five slices, a tilted one, and one of another modality."""

    def add(self, *slices: Any) -> None:
        self.archive.mkdir(exist_ok=True)
        for one in slices:
            (self.archive / f"{one.SOPInstanceUID}.dcm").write_bytes(written(one))

    def ingest(self, day: int, **volumes: Any) -> Result:
        document = {
            "job": "ingest_dicom", "name": "scanner", "lake": self.lake,
            "source": {"kind": "dicom", "uri": str(self.archive), "subject": "PatientID"},
            "deidentify": {"profile": "basic", "key": f"file:{self.folder / 'key'}"},
            "chunks": {"objects": 4}, "volumes": {**STRICT, **volumes},
        }  # fmt: skip
        return ingest_archive(config.parse(document, "test"), self.job(day))  # type: ignore[arg-type]

    def job(self, day: int) -> Job:
        return Job(f"2026-01-{day:02d}", silent())

    @property
    def state(self) -> Snapshot:
        return snapshot(LAKE, self.lake)

    def rows(self) -> list[tuple[str, int, str, str | None, int]]:
        columns = ("input_version", "status", "reason", "slice_count", "Columns")
        found = self.state.table(VOLUMES, columns).to_pylist()
        size = {10: "growing", 8: "tilted"}
        return sorted(
            (size[row["Columns"]], row["input_version"], row["status"], row["reason"], row["slice_count"])
            for row in found
        )


@pytest.fixture(scope="module")
def scanner(ray_session: object, tmp_path_factory: pytest.TempPathFactory) -> Scanner:
    """After its first night, of which the first attempt was killed before it was committed."""
    made = Scanner(tmp_path_factory.mktemp("scanner"))
    (made.folder / "key").write_text("k" * 64)
    made.add(*(ct(k, (5, 6, 3.0 * k)) for k in range(5)))
    made.add(*(ct(k, (5, 6 + k, 3.0 * k), size=(8, 8), series=TILTED) for k in range(5)))
    made.add(ct(1, (0, 0, 0), series="1.2.5", Modality="MR"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "commit_run", _killed)
        with pytest.raises(KeyboardInterrupt):
            made.ingest(1)
    return made


def _killed(*_: Any) -> None:
    raise KeyboardInterrupt


def test_nights_of_a_growing_archive(scanner: Scanner) -> None:
    assert scanner.rows() == []
    first = scanner.ingest(1)
    before = [("growing", 1, "volume", None, 5), ("tilted", 1, "rejected", "gantry_tilt", 5)]
    assert scanner.rows() == before
    series, slices = (part for part in first.sums if part.total_name in ("series", "slices"))
    assert dict(series.parts) == {"known": 0, "waiting": 0, "built": 1, "rejected": 1}
    assert dict(slices.parts) == {"used": 5, "left out": 0, "rejected": 5}
    (run,) = (row for row in scanner.state.runs.to_pylist() if row["job"] == "volumes")
    assert stored_sum(dict(run["counts"]), "slices") == slices
    page = Path(run["report_uri"]).read_text()
    assert "3 pictures: CT 10 x 8 x 5, 3 mm apart, ." in page
    assert "Volumes of 2026-01-01" in page

    again = scanner.ingest(2)
    assert (again.status, again.sums[-1].parts["known"]) == ("nothing", 2)

    scanner.add(ct(5, (5, 6, 15.0)))
    waiting = scanner.ingest(3, settle_nights=1)
    assert dict(waiting.sums[-1].parts) == {"known": 1, "waiting": 1, "built": 0, "rejected": 0}
    assert scanner.rows() == before
    scanner.ingest(4, settle_nights=1)
    grown = [before[0], ("growing", 2, "volume", None, 6), before[1]]
    assert scanner.rows() == grown

    scanner.ingest(5, gantry_tilt="correct")
    assert scanner.rows() == [*grown, ("tilted", 2, "volume", None, 5)]
    assert scanner.ingest(6).status == "nothing"  # what is a volume stays one

    newest = newest_volumes(scanner.state)
    assert sorted(key.version for key in newest) == [2, 2]
    rows = [volume_row(LAKE, scanner.lake, key) for key in newest]
    row = next(row for row in rows if row["resample"] == "none")
    assert len(row["image_files"]) > 1
    found = read_volume(LAKE, scanner.lake, row)
    index = np.moveaxis(np.indices((6, 8, 10)), 0, -1)[..., ::-1]
    np.testing.assert_allclose(found.values, field(index * [1, 2, 3] + [5, 6, 0]), atol=0.02)


def test_volumes_leave_as_nifti(scanner: Scanner, tmp_path: Path) -> None:
    target = str(tmp_path / "out")
    result = export_nifti(scanner.lake, target, (), -1024.0, scanner.job(6))
    assert dict(result.sums[0].parts) == {"written": 2, "known": 0, "unusable": 0}
    images = [nibabel.load(path) for path in sorted(Path(target).glob("*-0-v2.nii.gz"))]
    image = next(image for image in images if image.shape == (10, 8, 6))
    assert nibabel.aff2axcodes(image.affine) == ("L", "P", "S")
    np.testing.assert_allclose(image.affine, [[-1, 0, 0, -5], [0, -2, 0, -6], [0, 0, 3, 0], [0, 0, 0, 1]])
    # voxel (i, j, k) = (1, 1, 1) stands at 6, 8, 3 mm LPS: 3 * 6 - 2 * 8 + 5 * 3 + 100
    assert image.get_fdata()[1, 1, 1] == pytest.approx(117, abs=0.02)
    again = export_nifti(scanner.lake, target, (), -1024.0, scanner.job(6))
    assert (again.status, again.sums[0].parts["known"]) == ("nothing", 2)
    with pytest.raises(StorageError, match="another --fill"):
        export_nifti(scanner.lake, target, (), 0.0, scanner.job(6))
    with pytest.raises(PlanError, match=r"no volume of 9\.9"):
        export_nifti(scanner.lake, target, ["9.9"], 0.0, scanner.job(6))


def test_nothing_of_the_archive_is_named(scanner: Scanner) -> None:
    table = scanner.state.table(VOLUMES)
    text = str(table.to_pylist())
    assert GROWING + "." not in text
    images = scanner.state.table(IMAGES, ("SeriesInstanceUID", "Modality")).to_pylist()
    scanned = {row["SeriesInstanceUID"] for row in images if row["Modality"] == "CT"}
    assert set(table["SeriesInstanceUID"].to_pylist()) == scanned
