"""From stored values to quantities and grey levels, with numbers worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from medray.dicom.pixels import display_values, frame_arrays, modality_values

Show = Any


@pytest.fixture
def show(instance: Dataset, written: Any, ingest: Any) -> Show:
    """(window, **attributes of the instance) -> grey levels of its values 0 to 5, in a list."""

    def run(window: Any, **attributes: Any) -> list[float]:
        for keyword, value in attributes.items():
            setattr(instance, keyword, value)
        row = ingest(written(instance)).row
        (frame,) = frame_arrays(row)
        levels = display_values(frame, row, window)
        assert levels.dtype == np.float32
        return [round(float(level), 4) for level in levels.ravel()]

    return run


def test_full_is_the_range_of_the_stored_bits(show: Show) -> None:
    assert show("full", BitsStored=3, HighBit=2) == [0, 0.1429, 0.2857, 0.4286, 0.5714, 0.7143]


def test_full_of_signed_values(show: Show) -> None:
    stored = {"BitsStored": 4, "HighBit": 3, "PixelRepresentation": 1}  # -8 to 7
    assert show("full", **stored) == [0.5333, 0.6, 0.6667, 0.7333, 0.8, 0.8667]


def test_full_with_a_falling_rescale(show: Show) -> None:
    stored = {"BitsStored": 3, "HighBit": 2, "RescaleSlope": -2, "RescaleIntercept": 100}
    assert show("full", **stored) == [1, 0.8571, 0.7143, 0.5714, 0.4286, 0.2857]


def test_linear_window_of_the_header(show: Show) -> None:
    # c = 2.5, w = 4: from 2.5 - 0.5 - 1.5 = 0.5 to 3.5, a third a value
    assert show("dicom", WindowCenter=2.5, WindowWidth=4) == [0, 0.1667, 0.5, 0.8333, 1, 1]


def test_linear_exact_window_of_the_header(show: Show) -> None:
    # from 2.5 - 2 = 0.5 to 4.5, a quarter a value
    window = {"WindowCenter": 2.5, "WindowWidth": 4, "VOILUTFunction": "LINEAR_EXACT"}
    assert show("dicom", **window) == [0, 0.125, 0.375, 0.625, 0.875, 1]


def test_sigmoid_window_of_the_header(show: Show) -> None:
    # 1 / (1 + exp(-4 (x - 2) / 4)) = 1 / (1 + exp(2 - x))
    window = {"WindowCenter": 2, "WindowWidth": 4, "VOILUTFunction": "SIGMOID"}
    assert show("dicom", **window) == [0.1192, 0.2689, 0.5, 0.7311, 0.8808, 0.9526]


def test_the_first_of_several_windows(show: Show) -> None:
    assert show("dicom", WindowCenter=[2.5, 9], WindowWidth=[4, 1]) == [0, 0.1667, 0.5, 0.8333, 1, 1]


def test_a_window_of_the_recipe_is_in_the_modality_s_unit(show: Show) -> None:
    # -10 x + 20: 20 10 0 -10 -20 -30; c = 0, w = 41: from -20.5 to 19.5, a fortieth a unit
    scaled = {"RescaleSlope": -10, "RescaleIntercept": 20, "WindowCenter": 1, "WindowWidth": 1}
    assert show((0, 41), **scaled) == [1, 0.7625, 0.5125, 0.2625, 0.0125, 0]


def test_without_a_window_the_header_s_is_the_full_one(show: Show) -> None:
    assert show("dicom", BitsStored=3, HighBit=2) == [0, 0.1429, 0.2857, 0.4286, 0.5714, 0.7143]
    assert show("dicom", WindowCenter=[1, 2], WindowWidth=1) == [0, 0.1429, 0.2857, 0.4286, 0.5714, 0.7143]


@pytest.mark.parametrize("turned", [{"PhotometricInterpretation": "MONOCHROME1"}, {"PresentationLUTShape": "INVERSE"}])
def test_inverse_presentations_are_turned_over(turned: dict[str, str], show: Show) -> None:
    levels = [1, 0.8333, 0.5, 0.1667, 0, 0]
    assert show("dicom", WindowCenter=2.5, WindowWidth=4, **turned) == levels
    both = {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"}
    assert show("dicom", **both) == levels


def test_padding_is_dark_on_every_window(show: Show) -> None:
    window = {"WindowCenter": 2.5, "WindowWidth": 4}
    assert show("dicom", **window, PixelPaddingValue=5) == [0, 0.1667, 0.5, 0.8333, 1, 0]
    assert show("dicom", PixelPaddingRangeLimit=3) == [0, 0.1667, 0.5, 0, 0, 0]
    assert show("dicom", PhotometricInterpretation="MONOCHROME1") == [1, 0.8333, 0.5, 0, 0, 0]


def test_padding_written_with_the_other_sign(instance: Dataset, written: Any, ingest: Any) -> None:
    instance.PixelRepresentation = 1
    instance.add_new("PixelPaddingValue", "US", 63536)
    assert ingest(written(instance)).row["PixelPaddingValue"] == -2000
    instance.PixelRepresentation = 0
    instance.add_new("PixelPaddingValue", "SS", -2000)
    assert ingest(written(instance)).row["PixelPaddingValue"] == 63536


def _table(first: int, bits: int, *entries: int, width: str = "<u2") -> Sequence:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(entries), first, bits])
    item.add_new("LUTData", "OW", np.array(entries, width).tobytes())
    return Sequence([item])


def test_a_modality_table_comes_before_the_rescale(instance: Dataset, written: Any, ingest: Any) -> None:
    instance.ModalityLUTSequence = _table(2, 16, 100, 200, 400)
    instance.RescaleSlope, instance.RescaleIntercept = 7, 7
    row = ingest(written(instance)).row
    assert row["modality_lut"]["first"] == 2
    (frame,) = frame_arrays(row)
    assert modality_values(frame, row).ravel().tolist() == [100, 100, 100, 200, 400, 400]


def test_a_table_may_begin_below_zero_and_hold_65536_entries(instance: Dataset, written: Any, ingest: Any) -> None:
    instance.PixelRepresentation = 1
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [0, 65536 - 32768, 16])
    item.add_new("LUTData", "OW", np.arange(65536, dtype="<u2").tobytes())
    instance.ModalityLUTSequence = Sequence([item])
    row = ingest(written(instance)).row
    assert row["modality_lut"]["first"] == -32768
    (frame,) = frame_arrays(row)
    assert modality_values(frame, row).ravel().tolist() == [32768 + value for value in range(6)]


def test_a_voi_table_stands_in_for_a_window(show: Show) -> None:
    table = _table(1, 12, 0, 1365, 4095)
    assert show("dicom", VOILUTSequence=table) == [0, 0, 0.3333, 1, 1, 1]
    assert show("dicom", WindowCenter=2.5, WindowWidth=4) == [0, 0.1667, 0.5, 0.8333, 1, 1]


def test_rescale_gives_hounsfield_units(instance: Dataset, written: Any, ingest: Any) -> None:
    instance.RescaleSlope, instance.RescaleIntercept = "0.5", "-1024"
    row = ingest(written(instance)).row
    (frame,) = frame_arrays(row)
    values = modality_values(frame, row)
    assert values.dtype == np.float32
    assert values.ravel().tolist() == [-1024, -1023.5, -1023, -1022.5, -1022, -1021.5]


def test_palettes_become_colours(instance: Dataset, written: Any, ingest: Any) -> None:
    instance.PhotometricInterpretation = "PALETTE COLOR"
    for colour, entries in {"Red": (0, 10, 20, 255), "Green": (1, 2, 3, 4), "Blue": (9, 8, 7, 6)}.items():
        instance.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [4, 1, 8])
        instance.add_new(f"{colour}PaletteColorLookupTableData", "OW", bytes(entries))
    row = ingest(written(instance)).row
    (frame,) = frame_arrays(row)
    assert frame.dtype == np.uint8
    assert frame[0].tolist() == [[0, 1, 9], [0, 1, 9], [10, 2, 8]]
    assert frame[1].tolist() == [[20, 3, 7], [255, 4, 6], [255, 4, 6]]
    shown = display_values(frame, row, "full")
    assert shown.shape == (2, 3, 3)
    assert shown[1, 2].tolist() == pytest.approx([1, 4 / 255, 6 / 255])


def test_a_palette_image_without_palette(instance: Dataset, written: Any, ingest: Any) -> None:
    instance.PhotometricInterpretation = "PALETTE COLOR"
    assert ingest(written(instance)).reason == "bad_pixel_header"
    for colour in ("Red", "Green", "Blue"):
        instance.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [400, 0, 8])
        instance.add_new(f"{colour}PaletteColorLookupTableData", "OW", bytes(4))
    assert ingest(written(instance)).reason == "bad_pixel_header"
