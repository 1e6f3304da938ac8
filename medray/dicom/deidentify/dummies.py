"""What stands for a value that must not be empty (action D): the same for every patient."""

from __future__ import annotations

_TEXT = b"REMOVED "
_OF: dict[bytes, bytes] = {
    **dict.fromkeys((b"AE", b"CS", b"LO", b"LT", b"PN", b"SH", b"ST", b"UC", b"UT"), _TEXT),
    b"UR": b"urn:removed ",
    b"DA": b"19000101",
    b"TM": b"000000",
    b"DT": b"19000101000000",
    b"AS": b"000Y",
    **dict.fromkeys((b"DS", b"IS"), b"0 "),
    **dict.fromkeys((b"US", b"SS", b"OB", b"OW", b"UN"), bytes(2)),
    **dict.fromkeys((b"AT", b"UL", b"SL", b"FL", b"OL", b"OF"), bytes(4)),
    **dict.fromkeys((b"FD", b"OD", b"UV", b"SV", b"OV"), bytes(8)),
}


def dummy(vr: bytes) -> bytes | None:
    """A value of the VR; None for a sequence, which note 13 of PS3.15 E.1.1 lets an image go without:
    those with action D belong to reports, waveforms and presentation states."""
    return _OF.get(vr)
