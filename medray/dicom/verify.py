"""Can the frames be decoded? Asked at ingest where the recipe says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from medray.dicom.parts import Part
from medray.dicom.pixels import frame_arrays


def verify(rows: Iterable[tuple[Mapping[str, Any], Part]]) -> None:
    """Decode every frame of the rows of one instance, and keep nothing.

    Raises:
        Unusable: decode_failed or decoder_died, as `prepare` would find later. MedrayError: no process
            for the decoders can be started.
    """
    for columns, part in rows:
        for _ in frame_arrays({**columns, "frames": b"".join(part.pieces)}):
            pass
