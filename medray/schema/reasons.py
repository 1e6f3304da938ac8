"""The closed list of reasons why an input is not used. A reason never quotes the input."""

from __future__ import annotations

REASONS: dict[str, str] = {
    # bytes and container
    "empty": "the object has no bytes, or the archive no members",
    "too_large": "the object, its inflated data set, its pixels or its members exceed the limits",
    "unreadable": "the store listed the object but its bytes could not be read in full",
    "not_dicom": "no DICOM data set could be recognised",
    "malformed": "the data set breaks the encoding rules of PS3.5",
    "truncated": "the bytes end before the last element, frame or member does",
    "too_deep": "sequences are nested deeper than the limit",
    "bad_archive": "the archive, or a member of it, breaks the rules of its format or fails its checksum",
    "nested_archive": "an archive inside an archive",
    "encrypted": "the member of an archive is encrypted",
    "not_a_file": "the member of an archive is a link or a device",
    # identity
    "missing_uid": "study, series or instance UID is absent or not a UID",
    "missing_subject": "the declared subject identifier is absent",
    "burned_in_risk": "images of this kind can show text about the patient, and no rule of the recipe clears them",
    "conflict": "the instance is already in the lake with other bytes",
    "duplicate": "the instance is already in the lake with the same bytes",
    # records
    "not_mapped": "nothing in the recipe reads this file",
    "not_text": "the file is no text in the declared encoding",
    "no_columns": "the file lacks columns that the recipe names",
    "no_code": "the record names no code",
    "unreadable_time": "the record's time cannot be read",
    "not_numeric": "the record's value is no number",
    "after_as_of": "the record is later than the recipe's as_of",
    "orphan_encounter": "the record belongs to an encounter that the archive does not have",
    "entered_in_error": "the record was entered in error, and no earlier version stands in the lake",
    # pixels
    "no_pixels": "the object is not an image (no pixel data)",
    "bad_pixel_header": "rows, columns, bits, samples or photometric interpretation contradict each other",
    "bad_frames": "the frames do not match the header's count, offsets or lengths",
    "unsupported_syntax": "the transfer syntax has no image frames that medray knows",
    "decode_failed": "a frame could not be decoded",
    "decoder_died": "the decoder crashed, hung or ran out of memory on this input",
    # volumes: a series, or a part of it, that becomes none
    "not_a_volume": "too few slices in one place, a localizer or projection, or colour",
    "mixed_subject": "one SeriesInstanceUID is given to several patients or studies",
    "no_geometry": "position, orientation or pixel spacing are absent or impossible",
    "mixed_orientation": "the slices lie in many directions, too few in each",
    "mixed_size": "the slices have many sizes, too few of each",
    "several_acquisitions": "several acquisitions stand in one place, and the recipe keeps none or the first",
    "duplicate_positions": "several slices stand at one position",
    "missing_slices": "slices are missing between others",
    "uneven_spacing": "the distance between slices changes",
    "shifted_slices": "the slices are moved against each other, not along a line",
    "gantry_tilt": "the slices are tilted against the line of their origins",
    # model range (abstained, not quarantined)
    "modality_out_of_range": "the model was not made for this modality",
    "size_out_of_range": "the image is smaller or larger than the model was made for",
    "frames_out_of_range": "the model was not made for multi-frame objects",
    "too_few_events": "the observation window holds fewer events than the model was made for",
    "photometric_out_of_range": "the model was not made for this photometric interpretation",
}
