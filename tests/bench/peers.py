"""The converters that are compared: how each is started on the same archive."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
CHARTEVENTS = ["icu/chartevents.csv.gz", "icu/chartevents/*.csv.gz"]
TABLES = [
    {
        "name": "patients", "files": "hosp/patients.csv.gz", "subject": "subject_id",
        "events": [{"code": "GENDER//{gender}"}],
    },
    {
        "name": "admissions", "files": "hosp/admissions.csv.gz", "subject": "subject_id", "encounter": "hadm_id",
        "record": "hadm_id", "defines_encounter": True,
        "events": [
            {"code": "ADMISSION//{admission_type}", "time": "admittime"},
            {"code": "DISCHARGE", "time": "dischtime"},
        ],
    },
    {
        "name": "chartevents", "files": CHARTEVENTS, "subject": "subject_id", "encounter": "hadm_id",
        "events": [
            {
                "code": "{itemid}//{valueuom|UNK}", "time": "charttime", "value": "valuenum", "unit": "{valueuom}",
                "value_required": False,
            }
        ],
    },
]  # fmt: skip
MESSY = """
etl: {dataset_name: chartevents, raw_dataset_version: "1"}
_defaults: {subject_id: $subject_id}
hosp/patients:
  gender: {code: 'f"GENDER//{$gender}"', time: null}
hosp/admissions:
  admission: {code: 'f"ADMISSION//{$admission_type}"', time: '$admittime::"%Y-%m-%d %H:%M:%S"'}
  discharge: {code: DISCHARGE, time: '$dischtime::"%Y-%m-%d %H:%M:%S"'}
icu/chartevents:
  charted:
    code: f"{$itemid}//{$valueuom ?? 'UNK'}"
    time: '$charttime::"%Y-%m-%d %H:%M:%S"'
    numeric_value: $valuenum
"""


@dataclass(frozen=True)
class Start:
    """A command, what its environment has besides ours, and the Parquet files that it leaves."""

    command: list[str]
    environment: Mapping[str, str]
    output: str


def medray(archive: Path, work: Path, python: str) -> Start:
    """The job as a user starts it, on a Ray session of its own."""
    recipe = {
        "job": "ingest_ehr",
        "name": "bench",
        "lake": str(work / "lake"),
        "issuer": "",
        "encounters": "required",
        "deidentify": {"profile": "basic", "key": "env:MEDRAY_BENCH_KEY"},
        "source": {"kind": "tables", "uri": str(archive), "tables": TABLES},
    }
    path = work / "recipe.toml"
    path.write_text("\n".join(_toml(recipe)))
    repository = os.environ.get("MEDRAY_BENCH_REPOSITORY", str(REPOSITORY))
    return Start(
        [sys.executable, f"{repository}/jobs/ingest_ehr.py", str(path)],
        {"MEDRAY_BENCH_KEY": "k" * 64, "PYTHONPATH": repository},
        "lake/tables/events/data/*/*.parquet",
    )


def polars(way: str) -> Callable[[Path, Path, str], Start]:
    """The plain script, in one of its ways."""

    def start(archive: Path, work: Path, python: str) -> Start:
        return Start([python, str(HERE / "peer_polars.py"), str(archive), str(work / "out"), way], {}, "out/*")

    return start


def meds_extract(archive: Path, work: Path, python: str) -> Start:
    """All stages of MEDS-Extract (the extraction stages of MEDS-Transforms) by its own runner."""
    (work / "messy.yaml").write_text(MESSY)
    options = [f"spec={work / 'messy.yaml'}", f"output_dir={work / 'out'}", f"input_dir={archive}", "do_download=false"]
    scripts = Path(python).parent  # its runner starts each stage by name
    path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    return Start([str(scripts / "meds-extract-run"), *options], {"PATH": path}, "out/data/**/*.parquet")


PEERS: dict[str, Callable[[Path, Path, str], Start]] = {
    "medray": medray,
    "polars": polars("streaming"),
    "polars-eager": polars("eager"),
    "polars-duties": polars("duties"),
    "meds-extract": meds_extract,
}


def _toml(recipe: Mapping[str, object]) -> list[str]:
    """Lines of a recipe whose tables are written in line."""
    return [f"{name} = {_inline(value)}" for name, value in recipe.items()]


def _inline(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_inline(item)}" for name, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value)
