"""One batch scoring, by one of the ways that `predict.py` compares: the same network on the same prepared images.

    python tests/bench/predict_peer.py ceiling --data FOLDER --lake FOLDER --out FOLDER --batch 16

`FOLDER/data` holds Parquet files of (id, values): prepared images as fixed-size binary. Each way but the ceiling leaves
Parquet files of (id, 14 logits).

- `ceiling`: bare inference on images that lie in memory.
- `loader`: a script with torch's DataLoader and one worker process, as tutorials have it.
- `spark`: mapInArrow; `daft`: a batch UDF.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from medray.contracts import Array
from medray.drivers.inputs.reading import reading_of
from medray.nn.memory_format import channels_last
from medray.storage.models import load_model
from medray.storage.promotions import choose
from medray.storage.store import LAKE

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
OUTPUTS = 14


class Answering:
    """The network of the lake's model, on its own."""

    def __init__(self, lake: str, threads: int) -> None:
        torch.set_num_threads(threads)
        made = load_model(LAKE, lake, choose(LAKE, lake, "bench", "production").sha256)
        reading = reading_of(made.definition)
        self.family, self.config = reading.family, reading.config
        self.summary = made.definition["family_summary"]
        network = self.family.build(self.config, self.summary, OUTPUTS)
        network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in made.weights.items()})
        self.network = channels_last(network.to(DEVICE)).eval()
        self.shape = self.family.layout(self.config).shape

    def of(self, values: Array) -> Array:
        with torch.inference_mode():
            inputs = self.family.collate(values, self.config, self.summary, DEVICE)
            return np.asarray(self.network(inputs).float().cpu().numpy())

    def of_column(self, column: Any) -> Array:
        """Of a binary column, without a copy where it is one buffer of fixed-size binary."""
        column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        size = int(np.prod(self.shape))
        if pa.types.is_fixed_size_binary(column.type):
            flat = np.frombuffer(column.buffers()[1], np.uint8)[
                column.offset * size : (column.offset + len(column)) * size
            ]
        else:
            flat = np.concatenate([np.frombuffer(value, np.uint8) for value in column.to_pylist()])
        return self.of(flat.reshape(-1, *self.shape))


def table(ids: Any, logits: Array) -> pa.Table:
    return pa.table({"id": ids, "logits": pa.FixedSizeListArray.from_arrays(pa.array(logits.ravel()), OUTPUTS)})


def files(asked: argparse.Namespace) -> list[Path]:
    return sorted((asked.data / "data").glob("*.parquet"))


def ceiling(asked: argparse.Namespace) -> None:
    network = Answering(asked.lake, asked.threads)
    for file in files(asked):
        column = pq.read_table(file)["values"]
        for start in range(0, len(column), asked.batch):
            network.of_column(column.slice(start, asked.batch))


def loader(asked: argparse.Namespace) -> None:
    network = Answering(asked.lake, asked.threads)
    whole = pa.concat_tables(pq.read_table(file) for file in files(asked))

    class Rows(torch.utils.data.Dataset[Any]):
        def __len__(self) -> int:
            return whole.num_rows

        def __getitem__(self, row: int) -> tuple[str, Array]:
            values = np.frombuffer(whole["values"][row].as_py(), np.uint8)
            return whole["id"][row].as_py(), values.reshape(network.shape).copy()

    parts = []
    for ids, values in torch.utils.data.DataLoader(Rows(), asked.batch, num_workers=1):
        parts.append(table(pa.array(ids), network.of(values.numpy())))
    pq.write_table(pa.concat_tables(parts), asked.out / "answers.parquet")


@cache
def kept(lake: str) -> Answering:
    """One network a process."""
    return Answering(lake, 1)


def spark(asked: argparse.Namespace) -> None:
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    here, lake = str(Path(__file__).parent), asked.lake
    session = (
        SparkSession.builder.master("local[2]").config("spark.driver.memory", "3g").config("spark.ui.enabled", "false")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", str(asked.batch))
        .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1").getOrCreate()
    )  # fmt: skip

    def answered(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        sys.path.insert(0, here)
        from predict_peer import kept as of_this_process

        for batch in batches:
            logits = of_this_process(lake).of_column(batch.column("values"))
            lists = pa.ListArray.from_arrays(np.arange(len(logits) + 1, dtype="i4") * OUTPUTS, pa.array(logits.ravel()))
            yield pa.RecordBatch.from_pydict({"id": batch.column("id"), "logits": lists})

    rows = session.read.parquet(str(asked.data / "data"))
    rows.mapInArrow(answered, "id string, logits array<float>").write.mode("overwrite").parquet(str(asked.out))
    session.stop()


def daft(asked: argparse.Namespace) -> None:
    import daft as df

    network = Answering(asked.lake, asked.threads)

    @df.udf(return_dtype=df.DataType.list(df.DataType.float32()), batch_size=asked.batch)
    def answered(values: Any) -> Any:
        logits = network.of_column(values.to_arrow())
        return pa.FixedSizeListArray.from_arrays(pa.array(logits.ravel()), OUTPUTS).cast(pa.list_(pa.float32()))

    rows = df.read_parquet(str(asked.data / "data" / "*.parquet"))
    rows.select("id", answered(df.col("values")).alias("logits")).write_parquet(str(asked.out))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ways = {"ceiling": ceiling, "loader": loader, "spark": spark, "daft": daft}
    parser.add_argument("peer", choices=list(ways))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--lake", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    ways[asked.peer](asked)
    left = sum(pq.read_metadata(file).num_rows for file in asked.out.glob("*.parquet"))
    print(json.dumps({"answers": left}))


if __name__ == "__main__":
    main()
