"""DICOM objects -> rows of `images`, quarantine and links: what one ingest chunk does."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from medray.contracts import Bad, Fetch, Good, Link, SourceObject
from medray.dicom.batches import Rows
from medray.dicom.columns import header_columns
from medray.dicom.config import DicomConfig
from medray.dicom.container import declared
from medray.dicom.failures import unusable
from medray.dicom.header import Instance, read_instance
from medray.dicom.identity import links, pseudonymous, read_identity
from medray.dicom.parts import Part, frame_codec, kept_frames, split
from medray.dicom.pixel_header import read_pixel_header
from medray.dicom.quiet import quiet
from medray.dicom.syntaxes import registered
from medray.errors import Unusable
from medray.privacy.pseudonyms import Pseudonyms

Columns = dict[str, Any]
PER_FRAME = {"frame_positions": 3, "frame_orientations": 6, "frame_rescale": 2}  # numbers a frame
Read = tuple[list[Link], list[tuple[Columns, Part]]]


def read(
    objects: Iterable[SourceObject], fetch: Fetch, pseudonyms: Pseudonyms, config: BaseModel
) -> Iterator[Good | Bad | Link]:
    """Rows of `images` in the order of `objects`, in batches of about 24 MB of frames; one `Bad`
    for each object that cannot be used; a `Link` for each identifier, once a chunk."""
    assert isinstance(config, DicomConfig)
    rows, known = Rows(), set[Link]()
    for item in objects:
        source_link = Link("source", pseudonyms.source_key(item.uri), item.uri)
        outcome = _outcome(item, fetch, pseudonyms, config)
        if isinstance(outcome, Bad):
            yield source_link
            yield outcome
            continue
        found, parts = outcome
        for link in (*found, source_link):
            if link not in known:
                known.add(link)
                yield link
        for columns, part in parts:
            if rows.full_with(part):
                yield from _flushed(rows)
            rows.add(columns, part)
    yield from _flushed(rows)


def _flushed(rows: Rows) -> Iterator[Good]:
    batch = rows.take()
    if batch is not None:
        yield Good("images", batch)


def _outcome(item: SourceObject, fetch: Fetch, pseudonyms: Pseudonyms, config: DicomConfig) -> Read | Bad:
    """Everything that one object gives; nothing it holds can raise."""
    data = b""
    try:
        data = _fetched(item, fetch, config)
        with quiet():
            return _read_one(item, data, pseudonyms, config)
    except Unusable as error:
        return _bad(item, error, data, pseudonyms)


def _fetched(item: SourceObject, fetch: Fetch, config: DicomConfig) -> bytes:
    if item.size_bytes > config.object_bytes:
        raise Unusable("too_large", f"{item.size_bytes} bytes")
    data = fetch(item)
    if len(data) != item.size_bytes:
        raise Unusable("unreadable", f"{len(data)} bytes fetched, {item.size_bytes} listed")
    return data


def _read_one(item: SourceObject, data: bytes, pseudonyms: Pseudonyms, config: DicomConfig) -> Read:
    try:
        instance = read_instance(data, config)
        identity = read_identity(instance.header, config)
        columns = pseudonymous(instance.header, identity, pseudonyms)
        columns |= _provenance(item, data, instance, pseudonyms)
        parts = _rows(instance, columns, config)
        return list(links(identity, columns)), parts
    except Exception as error:
        raise unusable(error) from None


def _provenance(item: SourceObject, data: bytes, instance: Instance, pseudonyms: Pseudonyms) -> Columns:
    return {
        "input_version": 1,
        "source_key": pseudonyms.source_key(item.uri),
        "source_etag": pseudonyms.etag(item.etag),
        "size_bytes": item.size_bytes,
        "input_sha256": hashlib.sha256(data).hexdigest(),
        "TransferSyntaxUID": instance.syntax.uid,
        "frame_codec": frame_codec(instance),
        "header": None,
    }


def _rows(instance: Instance, columns: Mapping[str, Any], config: DicomConfig) -> list[tuple[Columns, Part]]:
    syntax = instance.syntax
    form = read_pixel_header(instance.header, syntax.kind == "native", config.pixel_bytes)
    described = {**columns, **header_columns(instance.header, form, syntax.little)}
    parts = split(kept_frames(instance, form), config.part_bytes)
    rows, first = [], 0
    for index, part in enumerate(parts):
        last = first + len(part.frames)
        place = {"part_index": index, "part_count": len(parts), "frame_offsets": part.offsets()}
        rows.append(({**described, **place, **_of_part(described, first, last)}, part))
        first = last
    return rows


def _of_part(columns: Columns, first: int, last: int) -> Columns:
    """The values of the frames [first, last)."""
    return {name: found[first * width : last * width] for name, width in PER_FRAME.items() if (found := columns[name])}


def _bad(item: SourceObject, error: Unusable, data: bytes, pseudonyms: Pseudonyms) -> Bad:
    return Bad(
        source_key=pseudonyms.source_key(item.uri),
        source_etag=pseudonyms.etag(item.etag),
        size_bytes=item.size_bytes,
        reason=error.reason,
        detail=error.detail,
        transfer_syntax_uid=_declared_syntax(data),
    )


def _declared_syntax(data: bytes) -> str | None:
    """The transfer syntax of an unusable object, as far as it can be told."""
    try:
        return registered(declared(data)[1].uid)
    except Exception:
        return None
