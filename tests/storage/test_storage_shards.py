"""The prepared cache: named by what it depends on, read without a copy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medray.contracts import Array, Layout
from medray.storage.shards import Key, local_path, open_shard, prepare_hash, read_shard_facts, shard_uri, write_shard
from medray.storage.store import Store

LAYOUT = Layout((2, 3), "uint8")
KEYS = [Key("1.2.3", 1, 0), Key("1.2.3", 1, 1), Key("1.2.4", 2, 0)]
VALUES = [np.full((2, 3), number, np.uint8) for number in (7, 8, 9)]


@pytest.fixture
def uri(lake: str) -> str:
    return shard_uri(lake, "image", "h", "data/run/000000.parquet", [("1.2.3", 1), ("1.2.4", 2)])


def write(
    store: Store, uri: str, keys: list[Key] = KEYS, values: list[Array] = VALUES, layout: Layout = LAYOUT, **facts: Any
) -> None:
    write_shard(store, uri, keys, values, layout, facts)


def test_keys_values_and_facts_come_back(store: Store, uri: str) -> None:
    write(store, uri, refused=[["1.2.5", "decode_failed"]])
    shard = open_shard(store, uri)
    assert shard.keys.to_pylist() == [
        {"uid": key.uid, "input_version": key.input_version, "frame_index": key.frame_index} for key in KEYS
    ]
    assert shard.values.dtype == np.uint8
    assert np.array_equal(shard.values, np.stack(VALUES))
    assert shard.facts["refused"] == [["1.2.5", "decode_failed"]]
    assert read_shard_facts(store, uri) == shard.facts


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16", "float32"])
def test_every_kind_of_number_keeps_its_shape(store: Store, uri: str, dtype: str) -> None:
    values: list[Array] = [np.arange(24, dtype=dtype).reshape(2, 3, 4) + row for row in range(3)]
    write(store, uri, KEYS, values, Layout((2, 3, 4), dtype))
    shard = open_shard(store, uri)
    assert shard.values.shape == (3, 2, 3, 4)
    assert np.array_equal(shard.values, np.stack(values))


def test_values_are_a_view_of_the_mapped_file(store: Store, uri: str) -> None:
    write(store, uri)
    values = open_shard(store, uri).values
    assert not values.flags.owndata
    assert not values.flags.writeable
    gathered = values[np.array([2, 0])]
    assert gathered[:, 0, 0].tolist() == [9, 7]


def test_a_shard_may_be_empty(store: Store, uri: str) -> None:
    write(store, uri, [], [])
    shard = open_shard(store, uri)
    assert (shard.keys.num_rows, shard.values.shape) == (0, (0, 2, 3))


def test_the_first_writer_wins_and_nothing_else_remains(store: Store, uri: str) -> None:
    write(store, uri)
    write(store, uri, KEYS[:1], VALUES[:1])
    assert open_shard(store, uri).keys.num_rows == 3
    assert [path.name for path in Path(uri).parent.iterdir()] == [Path(uri).name]


def test_a_value_of_another_shape_is_refused_and_leaves_nothing(store: Store, uri: str) -> None:
    with pytest.raises(ValueError, match="broadcast"):
        write(store, uri, KEYS[:1], [np.zeros((5, 5), np.uint8)])
    assert not store.exists(uri)


def test_the_name_follows_from_file_preparation_and_accepted_rows() -> None:
    def named(**changes: Any) -> str:
        given = {"family": "image", "prepare_hash": "h", "data_file": "f", "accepted": [("a", 1), ("b", 1)], **changes}
        return shard_uri("/lake", **given)

    assert named(accepted=[("b", 1), ("a", 1)]) == named()
    others = [
        named(data_file="g"),
        named(prepare_hash="i"),
        named(accepted=[("a", 1)]),
        named(accepted=[("a", 1), ("b", 2)]),
    ]
    assert len({named(), *others}) == 5
    assert named().startswith("/lake/cache/image/h/")


def test_the_preparation_is_hashed_by_its_values() -> None:
    assert prepare_hash("image", {"a": 1, "b": 2}) == prepare_hash("image", {"b": 2, "a": 1})
    assert len({prepare_hash("image", {"a": 1}), prepare_hash("image", {"a": 2}), prepare_hash("other", {"a": 1})}) == 3


def test_a_local_shard_is_read_where_it_lies(store: Store, uri: str) -> None:
    assert local_path(store, uri) == uri
