"""A demonstration archive on disk: DICOM files of many kinds, answers beside them, and files that
are bad on purpose.

    folder/archive/images/<patient>/<day>/<number>.dcm    one study a day
    folder/archive/problems/...                           see `write_problems`
    folder/labels.csv                                     path (from the archive), label, split

`labels.csv` lies outside the archive, as an archive's listing must hold its objects only.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from medray.demo.cases import Cases
from medray.dicom.wrap import WRITABLE, wrap

DAYS_BETWEEN_STUDIES = 30
LAST_PROBLEM = "problems/same_id_other_bytes.dcm"  # written last: where it stands, the archive is complete
LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Session expired</body></html>"
NOTES = b"Restored from tape, please check before use.\n"


@dataclass(frozen=True)
class Archive:
    """What was written.

    Attributes:
        root: the folder to ingest.
        labels: the CSV file.
        paths: one path a case, relative to `root`.
        problems: path -> the reason of `medray.schema.reasons` that it must end with.
    """

    root: Path
    labels: Path
    paths: tuple[str, ...]
    problems: Mapping[str, str]


def write_archive(folder: Path, cases: Cases, *, label: str, first_day: date) -> Archive:
    """The archive of `cases`, in `folder`: the same bytes for the same arguments.

    Args:
        label: name of the answer's column.
        first_day: day of every patient's first study.
    """
    root, labels = folder / "archive", folder / "labels.csv"
    paths = write_studies(root, cases, first_day=first_day)
    write_labels(labels, paths, cases, label)
    return Archive(root, labels, paths, write_problems(root, paths))


def write_studies(root: Path, cases: Cases, *, first_day: date) -> tuple[str, ...]:
    """One file a case below `root/images`; a patient's images are studies 30 days apart.

    Transfer syntaxes, CR and DX, MONOCHROME1 and 2 take turns. On a later day, with cases of new
    patients, this is the batch that came in over night.
    """
    seen: dict[str, int] = {}
    paths = []
    for index, patient in enumerate(cases.patients):
        study = seen[patient] = seen.get(patient, 0) + 1
        day = first_day + timedelta(days=DAYS_BETWEEN_STUDIES * (study - 1))
        path = f"images/{patient}/{day:%Y%m%d}/{index:06d}.dcm"
        _write(root / path, _instance(cases, index, day))
        paths.append(path)
    return tuple(paths)


def write_labels(file: Path, paths: Sequence[str], cases: Cases, label: str) -> None:
    """`path,<label>,split`: one line a case, 1 where the finding is there."""
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("path", label, "split"))
        for path, answer, split in zip(paths, cases.labels, cases.splits, strict=True):
            writer.writerow((path, int(answer), split))


def write_problems(root: Path, paths: Sequence[str]) -> dict[str, str]:
    """Six files below `root/problems` that no archive is free of, and the reason for each.

    The copy and the conflict belong to the first and the second of `paths`; their names sort behind
    those of the originals.
    """
    first, second, third = (root.joinpath(path).read_bytes() for path in paths[:3])
    problems = {
        "truncated.dcm": ("truncated", third[: len(third) * 2 // 3]),
        "portal.dcm": ("not_dicom", LOGIN_PAGE),
        "empty.dcm": ("empty", b""),
        "notes.txt": ("not_dicom", NOTES),
        "same_again.dcm": ("duplicate", first),
        "same_id_other_bytes.dcm": ("conflict", _altered(second)),
    }
    for name, (_, data) in problems.items():
        _write(root / "problems" / name, data)
    return {f"problems/{name}": reason for name, (reason, _) in problems.items()}


def _altered(instance: bytes) -> bytes:
    """The same identifiers and pixels, another manufacturer."""
    at = instance.index(b"medray")
    return instance[:at] + b"MEDRAY" + instance[at + len(b"medray") :]


def _instance(cases: Cases, index: int, day: date) -> bytes:
    patient, image = cases.patients[index], cases.images[index]
    photometric: Literal["MONOCHROME1", "MONOCHROME2"] = "MONOCHROME1" if index % 3 == 2 else "MONOCHROME2"
    modality: Literal["CR", "DX"] = "CR" if index % 2 else "DX"
    return wrap(
        255 - image if photometric == "MONOCHROME1" else image,
        modality=modality,
        patient_id=patient,
        study_uid=_uid("study", patient, day.isoformat()),
        series_uid=_uid("series", patient, day.isoformat()),
        sop_uid=_uid("instance", patient, day.isoformat(), str(index)),
        transfer_syntax=WRITABLE[index % len(WRITABLE)].uid,
        photometric=photometric,
        study_date=f"{day:%Y%m%d}",
        study_time=f"{7 + index % 12:02d}{index % 60:02d}00",
    )


def _uid(*names: str) -> str:
    """A UID of PS3.5 B.2 that is the same for the same names."""
    digest = hashlib.sha256("/".join(names).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"


def _write(path: Path, data: bytes) -> None:
    """Write a file whole, and only once: an object of an archive is known by its time too."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(data)
    unfinished.replace(path)
