"""The script that a data engineer writes with polars: `peer_polars.py ARCHIVE OUTPUT {eager,streaming,duties}`.

"eager" and "streaming" do the least that makes MEDS rows of the same archive: pseudonyms and date
shifts by a small map, codes, a sort by subject and time, one Parquet file. "duties" is the streaming
script with what medray's ingest does besides for every row: it keeps unit, encounter and file, drops
repeated rows and those of an encounter that no admission defines, and sorts by code as well. None of
the three counts what it refuses, bears damaged lines, continues after a kill or adds a later night.
"""

import hmac
import sys
from collections.abc import Sequence
from pathlib import Path

import polars as pl

KEY = b"k" * 32


def digest(word: str, original: int) -> int:
    return int.from_bytes(hmac.digest(KEY, f"{word} {original}".encode(), "sha256")[:8], "big")


def pseudonyms(archive: Path) -> pl.LazyFrame:
    own = pl.read_csv(archive / "hosp" / "patients.csv.gz")["subject_id"]
    ids = [digest("subject", subject) >> 1 for subject in own]
    days = [1 + digest("days", subject) % 364 for subject in own]
    return pl.LazyFrame({"own": own, "id": ids, "back": pl.Series(days).cast(pl.Duration("us")) * 86_400_000_000})


def encounters(archive: Path) -> pl.LazyFrame:
    own = pl.read_csv(archive / "hosp" / "admissions.csv.gz")["hadm_id"]
    return pl.LazyFrame({"hadm_id": own, "encounter_key": [digest("encounter", one) >> 1 for one in own]})


def events(
    rows: pl.LazyFrame,
    code: pl.Expr,
    time: str | None = None,
    value: str | None = None,
    more: Sequence[pl.Expr | str] = (),
) -> pl.LazyFrame:
    when = pl.lit(None, pl.Datetime("us")) if time is None else pl.col(time).str.to_datetime("%F %T", time_unit="us")
    number = pl.lit(None, pl.Float32) if value is None else pl.col(value).cast(pl.Float32)
    return rows.select(
        pl.col("id").alias("subject_id"),
        (when - pl.col("back")).alias("time"),
        code.alias("code"),
        number.alias("numeric_value"),
        *more,
    )


def main(archive: Path, output: Path, way: str) -> None:
    people, stays, duties = pseudonyms(archive), encounters(archive), way == "duties"

    def table(pattern: str, name: str, **kinds: type[pl.DataType]) -> pl.LazyFrame:
        rows = pl.scan_csv(archive / pattern, schema_overrides=kinds).join(people, left_on="subject_id", right_on="own")
        return rows.with_columns(source=pl.lit(name)) if duties else rows

    def besides(unit: bool, encounter: bool) -> list[pl.Expr | str]:
        if not duties:
            return []
        words = pl.col("valueuom") if unit else pl.lit(None, pl.String)
        key = pl.col("encounter_key") if encounter else pl.lit(None, pl.Int64)
        return [words.alias("unit"), key.alias("encounter_key"), "source"]

    patients = table("hosp/patients.csv.gz", "patients")
    admissions = table("hosp/admissions.csv.gz", "admissions")
    charts = table("icu/**/*.csv.gz", "chartevents", itemid=pl.Int32, valuenum=pl.Float64, valueuom=pl.String)
    if duties:
        admissions, charts = admissions.join(stays, on="hadm_id"), charts.join(stays, on="hadm_id")
    charted = pl.concat_str(pl.col("itemid").cast(pl.String), pl.col("valueuom").fill_null("UNK"), separator="//")
    found = pl.concat(
        [
            events(patients, "GENDER//" + pl.col("gender"), more=besides(False, False)),
            events(admissions, "ADMISSION//" + pl.col("admission_type"), "admittime", more=besides(False, True)),
            events(admissions, pl.lit("DISCHARGE"), "dischtime", more=besides(False, True)),
            events(charts, charted, "charttime", "valuenum", besides(True, True)),
        ]
    )
    found = found.unique().sort("subject_id", "time", "code") if duties else found.sort("subject_id", "time")
    output.mkdir(parents=True)
    if way == "eager":
        found.collect(engine="in-memory").write_parquet(output / "events.parquet")
    else:
        found.sink_parquet(output / "events.parquet", engine="streaming")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
