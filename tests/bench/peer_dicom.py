"""The scripts that engineers write: `peer_dicom.py ENGINE WAY ARCHIVE OUTPUT CPUS`.

Engines: `pool` (multiprocessing and pyarrow), `spark` (binaryFile and mapInArrow, as Pixels does),
`dask`, `daft`, and `ray`, a bare Ray Data job that does nothing to the same chunks. Ways: `decode` makes
rows of decoded pixels under zstd-1, `keep` rows of the frames as they are (native ones as byte planes
under zstd-1), `copy` reads, hashes and writes the bytes: what any ingest must do. All read headers with
pydicom and decode with imagecodecs; none de-identifies, counts what is bad or survives a kill. `same`
(pool only) does what medray's worker does, by medray's own functions, without Ray, plan or commit.
"""

from __future__ import annotations

import hashlib
import os
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

TEXTS = ["SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "PatientID", "Modality"]
TAGS = [*TEXTS, "Rows", "Columns", "PixelRepresentation", "PixelData", "NumberOfFrames"]
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in TEXTS),
        ("TransferSyntaxUID", pa.string()),
        ("rows", pa.int32()),
        ("columns", pa.int32()),
        ("signed", pa.bool_()),
        ("sha256", pa.string()),
        ("pixels", pa.binary()),
    ]
)
CHUNK_BYTES, IMAGES_A_GROUP = 64_000_000, 16
NATIVE, JPEG_LS, J2K, JPEG, RLE = (f"1.2.840.10008.1.2{end}" for end in (".1", ".4.80", ".4.90", ".4.70", ".5"))


def row(data: bytes, way: str) -> list[Any]:
    """Values of `SCHEMA`; the array's bytes, or the frame as it is kept."""
    from pydicom import dcmread
    from pydicom.encaps import generate_frames

    header = dcmread(BytesIO(data), specific_tags=TAGS)
    syntax, pixels = str(header.file_meta.TransferSyntaxUID), header.PixelData
    size = header.Rows * header.Columns * 2
    frame = pixels[:size] if syntax == NATIVE else next(generate_frames(pixels, number_of_frames=1))
    if way == "decode" and syntax != NATIVE:
        frame = decoded(frame, syntax, header.Rows * header.Columns)[:size]
    elif way == "keep" and syntax == NATIVE:
        frame = planes(frame)
    texts = [str(header[name].value) for name in TEXTS]
    form = [header.Rows, header.Columns, bool(header.PixelRepresentation)]
    return [*texts, syntax, *form, hashlib.sha256(data).hexdigest(), frame]


def decoded(frame: bytes, syntax: str, pixels: int) -> bytes:
    import imagecodecs
    import numpy as np

    if syntax == RLE:
        count, *starts = struct.unpack_from("<16L", frame)
        ends = [*starts[1:count], len(frame)]
        planes = np.empty((pixels, 2), np.uint8)
        for index, (start, end) in enumerate(zip(starts[:count], ends, strict=True)):
            segment = imagecodecs.packbits_decode(frame[start:end])
            planes[:, 1 - index] = np.frombuffer(segment, np.uint8)[:pixels]
        return planes.tobytes()
    decoders = {JPEG_LS: imagecodecs.jpegls_decode, J2K: imagecodecs.jpeg2k_decode, JPEG: imagecodecs.ljpeg_decode}
    return bytes(decoders[syntax](frame).tobytes())


def planes(frame: bytes) -> bytes:
    import numpy as np

    apart = np.ascontiguousarray(np.frombuffer(frame, np.uint8).reshape(-1, 2).T)
    return bytes(pa.Codec("zstd", compression_level=1).compress(apart.data.cast("B"), asbytes=True))


def table(contents: Sequence[bytes], way: str) -> pa.Table:
    rows = [row(data, way) for data in contents]
    columns = zip(*rows, strict=True)
    return pa.table([pa.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)], SCHEMA)


def chunks(archive: Path) -> Iterator[list[Path]]:
    chunk, size = [], 0
    for path in sorted(archive.rglob("*.dcm")):
        chunk.append(path)
        size += path.stat().st_size
        if size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def work(task: tuple[int, list[Path], Path, str]) -> int:
    """One chunk, one file."""
    number, paths, output, way = task
    if way == "copy":
        return copied(number, paths, output)
    if way == "same":
        return as_medray(number, paths, output)
    form = {"compression": dict.fromkeys(SCHEMA.names, "zstd"), "compression_level": 1}
    if way == "keep":
        form: dict[str, Any] = {"compression": {name: "none" if name == "pixels" else "zstd" for name in SCHEMA.names}}
    with pq.ParquetWriter(
        output / f"{number}.parquet", SCHEMA, use_dictionary=TEXTS, write_statistics=TEXTS, **form
    ) as out:
        for first in range(0, len(paths), IMAGES_A_GROUP):
            out.write_table(table([path.read_bytes() for path in paths[first : first + IMAGES_A_GROUP]], way))
    return len(paths)


