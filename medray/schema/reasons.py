"""The closed list of reasons why an input is not used. A reason never quotes the input."""

from __future__ import annotations

REASONS: dict[str, str] = {
    # bytes and container
    "empty": "the object has no bytes",
    "too_large": "the object, its inflated data set or its pixels exceed the limits",
    "unreadable": "the store listed the object but its bytes could not be read in full",
    "not_dicom": "no DICOM data set could be recognised",
    "malformed": "the data set breaks the encoding rules of PS3.5",
    "truncated": "the bytes end before the last element or frame does",
    "too_deep": "sequences are nested deeper than the limit",
    # identity
    "missing_uid": "study, series or instance UID is absent or not a UID",
    "missing_subject": "the declared subject identifier is absent",
    "conflict": "the instance is already in the lake with other bytes",
    "duplicate": "the instance is already in the lake with the same bytes",
    # pixels
    "no_pixels": "the object is not an image (no pixel data)",
    "bad_pixel_header": "rows, columns, bits, samples or photometric interpretation contradict each other",
    "bad_frames": "the frames do not match the header's count, offsets or lengths",
    "unsupported_syntax": "the transfer syntax has no image frames that medray knows",
    "decode_failed": "a frame could not be decoded",
    "decoder_died": "the decoder crashed, hung or ran out of memory on this input",
    # model range (abstained, not quarantined)
    "modality_out_of_range": "the model was not made for this modality",
    "size_out_of_range": "the image is smaller or larger than the model was made for",
    "frames_out_of_range": "the model was not made for multi-frame objects",
    "photometric_out_of_range": "the model was not made for this photometric interpretation",
}
