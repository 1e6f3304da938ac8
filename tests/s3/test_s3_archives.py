"""Image archives in buckets: members, inventories, public buckets, objects that are denied."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import seaweed
import story
from image_ingest import drawn, without_ray

from medray.drivers.images import ingest
from medray.errors import StorageError
from medray.schema.images import IMAGES
from medray.schema.quarantine import QUARANTINE
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE, PUBLIC, Store

pytestmark = pytest.mark.s3


@pytest.fixture(autouse=True)
def serial(monkeypatch: pytest.MonkeyPatch) -> None:
    without_ray(monkeypatch)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    return drawn(tmp_path_factory.mktemp("images"), 8)


def counts(lake: str, archive: str, store: Store = LAKE, **source: Any) -> list[int]:
    """listed, known, ingested, duplicate, quarantined of a night."""
    document = story.ingest_recipe(lake, archive)
    document["source"] |= source
    (total,) = ingest.ingest_archive(story.recipe(document), replace(story.job(), store=store)).sums
    return list(total.counts().values())


def reasons(lake: str) -> list[tuple[str, str]]:
    return sorted((row["reason"], row["detail"]) for row in snapshot(LAKE, lake).table(QUARANTINE).to_pylist())


def put(port: int, objects: dict[str, bytes]) -> None:
    client = seaweed.admin(port)
    for name, data in objects.items():
        client.pipe_file(name.removeprefix("s3://"), data)


def zipped(held: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in held.items():
            archive.writestr(name, data)
    return sink.getvalue()


def tarred(held: dict[str, bytes], mode: str) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in held.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return sink.getvalue()


def test_archives_in_a_bucket_give_their_members(bucket: str, s3_server: int, lake: str, images: list[bytes]) -> None:
    place = f"{bucket}/archive"
    put(s3_server, {
        f"{place}/a.zip": zipped({"0": images[0], "1": images[1]}), f"{place}/b.tar": tarred({"2": images[2]}, "w"),
        f"{place}/c.tgz": tarred({"3": images[3], "4": images[4]}, "w:gz"), f"{place}/plain ü": images[5],
        f"{place}/cut.tar": tarred({"6": images[6]}, "w")[:900],
    })  # fmt: skip
    # six images; of cut.tar a member and what is left
    assert counts(lake, place) == [8, 0, 6, 0, 2]
    assert counts(lake, place) == [8, 8, 0, 0, 0]


def test_a_public_bucket_is_read_without_credentials(
    new_bucket: Callable[[str], str], s3_server: int, lake: str, images: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    public, closed = new_bucket("public"), new_bucket("lake")
    objects = {"0": images[0], "a.zip": zipped({"1": images[1]}), "c.tgz": tarred({"2": images[2]}, "w:gz")}
    for place in (public, closed):
        put(s3_server, {f"{place}/archive/{name}": data for name, data in objects.items()})
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):  # not even the lake's are used
        monkeypatch.setenv(f"AWS_{name}", "wrong")
    assert counts(lake, f"{public}/archive", anonymous=True) == [3, 0, 3, 0, 0]
    with pytest.raises(StorageError, match=r"access denied|credentials"):
        counts(f"{lake}-2", f"{closed}/archive", anonymous=True)
    with pytest.raises(StorageError, match="credentials"):
        counts(f"{lake}-3", f"{public}/archive")
    assert PUBLIC.first_byte(f"{public}/archive/a.zip") == b"P"


@pytest.mark.parametrize("form", ["CSV", "Parquet"])
def test_an_inventory_takes_the_place_of_the_listing(
    bucket: str, s3_server: int, lake: str, images: list[bytes], form: str
) -> None:
    names = ["scans/a b+c", "scans/ü%20", "scans/old", "scans/deleted", "scans/gone", "other/x"]
    put(s3_server, {f"{bucket}/{name}": images[place] for place, name in enumerate(names[:3])})
    listed = {item.uri: item for item in Store().walk(bucket)}
    rows = [
        {
            "bucket": bucket.removeprefix("s3://"), "key": name,
            "is_latest": name != "scans/old", "is_delete_marker": name == "scans/deleted",
            "size": listed[uri].size_bytes if (uri := f"{bucket}/{name}") in listed else 9,
            "e_tag": listed[uri].etag if uri in listed else "none",
        }
        for name in names
    ]  # fmt: skip
    data, schema = _inventory(rows, form)
    manifest = {
        "sourceBucket": bucket.removeprefix("s3://"), "destinationBucket": f"arn:aws:s3:::{bucket.removeprefix('s3://')}",
        "fileFormat": form, "fileSchema": schema, "files": [{"key": f"inventory/data.{form.lower()}"}],
    }  # fmt: skip
    suffix = "csv.gz" if form == "CSV" else "parquet"
    manifest["files"] = [{"key": f"inventory/data.{suffix}"}]
    put(s3_server, {f"{bucket}/inventory/data.{suffix}": data, f"{bucket}/i.json": json.dumps(manifest).encode()})
    source = {"list": f"{bucket}/i.json"}
    assert counts(lake, f"{bucket}/scans", **source) == [3, 0, 2, 0, 1]
    assert reasons(lake) == [("unreadable", "gone or changed since the listing")]
    assert counts(lake, f"{bucket}/scans") == [3, 2, 1, 0, 0]  # the listing gives the same identities, and the old one


def _inventory(rows: list[dict[str, Any]], form: str) -> tuple[bytes, str]:
    if form == "Parquet":
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), sink)
        return sink.getvalue(), "message s3.inventory { required binary bucket (UTF8); }"
    lines = [
        ",".join(
            f'"{quote_plus(value, safe="/") if name == "key" else str(value).lower()}"' for name, value in row.items()
        )
        for row in rows
    ]
    return gzip.compress("\n".join(lines).encode()), "Bucket, Key, IsLatest, IsDeleteMarker, Size, ETag"


def test_a_denied_object_is_quarantined_and_a_denied_archive_stops_the_job(
    s3_server: int, tmp_path: Path, images: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = "s3://partly"
    seaweed.admin(s3_server).mkdir("partly")
    put(s3_server, {f"{place}/a/open-{n}": images[n] for n in range(3)} | {f"{place}/a/closed": images[3]})
    put(s3_server, {f"{place}/b/closed": images[0], f"{place}/a/closed.zip": zipped({"4": images[4]})})
    for name, value in {"ACCESS_KEY_ID": "partly", "SECRET_ACCESS_KEY": seaweed.secret("partly")}.items():
        monkeypatch.setenv(f"PARTLY_AWS_{name}", value)
    for name in ("ENDPOINT_URL", "REGION"):
        monkeypatch.setenv(f"PARTLY_AWS_{name}", os.environ[f"AWS_{name}"])
    store = Store("PARTLY_")
    assert counts(str(tmp_path / "a"), f"{place}/a", store) == [5, 0, 3, 0, 2]
    assert reasons(str(tmp_path / "a")) == [("unreadable", "access denied")] * 2
    assert counts(str(tmp_path / "a"), f"{place}/a", store) == [5, 3, 0, 0, 2]  # they may have been opened since
    with pytest.raises(StorageError, match="access denied"):
        counts(str(tmp_path / "b"), f"{place}/b", store)
    assert snapshot(LAKE, str(tmp_path / "a")).table(IMAGES).num_rows == 3
