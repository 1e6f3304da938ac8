"""Header columns of a series become volumes, or rows that say why not."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from ct_series import AXIAL, LENIENT, STRICT, at, policy, row
from hypothesis import given, settings
from hypothesis import strategies as st

from medray.planning.volumes.decide import policy_hash, rows_of
from medray.schema.reasons import REASONS

EVEN = [0.0, 3.0, 6.0, 9.0, 12.0]


def one(rows: list[dict[str, Any]], document: dict[str, Any] = LENIENT, **changes: Any) -> dict[str, Any]:
    (found,) = rows_of(rows, policy(document, **changes))
    return found


def heights(found: dict[str, Any]) -> list[float]:
    return [one["position_mm"] for one in found["slices"]]


def said(found: dict[str, Any]) -> tuple[str, str | None, int]:
    return (found["status"], found["reason"], found["slice_count"])


def test_an_axial_series_is_a_regular_volume() -> None:
    found = one([row(k, (-10, -20, z)) for k, z in enumerate(EVEN, 1)], STRICT)
    assert said(found) == ("volume", None, 5)
    assert found["resample"] == "none"
    assert found["shape"] == [5, 4, 6]
    assert found["spacing_mm"] == [3, 2, 1]
    assert found["origin_mm"] == [-10, -20, 0]
    assert found["affine"] == [1, 0, 0, -10, 0, 2, 0, -20, 0, 0, 3, 0, 0, 0, 0, 1]
    assert found["direction"] == [1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert found["obliquity_degrees"] == found["tilt_degrees"] == found["missing_slices"] == 0
    assert found["regularly_spaced_3d_volume"]


def test_the_affine_of_an_oblique_series_is_the_one_computed_by_hand() -> None:
    # Turned by 30 degrees about x: columns run along (0, cos 30, sin 30), the normal is (0, -sin 30, cos 30).
    c, s = 0.8660254037844386, 0.5
    rows = [
        row(k, (10, 20 - 2 * k * s, 30 + 2 * k * c), ImageOrientationPatient=[1, 0, 0, 0, c, s]) for k in range(1, 5)
    ]
    found = one(rows, STRICT)
    # origin is the slice k = 1: (10, 19, 31.7320508...)
    expected = [[1, 0, 0, 10], [0, 1.7320508, -1, 19], [0, 1, 1.7320508, 31.7320508], [0, 0, 0, 1]]
    np.testing.assert_allclose(np.reshape(found["affine"], (4, 4)), expected, atol=1e-6)
    assert found["obliquity_degrees"] == pytest.approx(30)
    assert found["regularly_spaced_3d_volume"]


def test_slices_stand_along_the_normal_whatever_their_numbers() -> None:
    found = one(at(EVEN[::-1]), STRICT)
    assert heights(found) == EVEN
    assert [slice_["SOPInstanceUID"][-1] for slice_ in found["slices"]] == list("54321")


def test_a_second_slice_at_a_position_is_rejected_or_left_out() -> None:
    rows = at([*EVEN, 6.0])
    rejected = one(rows, STRICT)
    assert said(rejected) == ("rejected", "duplicate_positions", 6)
    assert heights(rejected) == [0, 3, 6, 6, 9, 12]
    assert (rejected["unique_slice_positions"], rejected["regularly_spaced_3d_volume"]) == (False, False)
    kept = one(rows)
    assert (*said(kept), kept["duplicate_slices"]) == ("volume", None, 5, 1)
    assert "1.2.3.6" not in [slice_["SOPInstanceUID"] for slice_ in kept["slices"]]  # the lower number stays


def test_missing_slices_are_counted_and_filled_or_not() -> None:
    rows = at([0, 3, 6, 15, 18, 21])  # 9 and 12 are gone
    rejected = one(rows, STRICT)
    assert said(rejected) == ("rejected", "missing_slices", 6)
    assert rejected["missing_slices"] == 2
    assert not rejected["uniform_slice_spacing"]
    filled = one(rows, {**STRICT, "missing_slices": "resample"})
    assert (*said(filled), filled["resample"], filled["shape"][0]) == ("volume", None, 6, "slices", 8)
    assert filled["spacing_mm"][0] == pytest.approx(3)
    low, high = rows_of(rows, policy(STRICT, missing_slices="split"))
    assert (heights(low), heights(high)) == ([0, 3, 6], [15, 18, 21])
    assert (high["volume_index"], high["origin_mm"], high["resample"]) == (1, [0, 0, 15], "none")


def test_a_gap_leaves_too_small_a_piece_over() -> None:
    volume, left = rows_of(at([0, 3, 6, 9, 18]), policy(missing_slices="split"))
    assert (said(volume), said(left)) == (("volume", None, 4), ("rejected", "missing_slices", 1))


def test_uneven_slices_are_put_onto_a_grid_or_not() -> None:
    rows = at([0, 3, 6, 10.2, 13.2, 16.2])
    assert said(one(rows, STRICT)) == ("rejected", "uneven_spacing", 6)
    gridded = one(rows, {**STRICT, "uneven_spacing": "resample"})
    assert (gridded["resample"], gridded["shape"][0]) == ("slices", 6)  # 16.2 / 3 = 5.4: five steps
    assert gridded["spacing_mm"][0] == pytest.approx(3.24)
    assert gridded["spacing_deviation_mm"] == pytest.approx(4.2 - 3.24)


def test_a_hundredth_of_the_spacing_is_no_defect() -> None:
    assert said(one(at([0, 3, 6.02, 9, 12]), STRICT))[0] == "volume"
    assert said(one(at([0, 3, 6.04, 9, 12]), STRICT))[1] == "uneven_spacing"


def test_a_tilted_stack_is_rejected_or_gets_a_canvas_that_holds_it() -> None:
    # 1.5 mm along y a slice of 3 mm: atan(0.5); the header's own tilt element is not asked.
    rows = [row(k, (0, 1.5 * k, 3.0 * k)) for k in range(5)]
    rejected = one(rows, STRICT)
    assert said(rejected) == ("rejected", "gantry_tilt", 5)
    assert rejected["tilt_degrees"] == pytest.approx(26.565051)
    assert (rejected["consistent_in_plane_row"], rejected["consistent_in_plane_col"]) == (True, False)
    upright = one(rows, {**STRICT, "gantry_tilt": "correct"})
    assert upright["resample"] == "shear"
    assert upright["shape"] == [5, 4 + 3, 6]  # 6 mm of way, 2 mm a row
    assert upright["origin_mm"] == pytest.approx([0, 0, 0])
    other_way = one([row(k, (0, -1.5 * k, 3.0 * k)) for k in range(5)])
    assert other_way["origin_mm"] == pytest.approx([0, -6, 0])
    sideways = one([row(k, (-1.5 * k, 0, 3.0 * k)) for k in range(5)])
    assert sideways["origin_mm"] == pytest.approx([-6, 0, 0])
    assert sideways["shape"] == [5, 4, 6 + 6]  # 1 mm a column


def test_slices_that_are_moved_against_each_other_are_rejected() -> None:
    rows = [row(k, (5.0 * (k % 2), 0, 3.0 * k)) for k in range(6)]
    assert said(one(rows)) == ("rejected", "shifted_slices", 6)


def test_two_acquisitions_in_one_place_are_told_apart() -> None:
    rows = at(EVEN, AcquisitionNumber=1) + at(EVEN, 11, AcquisitionNumber=2)
    assert said(one(rows, STRICT)) == ("rejected", "several_acquisitions", 10)
    first, second = rows_of(rows, policy(STRICT, several_acquisitions="split"))
    assert [first["slices"][0]["SOPInstanceUID"], second["slices"][0]["SOPInstanceUID"]] == ["1.2.3.1", "1.2.3.11"]
    kept, left = rows_of(rows, policy(STRICT, several_acquisitions="first"))
    assert (said(kept), said(left)) == (("volume", None, 5), ("rejected", "several_acquisitions", 5))
    assert kept["slices"] == first["slices"]
    small = at(EVEN[:2], AcquisitionNumber=0, first=21)
    kept, left = rows_of(rows + small, policy(STRICT, several_acquisitions="first"))
    assert (kept["slices"], said(left)[2]) == (first["slices"], 7)


def test_one_slice_taken_again_is_no_acquisition() -> None:
    again = [*at(EVEN, AcquisitionNumber=1), row(9, (0, 0, 6), AcquisitionNumber=2)]
    assert said(one(again, STRICT)) == ("rejected", "duplicate_positions", 6)
    assert one(again)["duplicate_slices"] == 1


def test_echoes_at_several_times_are_told_apart_by_both() -> None:
    rows = [
        row(100 * time + 10 * echo + k, (0, 0, z), TemporalPositionIdentifier=time, EchoTime=2.5 * echo)
        for time in (1, 2) for echo in (1, 2) for k, z in enumerate(EVEN)
    ]  # fmt: skip
    assert [said(found) for found in rows_of(rows, policy(STRICT, several_acquisitions="split"))] == [
        ("volume", None, 5)
    ] * 4


def test_a_scanner_that_numbers_every_slice_has_one_acquisition() -> None:
    rows = [row(k, (0, 0, z), AcquisitionNumber=k) for k, z in enumerate([*EVEN, 6.0])]
    assert said(one(rows[:5], STRICT)) == ("volume", None, 5)
    assert said(one(rows, STRICT)) == ("rejected", "duplicate_positions", 6)


def test_a_localizer_in_the_series_is_left_over() -> None:
    coronal = [1.0, 0, 0, 0, 0, -1]
    scout = row(1, (-200, 0, 200), ImageOrientationPatient=coronal, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    volume, left = rows_of([scout, *at(EVEN, 2)], policy(STRICT))
    assert (said(volume), said(left)) == (("volume", None, 5), ("rejected", "not_a_volume", 1))
    assert volume["regularly_spaced_3d_volume"]
    assert (left["volume_index"], left["slices"][0]["SOPInstanceUID"]) == (1, "1.2.3.1")


def test_what_has_no_place_or_too_few_slices_is_no_volume() -> None:
    assert said(one(at(EVEN[:2]))) == ("rejected", "not_a_volume", 2)
    assert said(one(at(EVEN, PhotometricInterpretation="RGB"))) == ("rejected", "not_a_volume", 5)
    nowhere = [row(k, None) for k in range(4)]
    assert said(one(nowhere)) == ("rejected", "no_geometry", 4)
    assert one(nowhere).get("single_orientation") is None
    for broken in ([0.0] * 6, [1, 0, 0, 1, 0, 0], [2, 0, 0, 0, 1, 0]):
        assert said(one(at(EVEN, ImageOrientationPatient=broken)))[1] == "no_geometry"
    assert said(one(at(EVEN, PixelSpacing=[0.0, 1.0])))[1] == "no_geometry"


def test_patients_are_never_mixed_in_one_volume() -> None:
    rows = at(EVEN)
    rows[3]["subject_id"] = 2
    assert said(one(rows)) == ("rejected", "mixed_subject", 5)
    assert rows_of(rows, policy(), has_subjects=False)[0]["status"] == "volume"
    corrected = {**rows[3], "input_version": 2, "subject_id": 1}
    assert said(one([*rows, corrected])) == ("volume", None, 5)
    everything_moved = [{**one, "input_version": 2, "subject_id": 7} for one in at(EVEN)]
    assert one(at(EVEN) + everything_moved)["subject_id"] == 7
    rows = at(EVEN)
    rows[0]["StudyInstanceUID"] = "1.3"
    assert said(one(rows)) == ("rejected", "mixed_subject", 5)


def test_slices_in_many_directions_or_sizes_are_told_by_one_row() -> None:
    around = []
    for k in range(8):
        angle = np.pi * k / 8
        turned = [np.cos(angle), np.sin(angle), 0, 0, 0, -1]
        around.append(row(k, (0, 0, 0), ImageOrientationPatient=turned))
    assert said(one(around)) == ("rejected", "mixed_orientation", 8)
    assert not one(around)["single_orientation"]
    sizes = [row(k, (0, 0, 3.0 * k), Rows=4 + k) for k in range(4)]
    assert said(one(sizes)) == ("rejected", "mixed_size", 4)


def test_two_directions_in_one_series_are_two_volumes() -> None:
    sagittal = [row(10 + k, (4.0 * k, 0, 0), ImageOrientationPatient=[0, 1, 0, 0, 0, -1]) for k in range(4)]
    axial, other = rows_of([*at(EVEN), *sagittal], policy(STRICT))
    assert (said(axial), said(other)) == (("volume", None, 5), ("volume", None, 4))
    assert other["spacing_mm"] == [4, 2, 1]
    # the normal of these directions, (0, 1, 0) x (0, 0, -1), points to the right: the highest x comes first
    assert other["origin_mm"] == [12, 0, 0]


def test_directions_that_differ_by_rounding_are_one() -> None:
    rows = at(EVEN)
    rows[2]["ImageOrientationPatient"] = [1.0, 0.00003, 0.0, -0.00003, 1.0, 0.0]
    found = one(rows)
    assert said(found) == ("volume", None, 5)
    assert not found["single_orientation"]  # as IDC compares them


def test_frames_of_an_enhanced_object_are_slices() -> None:
    heights_ = [9.0, 6.0, 3.0, 0.0]
    parts = [
        row(1, None, NumberOfFrames=4, part_index=part, frame_offsets=[0, 1, 2],
            frame_positions=[c for z in heights_[2 * part : 2 * part + 2] for c in (0.0, 0.0, z)])
        for part in (1, 0)
    ]  # fmt: skip
    found = one(parts, STRICT)
    assert said(found) == ("volume", None, 4)
    assert [(slice_["frame_index"], slice_["position_mm"]) for slice_ in found["slices"]] == [
        (3, 0), (2, 3), (1, 6), (0, 9),
    ]  # fmt: skip


def test_frames_that_share_a_position_have_no_place_of_their_own() -> None:
    cine = row(1, (0, 0, 0), NumberOfFrames=5, frame_offsets=list(range(6)))
    assert said(one([cine])) == ("rejected", "no_geometry", 5)


def test_the_newest_version_of_a_slice_counts() -> None:
    rows = at(EVEN)
    moved = {**rows[4], "input_version": 2, "ImagePositionPatient": [0.0, 0.0, 11.99]}
    found = one([*rows, moved])
    assert [slice_["input_version"] for slice_ in found["slices"]] == [1, 1, 1, 1, 2]
    assert heights(found)[-1] == 11.99


def test_numbers_that_no_scanner_writes_make_no_giant() -> None:
    far = one(at([0, 1, 2, 5000]))
    assert said(far) == ("rejected", "missing_slices", 4)
    assert said(one(at([0, 0.01, 0.02, 99_000.003])))[1] in ("missing_slices", "uneven_spacing")
    steep = [row(k, (0, 90.0 * k, 1.0 * k)) for k in range(4)]
    assert said(one(steep)) == ("rejected", "gantry_tilt", 4)
    assert said(one([row(k, (0, 0, 1e30 * k)) for k in range(1, 5)]))[1] == "no_geometry"


@st.composite
def _series(draw: st.DrawFn) -> list[dict[str, Any]]:
    number = st.sampled_from([0.0, 1.0, 2.0, 2.5, 3.0, 4.0, 7.0, 1e30])
    made = []
    for k in range(draw(st.integers(1, 12))):
        position = draw(st.one_of(st.none(), st.tuples(number, number, number)))
        made.append(
            row(k, position, AcquisitionNumber=draw(st.sampled_from([None, 1, 2])),
                Rows=draw(st.sampled_from([4, 4, 5])), InstanceNumber=draw(st.sampled_from([None, 1, 2, k])),
                ImageType=draw(st.sampled_from([None, ["ORIGINAL", None], ["ORIGINAL", "PRIMARY", "LOCALIZER"]])),
                ImageOrientationPatient=draw(st.sampled_from([list(AXIAL), list(AXIAL), [0, 1, 0, 0, 0, -1], None])))
        )  # fmt: skip
    return made


@settings(max_examples=60, deadline=None)
@given(rows=_series(), seed=st.integers(0, 99), document=st.sampled_from([LENIENT, STRICT]))
def test_every_slice_ends_in_one_place_in_whatever_order_the_rows_come(
    rows: list[dict[str, Any]], seed: int, document: dict[str, Any]
) -> None:
    for gaps in ("split", document["missing_slices"]):
        asked = policy(document, missing_slices=gaps)
        found = rows_of(rows, asked)
        listed = [one["SOPInstanceUID"] for part in found for one in part["slices"]]
        assert len(set(listed)) == len(listed)
        assert len(listed) + sum(part["duplicate_slices"] for part in found) == len(rows)
        assert all((part["reason"] in REASONS) == (part["status"] == "rejected") for part in found)
        mixed = random.Random(seed).sample(rows, len(rows))
        assert rows_of(mixed, asked) == found


def test_the_hash_of_policies_is_about_what_decides() -> None:
    base = policy_hash(policy())
    assert base == policy_hash(policy(settle_nights=3, modalities=["MR"]))
    assert (
        len({base, *(policy_hash(policy(**{name: STRICT[name]})) for name in STRICT if STRICT[name] != LENIENT[name])})
        == 6
    )
