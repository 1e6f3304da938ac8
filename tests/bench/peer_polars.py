"""The script that a data engineer writes with polars: `peer_polars.py ARCHIVE OUTPUT {eager,streaming}`.

It does the least that makes MEDS rows of the same archive: pseudonyms and date shifts by a small map,
codes, a sort by subject and time, one Parquet file. It does not check encounters, look for repeated
rows, keep units, encounters or where a row came from, or continue after a kill.
"""

import hmac
import sys
from pathlib import Path

import polars as pl

KEY = b"k" * 32


def digest(word: str, subject: int) -> int:
    return int.from_bytes(hmac.digest(KEY, f"{word} {subject}".encode(), "sha256")[:8], "big")


def pseudonyms(archive: Path) -> pl.LazyFrame:
    own = pl.read_csv(archive / "hosp" / "patients.csv.gz")["subject_id"]
    ids = [digest("subject", subject) >> 1 for subject in own]
    days = [1 + digest("days", subject) % 364 for subject in own]
    return pl.LazyFrame({"own": own, "id": ids, "back": pl.Series(days).cast(pl.Duration("us")) * 86_400_000_000})


def events(rows: pl.LazyFrame, code: pl.Expr, time: str | None, value: str | None) -> pl.LazyFrame:
    when = pl.lit(None, pl.Datetime("us")) if time is None else pl.col(time).str.to_datetime("%F %T", time_unit="us")
    number = pl.lit(None, pl.Float32) if value is None else pl.col(value).cast(pl.Float32)
    return rows.select(
        pl.col("id").alias("subject_id"),
        (when - pl.col("back")).alias("time"),
        code.alias("code"),
        number.alias("numeric_value"),
    )


def main(archive: Path, output: Path, engine: str) -> None:
    people = pseudonyms(archive)

    def table(pattern: str) -> pl.LazyFrame:
        return pl.scan_csv(archive / pattern).join(people, left_on="subject_id", right_on="own")

    charted = pl.concat_str(pl.col("itemid").cast(pl.String), pl.col("valueuom").fill_null("UNK"), separator="//")
    kinds = {"itemid": pl.Int32, "valuenum": pl.Float64, "valueuom": pl.String, "value": pl.String}
    charts = pl.scan_csv(archive / "icu" / "**" / "*.csv.gz", schema_overrides=kinds).join(
        people, left_on="subject_id", right_on="own"
    )
    found = pl.concat(
        [
            events(table("hosp/patients.csv.gz"), "GENDER//" + pl.col("gender"), None, None),
            events(table("hosp/admissions.csv.gz"), "ADMISSION//" + pl.col("admission_type"), "admittime", None),
            events(table("hosp/admissions.csv.gz"), pl.lit("DISCHARGE"), "dischtime", None),
            events(charts, charted, "charttime", "valuenum"),
        ]
    ).sort("subject_id", "time")
    output.mkdir(parents=True)
    if engine == "eager":
        found.collect(engine="in-memory").write_parquet(output / "events.parquet")
    else:
        found.sink_parquet(output / "events.parquet", engine="streaming")


main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
