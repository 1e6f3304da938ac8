"""A zoo of bad input: every kind of object that an archive of DICOM files should not hold but does.

Each is made from bytes, by hand, and has one right reason.
"""

from __future__ import annotations

import gzip
import io
import random
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import Literal

import imagecodecs
import numpy as np

EXPLICIT, IMPLICIT, BIG_ENDIAN = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
DEFLATED, DEFLATED_FRAMES, RLE = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.8.1", "1.2.840.10008.1.2.5"
JPEG, JPEG_LOSSLESS, JPEG_LS = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80"
JPEG_2000, HTJ2K, JPEG_XL = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.110"
LONG = frozenset(("OB", "OW", "OF", "OD", "OV", "SQ", "UN", "UT"))
UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0" + bytes(4), b"\xfe\xff\xdd\xe0" + bytes(4)
PIXELS = np.arange(64, dtype="<u2").reshape(8, 8) * 100
GREY = (PIXELS // 100).astype(np.uint8)

Elements = dict[int, tuple[str, bytes]]


@dataclass(frozen=True)
class Kind:
    """One inhabitant.

    Attributes:
        stage: where it is found out: as its bytes are read, or as its frames are decoded.
    """

    name: str
    data: bytes
    reason: str
    stage: Literal["ingest", "decode"] = "ingest"


def element(tag: int, vr: str, value: bytes, length: int | None = None) -> bytes:
    """Explicit little-endian, with the length as it is or as a lie."""
    value += (b"\0" if vr in LONG or vr == "UI" else b" ") * (len(value) % 2)
    size, head = len(value) if length is None else length, struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    return head + (struct.pack("<HL", 0, size) if vr in LONG else struct.pack("<H", size & 0xFFFF)) + value


def us(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}H", *numbers)


def image(number: int = 0, **changes: tuple[str, bytes] | None) -> Elements:
    """The elements of a valid 8 x 8 image of 16 bits; changes are named by their tag, `x00280010`."""
    elements: Elements = {
        0x00080016: ("UI", b"1.2.840.10008.5.1.4.1.1.77.1.5.1"),  # a fundus: grey or coloured, and no text
        0x00080018: ("UI", f"1.2.3.{number}".encode()),
        0x00080060: ("CS", b"OP"),
        0x00100020: ("LO", b"P1"),
        0x0020000D: ("UI", b"1.2.5"),
        0x0020000E: ("UI", b"1.2.4"),
        0x00280002: ("US", us(1)),
        0x00280004: ("CS", b"MONOCHROME2"),
        0x00280010: ("US", us(8)),
        0x00280011: ("US", us(8)),
        0x00280100: ("US", us(16)),
        0x00280101: ("US", us(16)),
        0x00280102: ("US", us(15)),
        0x00280103: ("US", us(0)),
        0x7FE00010: ("OW", (PIXELS + number % 100).astype("<u2").tobytes()),
    }
    for name, change in changes.items():
        tag = int(name[1:], 16)
        elements.pop(tag, None)
        if change is not None:
            elements[tag] = change
    return elements


def written(elements: Elements) -> bytes:
    return b"".join(element(tag, *elements[tag]) for tag in sorted(elements))


def implicit(elements: Elements) -> bytes:
    return b"".join(
        struct.pack("<HHL", tag >> 16, tag & 0xFFFF, len(value) + len(value) % 2) + value + bytes(len(value) % 2)
        for tag, (_, value) in sorted(elements.items())
    )


def file(body: bytes, syntax: str = EXPLICIT, preamble: bytes = b"") -> bytes:
    """PS3.10: preamble, meta group, data set."""
    meta = element(0x00020002, "UI", b"1.2.840.10008.5.1.4.1.1.7") + element(0x00020003, "UI", b"1.2.3.0")
    meta += element(0x00020010, "UI", syntax.encode())
    return preamble.ljust(128, b"\0") + b"DICM" + element(0x00020000, "UL", struct.pack("<L", len(meta))) + meta + body


def good(number: int) -> bytes:
    """A small file that is as it should be."""
    return file(written(image(number)))


def items(*frames: bytes, table: bytes = b"") -> bytes:
    """Fragments: the value of an element of undefined length."""
    parts = [table, *(frame + b"\0" * (len(frame) % 2) for frame in frames)]
    return b"".join(ITEM + struct.pack("<L", len(part)) + part for part in parts) + SEQUENCE_END


def compressed(
    syntax: str, value: bytes, frames: int | None = None, bits: int = 8, **changes: tuple[str, bytes] | None
) -> bytes:
    """A file around fragments."""
    depth = {"x00280100": ("US", us(bits)), "x00280101": ("US", us(bits)), "x00280102": ("US", us(bits - 1))}
    count = {} if frames is None else {"x00280008": ("IS", str(frames).encode())}
    header = image(**{**depth, **count, **changes, "x7fe00010": None})
    return file(written(header) + element(0x7FE00010, "OB", value, UNDEFINED), syntax)


def rle(*segments: bytes, offsets: tuple[int, ...] | None = None, count: int | None = None) -> bytes:
    places = [64 + sum(map(len, segments[:index])) for index in range(len(segments))] if offsets is None else offsets
    header = struct.pack("<16L", len(segments) if count is None else count, *places, *[0] * (15 - len(places)))
    return header + b"".join(segments)


PRIVATE = element(0x00090010, "LO", b"ACME") + element(0x00091001, "OB", bytes(10**5))
END = b"\xff\xd9"  # of a JPEG of any kind
RUN = bytes([256 - 63, 7])  # 64 pixels
STREAMS = {
    JPEG: bytes(imagecodecs.jpeg8_encode(GREY, level=95)),
    JPEG_LOSSLESS: bytes(imagecodecs.jpeg8_encode(GREY, lossless=True, predictor=1)),
    JPEG_LS: bytes(imagecodecs.jpegls_encode(GREY)),
    JPEG_2000: bytes(imagecodecs.jpeg2k_encode(GREY, level=0, codecformat="J2K", reversible=True)),
    HTJ2K: bytes(imagecodecs.htj2k_encode(GREY, reversible=True)),
    JPEG_XL: bytes(imagecodecs.jpegxl_encode(GREY, lossless=True)),
    RLE: rle(RUN),
    DEFLATED_FRAMES: zlib.compress(GREY.tobytes(), wbits=-15),
}


def every_syntax() -> dict[str, bytes]:
    """A small valid file of every way to write one."""
    raw = written(image())
    files = {EXPLICIT: file(raw), IMPLICIT: file(implicit(image()), IMPLICIT)}
    files[DEFLATED] = file(zlib.compress(raw, wbits=-15), DEFLATED)
    return files | {syntax: compressed(syntax, items(stream)) for syntax, stream in STREAMS.items()}


def _zip(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def _nested(levels: int, undefined: bool = True) -> bytes:
    body = b""
    for _ in range(levels):
        length = UNDEFINED if undefined else len(body)
        item = ITEM + struct.pack("<L", length) + body + (ITEM_END if undefined else b"")
        body = element(0x00400275, "SQ", item + (SEQUENCE_END if undefined else b""), UNDEFINED if undefined else None)
    return body


def strangers() -> list[Kind]:
    """What is no DICOM."""
    html = b"<!DOCTYPE html><html><body>Your session has expired</body></html>" * 20
    dice = random.Random(1)
    contents = {
        "one_byte": b"D",
        "html_saved_as_dcm": html,
        "json": b'{"00080016": {"vr": "UI"}}' * 20,
        "xml": b"<?xml version='1.0'?><NativeDicomModel/>" * 20,
        "png": b"\x89PNG\r\n\x1a\n" + bytes(400),
        "pdf": b"%PDF-1.7\n" + bytes(400),
        "zip": _zip("a.dcm", good(0)),
        "gzip": gzip.compress(good(0)),
        "jpeg": STREAMS[JPEG] + bytes(200),
        "nifti": struct.pack("<L", 348) + bytes(600),
        "zeros": bytes(2000),
        "noise": bytes(dice.randrange(256) for _ in range(2000)),
        "preamble_alone": bytes(128),
        "magic_in_the_wrong_place": bytes(126) + b"DICM" + written(image()),
        "zip_with_dicom_behind_it": _zip("readme", b"x") + good(0),
        "pdf_with_dicom_behind_it": b"%PDF-1.7\n%%EOF\n" + good(0),
        "text": "Patient list of ward 7\n".encode("utf-16") * 50,
    }
    return [Kind("empty", b"", "empty")] + [Kind(name, data, "not_dicom") for name, data in contents.items()]


def cuts() -> list[Kind]:
    """Truncations at every kind of place."""
    whole, table = good(0), struct.pack("<L", 0)
    start = whole.index(b"\x08\x00\x16\x00")
    pixels = whole.index(b"\xe0\x7f\x10\x00")
    nested = file(element(0x00080005, "CS", b"ISO_IR 100") + _nested(3, undefined=False) + written(image()))
    fragments = compressed(RLE, items(rle(RUN), table=table))
    deflated = every_syntax()[DEFLATED]
    places = {
        "in_the_meta_group": whole[:150],
        "behind_the_magic": whole[:132],
        "behind_the_meta_group": whole[:start],
        "in_a_tag": whole[: start + 3],
        "in_a_value": whole[: start + 20],
        "in_an_item": nested[: nested.index(ITEM) + 10],
        "in_the_head_of_the_pixels": whole[: pixels + 9],
        "in_the_pixels": whole[: pixels + 60],
        "before_the_last_byte": whole[:-1],
        "in_the_offset_table": fragments[: fragments.index(table + ITEM) + 2],
        "in_a_fragment": fragments[:-20],
        "before_the_sequence_delimiter": fragments[:-8],
        "in_the_sequence_delimiter": fragments[:-3],
        "in_a_deflated_data_set": deflated[: len(deflated) * 2 // 3],
        "before_the_end_of_deflate": deflated[:-1],
        "in_a_deflated_frame": compressed(DEFLATED_FRAMES, items(STREAMS[DEFLATED_FRAMES][:20])),
    }
    for syntax in (JPEG, JPEG_LOSSLESS, JPEG_LS, JPEG_2000, HTJ2K):  # some decoders would fill the rest with grey
        places[f"in_a_codestream_of_{syntax[17:]}"] = compressed(syntax, items(STREAMS[syntax][:-6]))
    return [
        Kind(
            "cut_in_a_codestream_of_4.110", compressed(JPEG_XL, items(STREAMS[JPEG_XL][:-9])), "decode_failed", "decode"
        ),
        *[Kind(f"cut_{name}", data, "truncated") for name, data in places.items()],
        Kind("cut_before_the_pixels", whole[:pixels], "no_pixels"),
    ]


def bombs() -> list[Kind]:
    """What wants more memory or stack than anybody has."""
    bomb = zlib.compress(element(0x00091001, "OB", bytes(3_000_000)), wbits=-15)
    sides = {"x00280010": ("US", us(65535)), "x00280011": ("US", us(65535))}
    many = {**sides, "x00280008": ("IS", b"2147483647")}
    return [
        Kind("bomb_of_deflate", file(bomb, DEFLATED), "too_large"),
        Kind("bomb_of_pixels", file(written(image(**many))), "too_large"),
        Kind("bomb_of_compressed_pixels", compressed(JPEG_2000, items(STREAMS[JPEG_2000]), **many), "too_large"),
        Kind("bomb_of_frames", file(written(image(x00280008=("IS", b"2147483647")))), "too_large"),
        Kind("bomb_in_a_deflated_frame", compressed(DEFLATED_FRAMES, items(zlib.compress(bytes(10**6), wbits=-15))),
             "bad_frames"),
        Kind("bomb_of_depth", file(_nested(33) + written(image())), "too_deep"),
        Kind("bomb_of_great_depth", file(_nested(3000) + written(image())), "too_deep"),
        Kind("bomb_of_a_segmented_palette", file(written(image(
            x00280004=("CS", b"PALETTE COLOR"),
            **{f"x002811{n:02x}": ("US", us(0, 0, 16)) for n in (1, 2, 3)},
            **{f"x002812{n:02x}": ("OW", us(0, 1, 1, *[2, 65535, 0, 0] * 9)) for n in (0x21, 0x22, 0x23)},
        ))), "bad_pixel_header"),
    ]  # fmt: skip


def length_lies() -> list[Kind]:
    """Elements, items and fragments that are longer or shorter than they say."""
    raw, grey = written(image()), written(image(x7fe00010=None))
    wrong_item = element(0x00400275, "SQ", ITEM + struct.pack("<L", 40) + bytes(8))
    no_item = element(0x00400275, "SQ", element(0x00080060, "CS", b"OT"))
    fragment = ITEM + struct.pack("<L", UNDEFINED)
    bodies = {
        "a_value_beyond_the_end": (raw[:-140] + element(0x7FE00010, "OW", PIXELS.tobytes(), 10**6), "truncated"),
        "a_length_that_is_negative": (element(0x00080005, "UT", b"", 0xFFFFFFFE) + raw, "truncated"),
        "an_item_beyond_its_sequence": (wrong_item + raw, "malformed"),
        "a_sequence_without_items": (no_item + raw, "malformed"),
        "a_delimiter_outside_a_sequence": (SEQUENCE_END + raw, "malformed"),
        "text_of_undefined_length": (element(0x00080005, "UT", b"", UNDEFINED) + raw, "malformed"),
        "a_vr_that_is_none": (raw.replace(b"LO\x02", b"?!\x02"), "malformed"),
        "bytes_behind_the_end": (raw + b"PK\x03\x04zip archive behind it", "malformed"),
        "native_pixels_in_fragments": (grey + element(0x7FE00010, "OB", items(bytes(128)), UNDEFINED), "bad_frames"),
    }  # fmt: skip
    return [
        *[Kind(name, file(body), reason) for name, (body, reason) in bodies.items()],
        Kind("a_fragment_of_undefined_length", compressed(RLE, items() + fragment)[:-16] + fragment, "bad_frames"),
        Kind("something_else_between_fragments",
             compressed(RLE, items(rle(RUN))[:-8] + element(0x00080060, "CS", b"OT") + SEQUENCE_END), "bad_frames"),
    ]  # fmt: skip


def frame_lies() -> list[Kind]:
    """Counts, offset tables and codestreams that contradict the header."""
    two, stream = items(rle(RUN), rle(RUN)), STREAMS

    def table(*offsets: int) -> bytes:
        return items(rle(RUN), rle(RUN), table=struct.pack(f"<{len(offsets)}L", *offsets))

    ingest = {
        "more_frames_than_fragments": compressed(RLE, two, 3),
        "fewer_frames_than_offsets": compressed(RLE, table(0, 74, 148), 2),
        "offsets_out_of_order": compressed(RLE, table(74, 0), 2),
        "offsets_into_the_middle": compressed(RLE, table(0, 30), 2),
        "offsets_beyond_the_end": compressed(RLE, table(0, 2**31), 2),
        "an_offset_table_of_odd_length": compressed(RLE, items(rle(RUN), rle(RUN), table=bytes(6)), 2),
        "extended_offsets_that_lie": compressed(RLE, two, 2, x7fe00001=("OV", struct.pack("<2Q", 0, 5))),
        "no_fragments": compressed(RLE, items()),
        "no_offset_table": compressed(RLE, SEQUENCE_END),
        "an_rle_header_without_segments": compressed(RLE, items(rle(count=0) + RUN)),
        "an_rle_header_of_16_segments": compressed(RLE, items(rle(RUN, count=16))),
        "rle_segments_beyond_the_frame": compressed(RLE, items(rle(RUN, offsets=(64, 9999), count=2))),
        "rle_segments_out_of_order": compressed(RLE, items(rle(RUN, RUN, offsets=(66, 64)))),
        "a_frame_shorter_than_an_rle_header": compressed(RLE, items(bytes(10))),
        "jpeg_under_jpeg_2000": compressed(JPEG_2000, items(stream[JPEG])),
        "jpeg_2000_under_jpeg": compressed(JPEG, items(stream[JPEG_2000])),
        "jpeg_without_its_image": compressed(JPEG, items(stream[JPEG][:20] + END)),
        "jpeg_segments_that_reach_beyond_it": compressed(JPEG, items(b"\xff\xd8\xff\xe0\xff\xff" + bytes(90) + END)),
        "jpeg_2000_tiles_beyond_it": compressed(JPEG_2000, items(stream[JPEG_2000][:60] + END)),
        "jpeg_xl_with_an_alpha_channel": compressed(
            JPEG_XL, items(bytes(imagecodecs.jpegxl_encode(np.zeros((8, 8, 4), np.uint8), lossless=True)))),
        "compressed_frames_of_defined_length": file(written(image(x7fe00010=("OB", rle(RUN)))), RLE),
    }  # fmt: skip
    wide = {"x00280011": ("US", us(9))}
    decode = {
        "rle_of_too_few_segments": compressed(RLE, items(rle(RUN)), bits=16),
        "rle_of_too_few_pixels": compressed(RLE, items(rle(RUN)), **wide),
        **{f"another_size_in_{uid[17:]}": compressed(uid, items(stream[uid]), **wide)
           for uid in (JPEG, JPEG_LOSSLESS, JPEG_LS, JPEG_2000, HTJ2K, JPEG_XL)},
        "jpeg_2000_of_which_half_is_missing": compressed(
            JPEG_2000, items(_without_half(stream[JPEG_2000]))),
        "jpeg_ls_of_which_half_is_missing": compressed(JPEG_LS, items(stream[JPEG_LS][:-12] + END)),
    }  # fmt: skip
    return [Kind(name, data, "bad_frames") for name, data in ingest.items()] + [
        Kind(name, data, "decode_failed", "decode") for name, data in decode.items()
    ]


def _without_half(stream: bytes) -> bytes:
    """A JPEG 2000 codestream whose packets stop in the middle."""
    data = stream.index(b"\xff\x93") + 2
    return stream[: data + 3] + END


def header_lies() -> list[Kind]:
    """Values that contradict each other, or are none."""
    changes: dict[str, dict[str, tuple[str, bytes] | None]] = {
        "no_rows": {"x00280010": None},
        "no_columns": {"x00280011": ("US", us(0))},
        "negative_rows": {"x00280010": ("SS", struct.pack("<h", -8))},
        "rows_in_words": {"x00280010": ("LO", b"eight")},
        "two_samples": {"x00280002": ("US", us(2))},
        "colour_of_one_sample": {"x00280004": ("CS", b"RGB")},
        "a_photometric_interpretation_that_is_none": {"x00280004": ("CS", b"INFRARED")},
        "planes_of_a_third_kind": {"x00280006": ("US", us(2))},
        "12_bits_allocated": {"x00280100": ("US", us(12))},
        "more_bits_stored_than_allocated": {"x00280101": ("US", us(17))},
        "no_bits_stored": {"x00280101": ("US", us(0))},
        "a_high_bit_below_the_stored": {"x00280102": ("US", us(3))},
        "no_frames": {"x00280008": ("IS", b"0")},
        "minus_one_frame": {"x00280008": ("IS", b"-1")},
        "half_a_frame": {"x00280008": ("IS", b"0.5")},
        "a_slope_that_is_no_number": {"x00281053": ("DS", b"nan")},
        "an_endless_slope": {"x00281053": ("DS", b"inf")},
        "a_slope_in_words": {"x00281053": ("DS", b"steep")},
        "an_endless_intercept": {"x00281052": ("DS", b"-1e999")},
        "a_palette_that_is_not_there": {"x00280004": ("CS", b"PALETTE COLOR")},
        "a_padding_value_in_words": {"x00280120": ("LO", b"black")},
    }
    kinds = [Kind(name, file(written(image(**change))), "bad_pixel_header") for name, change in changes.items()]
    short = file(written(image(x00280008=("IS", b"3"))))
    return [*kinds, Kind("more_frames_than_pixels", short, "truncated")]


def wrong_ids() -> list[Kind]:
    """Objects that are nobody's."""
    changes: dict[str, dict[str, tuple[str, bytes] | None]] = {
        "no_study_uid": {"x0020000d": None},
        "no_series_uid": {"x0020000e": ("UI", b"")},
        "a_uid_of_words": {"x00080018": ("UI", b"image number five")},
        "a_uid_that_is_too_long": {"x0020000d": ("UI", b"1." + b"2" * 70)},
    }
    kinds = [Kind(name, file(written(image(**change))), "missing_uid") for name, change in changes.items()]
    return [*kinds, Kind("no_patient", file(written(image(x00100020=None))), "missing_subject")]


def wrong_syntaxes() -> list[Kind]:
    """Files that are not written as they say."""
    raw = written(image())
    unknown = {
        "an_invented_syntax": "1.2.3.4.5",
        "mpeg_2": "1.2.840.10008.1.2.4.100",
        "mpeg_4": "1.2.840.10008.1.2.4.102",
        "hevc": "1.2.840.10008.1.2.4.107",
        "hierarchical_jpeg": "1.2.840.10008.1.2.4.66",
        "a_reference_to_another_server": "1.2.840.10008.1.2.4.94",
    }
    return [
        *[Kind(name, compressed(uid, items(bytes(8))), "unsupported_syntax") for name, uid in unknown.items()],
        Kind("not_deflated", file(raw, DEFLATED), "malformed"),
        Kind("not_big_endian", file(raw, BIG_ENDIAN), "truncated"),
        Kind("not_implicit", file(raw, IMPLICIT), "truncated"),
        Kind("native_under_a_compressed_syntax", file(raw, JPEG_LS), "bad_frames"),
    ]


def no_images() -> list[Kind]:
    """DICOM objects without pixels."""
    sr = image(x7fe00010=None, x00080016=("UI", b"1.2.840.10008.5.1.4.1.1.88.11"), x0040a040=("CS", b"CONTAINER"))
    directory = {0x00041130: ("CS", b"DISC"), 0x00041200: ("UL", bytes(4)), 0x00041220: ("SQ", b"")}
    encrypted = {
        0x00080016: ("UI", b"1.2.840.10008.5.1.4.1.1.77.1.5.1"),  # a fundus: grey or coloured, and no text
        0x00080018: ("UI", b"1.2.3.9"),
        0x04000500: ("SQ", ITEM + struct.pack("<L", 20) + element(0x04000520, "OB", bytes(8))),
    }
    return [
        Kind("a_report", file(written(sr)), "no_pixels"),
        Kind("a_directory", file(written(directory)), "no_pixels"),
        Kind("encrypted", file(written(encrypted)), "no_pixels"),
        Kind("only_private_elements", file(PRIVATE), "no_pixels"),
    ]


def odd_but_good() -> dict[str, bytes]:
    """What looks wrong and is an image all the same."""
    raw = written(image())
    at = raw.index(b"\x10\x00\x20\x00")
    return {
        "an_executable_preamble": file(raw, preamble=b"\x7fELF" + b"\x90" * 124),
        "a_tiff_preamble": file(raw, preamble=b"II*\0" + bytes(100)),
        "a_charset_that_is_none": file(written(image(x00080005=("CS", b"ISO_IR 999")))),
        "names_in_another_charset": file(written(image(x00080005=("CS", b"ISO_IR 6"), x00100010=("PN", b"M\xfcller")))),
        "a_large_private_element": file(raw[:at] + PRIVATE + raw[at:]),
        "implicit_under_explicit": file(implicit(image()), JPEG_LS.replace("4.80", "1")),
        "no_preamble": good(0)[132:],
        "an_endless_window": file(written(image(x00281050=("DS", b"inf"), x00281051=("DS", b"nan")))),
        "a_date_of_words": file(written(image(x00080020=("DA", b"yesterd.")))),
        "padding_behind_the_pixels": file(raw + element(0xFFFCFFFC, "OB", bytes(500))),
    }


def kinds() -> list[Kind]:
    """The whole zoo."""
    return [
        *strangers(), *cuts(), *bombs(), *length_lies(), *frame_lies(), *header_lies(), *wrong_ids(),
        *wrong_syntaxes(), *no_images(),
    ]  # fmt: skip
