"""Images in zip and tar files and in lists: each object and member ends in one place, once."""

from __future__ import annotations

import io
import os
import random
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import story
from image_ingest import drawn, without_ray

from medray.drivers.images import ingest
from medray.drivers.job import Result
from medray.drivers.locate import locate
from medray.errors import RecipeError, StorageError
from medray.schema.containers import CONTAINERS
from medray.schema.images import IMAGES
from medray.schema.quarantine import QUARANTINE
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE, Store

DATA = Path(os.environ.get("MEDRAY_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))


@pytest.fixture(autouse=True)
def serial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(story.KEY_VARIABLE, story.KEY)
    without_ray(monkeypatch)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Sixteen DICOM files."""
    return drawn(tmp_path_factory.mktemp("images"), 16)


class Site:
    """A folder with an archive and a lake."""

    def __init__(self, folder: Path) -> None:
        self.archive, self.lake = folder / "archive", str(folder / "lake")
        self.archive.mkdir()

    def recipe(self, source: dict[str, Any] | None = None, **changes: Any) -> Any:
        document = story.ingest_recipe(self.lake, str(self.archive), **changes)
        document["source"] = {**document["source"], **(source or {})}
        return story.recipe(document)

    def ingest(self, source: dict[str, Any] | None = None, **changes: Any) -> Result:
        result: Result = ingest.ingest_archive(self.recipe(source, **changes), story.job())
        return result

    def zip(self, name: str, held: dict[str, bytes]) -> Path:
        path = self.archive / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, data in held.items():
                archive.writestr(member, data)
        return path

    def tar(self, name: str, held: dict[str, bytes], mode: str = "w") -> Path:
        path = self.archive / name
        with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
            for member, data in held.items():
                info = tarfile.TarInfo(member)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        return path

    def table(self, contract: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = snapshot(LAKE, self.lake).table(contract).to_pylist()
        return rows

    def uids(self) -> list[str]:
        return sorted(row["SOPInstanceUID"] for row in self.table(IMAGES))

    def reasons(self) -> list[str]:
        return sorted(row["reason"] for row in self.table(QUARANTINE))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def parts(result: Result) -> dict[str, int]:
    (total,) = result.sums
    return total.counts()


def counts(listed: int, known: int, ingested: int, duplicate: int, quarantined: int) -> dict[str, int]:
    return {
        "listed": listed, "known": known, "ingested": ingested, "duplicate": duplicate, "quarantined": quarantined
    }  # fmt: skip


def test_members_are_ingested_as_objects_are(site: Site, tmp_path: Path, images: list[bytes]) -> None:
    (tmp_path / "plain").mkdir()
    plain = Site(tmp_path / "plain")
    for number, data in enumerate(images):
        (plain.archive / f"{number}").write_bytes(data)
    plain.ingest()
    site.zip("a.zip", {f"{n}.dcm": images[n] for n in range(4)})
    site.tar("b.tar", {f"x/{n}": images[n] for n in range(4, 8)})
    site.tar("c.tgz", {f"{n}": images[n] for n in range(8, 12)}, "w:gz")
    (site.archive / "no suffix").write_bytes(images[12])
    (site.archive / "image.zip").write_bytes(images[13])  # DICOM by its bytes
    site.tar("d.zip", {"tar by its bytes": images[14], "x": images[15]}, "w:xz")
    assert parts(site.ingest()) == counts(16, 0, 16, 0, 0)
    assert site.uids() == plain.uids()
    assert sorted(row["members"] for row in site.table(CONTAINERS)) == [2, 4, 4, 4]
    of_place = {"source_key", "source_etag", "run_id"}

    def bare(one: Site) -> list[dict[str, Any]]:
        return [
            {k: v for k, v in row.items() if k not in of_place}
            for row in sorted(one.table(IMAGES), key=lambda row: str(row["SOPInstanceUID"]))
        ]

    assert bare(site) == bare(plain)


def test_each_bad_member_has_its_reason_and_all_good_ones_are_there(site: Site, images: list[bytes]) -> None:
    inner = site.zip("inner.zip", {"0": images[0]}).read_bytes()
    os.unlink(site.archive / "inner.zip")
    site.zip("a.zip", {"0": images[0], "in.zip": inner, "__MACOSX/._0": b"\0\5\x16\7" + bytes(40), "d/": b"", "e": b""})
    path = site.tar("b.tar", {"1": images[1], "2": images[2]})
    path.write_bytes(path.read_bytes()[: 512 + len(images[1]) + 1200])  # in the middle of the second
    site.zip("none.zip", {})
    (site.archive / "page.zip").write_bytes(b"<html>")
    (site.archive / "cut.zip").write_bytes(inner[:-30])
    # listed: 4 of a.zip, 2 and what is left of b.tar, and three that give nothing
    assert parts(site.ingest()) == counts(10, 0, 2, 0, 8)
    assert len(site.uids()) == 2
    assert site.reasons() == sorted(
        ["nested_archive", "not_dicom", "empty", "truncated", "truncated", "empty", "not_dicom", "truncated"]
    )


def test_a_member_beyond_the_limit_of_objects_is_not_inflated(site: Site, images: list[bytes]) -> None:
    site.zip("a.zip", {"large": bytes(2**20), "0": images[0]})
    assert parts(site.ingest({"object_bytes": 2**19})) == counts(2, 0, 1, 0, 1)
    assert site.reasons() == ["too_large"]


def test_the_same_image_twice_is_a_duplicate_wherever_it_lies(site: Site, images: list[bytes]) -> None:
    site.zip("a.zip", {"0": images[0], "1": images[1]})
    (site.archive / "0").write_bytes(images[0])
    assert parts(site.ingest()) == counts(3, 0, 2, 1, 0)


def test_the_next_night_knows_all_members_without_a_look(
    site: Site, images: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.zip("a.zip", {f"{n}": images[n] for n in range(5)} | {"bad": b"no image"})
    site.zip("none.zip", {})
    site.ingest()

    def closed(*_: Any) -> Any:
        raise AssertionError("an object was opened")

    for name in ("open", "read_listed"):
        monkeypatch.setattr(Store, name, closed)
    second = site.ingest()
    assert second.status == "nothing"
    assert parts(second) == counts(7, 7, 0, 0, 0)


def test_only_what_is_new_is_read_on_a_later_night(site: Site, images: list[bytes]) -> None:
    site.zip("a.zip", {"0": images[0]})
    site.ingest()
    site.tar("b.tar", {"1": images[1], "2": images[2]})
    assert parts(site.ingest()) == counts(3, 1, 2, 0, 0)
    site.zip("a.zip", {"0": images[0], "3": images[3]})  # it has grown: another archive
    assert parts(site.ingest()) == counts(4, 2, 1, 1, 0)
    assert len(site.uids()) == 4


@pytest.mark.parametrize("name", ["big.zip", "big.tar"])
def test_a_large_archive_is_the_work_of_several_chunks(site: Site, images: list[bytes], name: str) -> None:
    noise = random.Random(1)
    held = {f"{n}": data + noise.randbytes(20_000) for n, data in enumerate(images)}
    held |= {f"bad {n}": noise.randbytes(30_000) for n in range(5)}
    (site.zip if name == "big.zip" else site.tar)(name, held)
    result = site.ingest(chunks={"megabytes": 0.1})
    told = parts(result)
    assert told["listed"] == 21
    assert told["ingested"] + told["quarantined"] == 21
    (container,) = site.table(CONTAINERS)
    assert container["members"] == 21
    whole, keys = parts(result), {row["source_key"] for row in (*site.table(IMAGES), *site.table(QUARANTINE))}
    assert len(keys) == 21
    shutil.rmtree(site.lake)
    assert parts(site.ingest()) == whole
    assert {row["source_key"] for row in (*site.table(IMAGES), *site.table(QUARANTINE))} == keys


def test_a_killed_run_is_finished_with_the_same_rows(
    site: Site, images: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.zip("a.zip", {f"{n}": images[n] for n in range(6)})
    site.tar("b.tgz", {f"{n}": images[n] for n in range(6, 12)}, "w:gz")
    small = {"chunks": {"megabytes": 0.002}}
    read: list[int] = []

    def killed(work: Callable[[Any], dict[str, Any]], chunks: Sequence[Any], *_: Any) -> Iterator[dict[str, Any]]:
        for number, chunk in enumerate(chunks):
            if number == len(chunks) // 2:
                raise KeyboardInterrupt
            read.append(chunk.number)
            yield work(chunk)

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "run_chunks", killed)
        with pytest.raises(KeyboardInterrupt):
            site.ingest(**small)
    assert read
    assert snapshot(LAKE, site.lake).versions == {}
    assert parts(site.ingest(**small)) == counts(12, 0, 12, 0, 0)
    assert len(set(site.uids())) == len(site.uids()) == 12
    assert parts(site.ingest(**small)) == counts(12, 12, 0, 0, 0)


def test_an_archive_that_goes_before_its_plan_is_finished_is_one_unreadable_object(
    site: Site, images: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = random.Random(2)
    site.zip("a.zip", {f"{n}": noise.randbytes(3000) for n in range(9)})
    (site.archive / "0").write_bytes(images[0])

    def killed(*_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "run_chunks", killed)
        with pytest.raises(KeyboardInterrupt):
            site.ingest(chunks={"megabytes": 0.01})
    os.unlink(site.archive / "a.zip")
    assert parts(site.ingest(chunks={"megabytes": 0.01})) == counts(2, 0, 1, 0, 1)
    assert site.reasons() == ["unreadable"]


def test_a_plan_of_before_archives_were_opened_is_finished(
    site: Site, images: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.zip("a.zip", {"0": images[0]})
    (site.archive / "1").write_bytes(images[1])

    def killed(*_: Any) -> Any:
        raise KeyboardInterrupt

    def older(*arguments: Any) -> pa.Table:
        return planned(*arguments).drop_columns(["part", "parts"])

    planned = ingest.planned_inputs
    with monkeypatch.context() as patch:
        patch.setattr(ingest, "run_chunks", killed)
        patch.setattr(ingest, "planned_inputs", older)
        with pytest.raises(KeyboardInterrupt):
            site.ingest()
    assert parts(site.ingest()) == counts(2, 0, 1, 0, 1)
    assert site.reasons() == ["not_dicom"]


def test_a_recipe_may_leave_archives_closed(site: Site, images: list[bytes]) -> None:
    site.zip("a.zip", {"0": images[0], "1": images[1]})
    assert parts(site.ingest({"archives": False})) == counts(1, 0, 0, 0, 1)
    assert site.reasons() == ["not_dicom"]


def test_members_are_labelled_and_located_by_their_place(site: Site, tmp_path: Path, images: list[bytes]) -> None:
    (site.archive / "day").mkdir()
    site.zip("day/a.zip", {"s/0.dcm": images[0], "1": images[1]})
    (tmp_path / "labels.csv").write_text("path,opacity,split\nday/a.zip!/s/0.dcm,1,train\n")
    site.ingest(labels=story.ingest_recipe("l", "a", str(tmp_path / "labels.csv"))["labels"])
    keys = {row["source_key"] for row in site.table(IMAGES)}
    place = f"{site.archive}/day/a.zip!/"
    assert {locate(site.recipe(), key)[0] for key in keys} == {("source", f"{place}s/0.dcm"), ("source", f"{place}1")}
    with pytest.raises(RecipeError):
        locate(site.recipe(), "0" * 32)


def _lists(folder: Path, site: Site) -> dict[str, Path]:
    uris = [f"{site.archive}/{name}" for name in ("0", "1", "gone", "1")]
    sizes = [(site.archive / "0").stat().st_size, None, None, None]
    rows = pa.table({"uri": uris, "size_bytes": pa.array(sizes, pa.int64()), "etag": ["tag", None, None, None]})
    pq.write_table(rows, folder / "list.parquet")
    (folder / "whole.csv").write_text("uri,patient\n" + "".join(f"{uri},x\n" for uri in uris))
    (folder / "below.csv").write_text("path\n0\n1\ngone\n1\n")
    return {path.name: path for path in folder.glob("*.*")}


@pytest.mark.parametrize("name", ["list.parquet", "whole.csv", "below.csv"])
def test_a_list_takes_the_place_of_the_listing(site: Site, tmp_path: Path, images: list[bytes], name: str) -> None:
    for number in range(3):
        (site.archive / f"{number}").write_bytes(images[number])
    source = {"list": str(_lists(tmp_path, site)[name])}
    assert parts(site.ingest(source)) == counts(3, 0, 2, 0, 1)
    assert site.reasons() == ["unreadable"]
    assert parts(site.ingest(source)) == counts(3, 2, 0, 0, 1)  # what is gone may come back
    (site.archive / "gone").write_bytes(images[3])
    assert parts(site.ingest(source)) == counts(3, 2, 1, 0, 0)
    assert parts(site.ingest(source)) == counts(3, 3, 0, 0, 0)


def test_what_could_not_be_read_is_tried_again_each_night(site: Site, tmp_path: Path, images: list[bytes]) -> None:
    (site.archive / "0").write_bytes(images[0])
    rows = "".join(f"{number},{len(images[number])},tag\n" for number in range(2))
    (tmp_path / "list.csv").write_text(f"path,size_bytes,etag\n{rows}")
    source = {"list": str(tmp_path / "list.csv")}
    assert parts(site.ingest(source)) == counts(2, 0, 1, 0, 1)
    assert parts(site.ingest(source)) == counts(2, 1, 0, 0, 1)
    (site.archive / "1").write_bytes(images[1])  # the same identity
    assert parts(site.ingest(source)) == counts(2, 1, 1, 0, 0)
    assert parts(site.ingest(source)) == counts(2, 2, 0, 0, 0)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("s3://b/DOE,3\n", "neither a column"), ("uri\nb/DOE\n", "neither s3://"), ("path,x\n,1\n", "without a URI"),
        ("path,size_bytes\nDOE,many\n", "no number"),
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_used_stops_the_job(site: Site, tmp_path: Path, text: str, found: str) -> None:
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(StorageError, match=found) as raised:
        site.ingest({"list": str(tmp_path / "list.csv")})
    assert "DOE" not in str(raised.value)


def test_only_a_bucket_is_read_anonymously(site: Site) -> None:
    with pytest.raises(RecipeError, match="anonymous"):
        site.recipe({"anonymous": True})


def test_a_real_series_in_a_tar_bz2_is_99_images(site: Site) -> None:
    found = list(DATA.glob("ct_lung/*.tar.bz2"))
    if not found:
        pytest.skip("no ct_lung in $MEDRAY_TEST_DATA")
    shutil.copy(found[0], site.archive)
    assert parts(site.ingest()) == counts(99, 0, 99, 0, 0)


def test_what_other_rules_quarantined_is_looked_at_again(site: Site, images: list[bytes]) -> None:
    def night(*cleared: dict[str, Any]) -> dict[str, int]:
        key = site.recipe().deidentify.key
        return parts(site.ingest(deidentify={"profile": "basic", "key": key, "cleared": list(cleared)}))

    shows_text = b"CS\x02\x00US"
    (site.archive / "scan").write_bytes(
        images[0].replace(b"CS\x02\x00CR", shows_text).replace(b"CS\x02\x00DX", shows_text)
    )
    (site.archive / "film").write_bytes(images[1])
    assert night() == counts(2, 0, 1, 0, 1)
    assert site.reasons() == ["burned_in_risk"]
    assert night() == counts(2, 2, 0, 0, 0)
    endoscopy = {"modality": "ES", "reason": "no overlays on this scope"}
    assert night(endoscopy) == counts(2, 1, 0, 0, 1)
    ultrasound = {"modality": "US", "reason": "the probe writes no text"}
    assert night(endoscopy, ultrasound) == counts(2, 1, 1, 0, 0)
    assert night({**ultrasound, "reason": "as before"}, endoscopy) == counts(2, 2, 0, 0, 0)