def copied(number: int, paths: Sequence[Path], output: Path) -> int:
    with (output / f"{number}.bin").open("wb") as out, (output / f"{number}.txt").open("w") as digests:
        for path in paths:
            data = path.read_bytes()
            digests.write(hashlib.sha256(data).hexdigest() + "\n")
            out.write(data)
    return len(paths)


def as_medray(number: int, paths: Sequence[Path], output: Path) -> int:
    from medray.contracts import Good, SourceObject
    from medray.dicom.config import DicomConfig
    from medray.dicom.source import read
    from medray.privacy.pseudonyms import Pseudonyms
    from medray.schema.images import IMAGES
    from medray.storage.chunk_file import ChunkWriter
    from medray.storage.store import Store

    objects = [SourceObject(str(path), path.stat().st_size, str(path.stat().st_mtime_ns)) for path in paths]
    config, pseudonyms = DicomConfig(subject="PatientID"), Pseudonyms(b"k" * 64)
    file = str(output / f"{number}.parquet")
    with ChunkWriter(Store(), file, IMAGES, payload="frames") as out:
        for piece in read(objects, lambda item: Path(item.uri).read_bytes(), pseudonyms, config):
            if isinstance(piece, Good):
                out.write(piece.rows)
        out.publish({})
    return len(paths)


def pool(archive: Path, output: Path, way: str, cpus: int) -> None:
    tasks = [(number, paths, output, way) for number, paths in enumerate(chunks(archive))]
    with get_context("spawn").Pool(cpus) as workers:
        sum(workers.imap_unordered(work, tasks))


def dask(archive: Path, output: Path, way: str, cpus: int) -> None:
    import distributed

    with (
        distributed.LocalCluster(
            n_workers=cpus, threads_per_worker=1, dashboard_address=None, memory_limit=0
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        tasks = [(number, paths, output, way) for number, paths in enumerate(chunks(archive))]
        sum(client.gather(client.map(work, tasks, pure=False)))


def spark(archive: Path, output: Path, way: str, cpus: int) -> None:
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    options = {
        "spark.driver.memory": "4g", "spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1", "spark.sql.execution.arrow.maxRecordsPerBatch": "8",
        "spark.sql.files.maxPartitionBytes": str(CHUNK_BYTES), "spark.sql.parquet.compression.codec": "zstd",
    }  # fmt: skip
    builder = SparkSession.builder.master(f"local[{cpus}]")
    for name, value in options.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()

    def batches(found: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import peer_dicom

        for batch in found:
            yield from peer_dicom.table(batch.column("content").to_pylist(), way).combine_chunks().to_batches()

    kinds = {pa.string(): "string", pa.int32(): "int", pa.bool_(): "boolean", pa.binary(): "binary"}
    schema = ", ".join(f"{field.name} {kinds[field.type]}" for field in SCHEMA)
    files = session.read.format("binaryFile").option("pathGlobFilter", "*.dcm").option("recursiveFileLookup", "true")
    files.load(str(archive)).select("content").mapInArrow(batches, schema).write.parquet(str(output / "spark"))
    session.stop()


def daft(archive: Path, output: Path, way: str, cpus: int) -> None:
    import daft
    from daft import DataType, col

    kinds = {pa.string(): DataType.string(), pa.int32(): DataType.int32(), pa.bool_(): DataType.bool()}
    struct_type = DataType.struct({f.name: kinds.get(f.type, DataType.binary()) for f in SCHEMA})

    @daft.udf(return_dtype=struct_type, batch_size=8)
    def rows(contents: Any) -> Any:
        return table(contents.to_pylist(), way).to_struct_array().combine_chunks()

    found = daft.from_glob_path(str(archive / "**" / "*.dcm"))
    read = found.with_column(
        "content", col("path").download() if hasattr(col("path"), "download") else col("path").url.download()
    )
    made = read.select(rows(col("content")).alias("row"))
    made.select(*(col("row").get(name).alias(name) for name in SCHEMA.names)).write_parquet(
        str(output / "daft"), compression="zstd"
    )


def ray(archive: Path, output: Path, way: str, cpus: int) -> None:
    import ray

    ray.init(num_cpus=cpus, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    tasks = [{"number": number} for number, _ in enumerate(chunks(archive))]
    dataset = ray.data.from_items(tasks, override_num_blocks=len(tasks))
    dataset.map_batches(lambda batch: batch, batch_size=1, num_cpus=1).materialize()
    ray.shutdown()


Engine = Callable[[Path, Path, str, int], None]
ENGINES: dict[str, Engine] = {"pool": pool, "dask": dask, "spark": spark, "daft": daft, "ray": ray}

if __name__ == "__main__":
    engine, how, source, target, processors = sys.argv[1:]
    Path(target).mkdir(parents=True)
    ENGINES[engine](Path(source), Path(target), how, int(processors))
