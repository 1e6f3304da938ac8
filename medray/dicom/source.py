"""DICOM objects -> rows of `images`, quarantine and links: what one ingest chunk does."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from medray.contracts import Bad, Fetch, Good, Link, SourceObject
from medray.dicom.batches import Rows
from medray.dicom.columns import header_columns
from medray.dicom.config import DicomConfig
from medray.dicom.container import declared
from medray.dicom.deidentify.burned_in import Kind, cleared, risk
from medray.dicom.deidentify.header import deidentified
from medray.dicom.deidentify.policy import STRICTEST, Policy
from medray.dicom.deidentify.received import as_received
from medray.dicom.failures import unusable
from medray.dicom.header import Instance, read_instance
from medray.dicom.identity import links, pseudonymous, read_identity
from medray.dicom.parts import Part, frame_codec, kept_frames, split
from medray.dicom.pixel_header import read_pixel_header
from medray.dicom.syntaxes import registered
from medray.dicom.values import text
from medray.dicom.verify import verify
from medray.errors import MedrayError, Unusable
from medray.privacy.pseudonyms import Pseudonyms

Columns = dict[str, Any]
PER_FRAME = {"frame_positions": 3, "frame_orientations": 6, "frame_rescale": 2}  # numbers a frame
Read = tuple[list[Link], list[tuple[Columns, Part]]]


@dataclass(frozen=True)
class Rules:
    """What the recipe says about reading an object, and what stands for identifiers."""

    pseudonyms: Pseudonyms
    config: DicomConfig
    policy: Policy


def read(
    objects: Iterable[SourceObject],
    fetch: Fetch,
    pseudonyms: Pseudonyms,
    config: BaseModel,
    policy: BaseModel = STRICTEST,
) -> Iterator[Good | Bad | Link]:
    """Rows of `images` in the order of `objects`, in batches of about 24 MB of frames; one `Bad`
    for each object that cannot be used; a `Link` for each identifier, once a chunk."""
    assert isinstance(config, DicomConfig)
    assert isinstance(policy, Policy)
    rules = Rules(pseudonyms, config, policy)
    rows, known = Rows(), set[Link]()
    for item in objects:
        source_link = Link("source", pseudonyms.source_key(item.uri), item.uri)
        outcome = _outcome(item, fetch, rules)
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


def _outcome(item: SourceObject, fetch: Fetch, rules: Rules) -> Read | Bad:
    """Everything that one object gives; nothing it holds can raise."""
    data = b""
    try:
        data = _fetched(item, fetch, rules.config)
        return _read_one(item, data, rules)
    except Unusable as error:
        return _bad(item, error, data, rules.pseudonyms)


def _fetched(item: SourceObject, fetch: Fetch, config: DicomConfig) -> bytes:
    if item.size_bytes > config.object_bytes:
        raise Unusable("too_large", f"{item.size_bytes} bytes")
    data = fetch(item)
    if len(data) != item.size_bytes:
        raise Unusable("unreadable", f"{len(data)} bytes fetched, {item.size_bytes} listed")
    return data


def _read_one(item: SourceObject, data: bytes, rules: Rules) -> Read:
    config, pseudonyms = rules.config, rules.pseudonyms
    try:
        instance = read_instance(data, config)
        if not pseudonyms.identified:
            _check_burned_in(instance, rules.policy)
        identity = read_identity(instance.header, config)
        characteristics = pseudonyms.identified or "retain_patient_characteristics" in rules.policy.options
        columns = pseudonymous(instance.header, identity, pseudonyms, characteristics)
        columns |= _provenance(item, data, instance, pseudonyms)
        columns["header"] = _header(instance, columns["subject_id"], rules)
        parts = _rows(instance, columns, config)
        if _chosen(columns["input_sha256"], config.verify):
            verify(parts)
        return list(links(identity, columns)), parts
    except MedrayError:
        raise
    except Exception as error:
        raise unusable(error) from None


def _check_burned_in(instance: Instance, policy: Policy) -> None:
    """Raises Unusable: burned_in_risk, where no rule clears the image."""
    header = instance.header
    kind = Kind(
        modality=text(header, "Modality"),
        sop_class=text(header, "SOPClassUID"),
        image_type=tuple(text(header, "ImageType").split("\\")),
        photometric=text(header, "PhotometricInterpretation"),
        burned_in_annotation=text(header, "BurnedInAnnotation"),
        manufacturer=text(header, "Manufacturer"),
    )
    found = risk(kind)
    if found and not cleared(kind, policy.cleared):
        raise Unusable("burned_in_risk", found)


def _header(instance: Instance, subject: int, rules: Rules) -> bytes:
    elements, body, encoding = instance.elements, instance.body, instance.encoding
    if rules.pseudonyms.identified:
        return as_received(elements, body, encoding)
    return deidentified(elements, body, encoding, subject, rules.pseudonyms, rules.policy)


def _provenance(item: SourceObject, data: bytes, instance: Instance, pseudonyms: Pseudonyms) -> Columns:
    return {
        "input_version": 1,
        "source_key": pseudonyms.source_key(item.uri),
        "source_etag": pseudonyms.etag(item.etag),
        "size_bytes": item.size_bytes,
        "input_sha256": hashlib.sha256(data).hexdigest(),
        "TransferSyntaxUID": instance.syntax.uid,
        "frame_codec": frame_codec(instance),
    }


def _rows(instance: Instance, columns: Mapping[str, Any], config: DicomConfig) -> list[tuple[Columns, Part]]:
    syntax = instance.syntax
    form = read_pixel_header(instance.header, syntax.samples, config.pixel_bytes, instance.pixels.tag)
    described = {**columns, **header_columns(instance.header, form, syntax.little)}
    parts = split(kept_frames(instance, form), config.part_bytes)
    rows, first = [], 0
    for index, part in enumerate(parts):
        last = first + part.frames
        place = {"part_index": index, "part_count": len(parts), "frame_offsets": part.offsets}
        rows.append(({**described, **place, **_of_part(described, first, last)}, part))
        first = last
    return rows


def _of_part(columns: Columns, first: int, last: int) -> Columns:
    """The values of the frames [first, last)."""
    return {name: found[first * width : last * width] for name, width in PER_FRAME.items() if (found := columns[name])}


def _chosen(sha256: str, share: float) -> bool:
    """Is an instance among the share that is verified?"""
    return int(sha256[:8], 16) < share * 2**32


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
