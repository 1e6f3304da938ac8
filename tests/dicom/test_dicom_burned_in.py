"""Which images can show text, and which rules of a recipe clear them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError
from pydicom.dataset import Dataset

from medray.dicom.deidentify.burned_in import Kind, cleared, risk
from medray.dicom.deidentify.policy import Clearance, Policy

CT = Kind("CT", "1.2.840.10008.5.1.4.1.1.2", ("ORIGINAL", "PRIMARY", "AXIAL"), "MONOCHROME2", "", "SIEMENS")


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, None),
        ({"burned_in_annotation": "NO"}, None),
        ({"burned_in_annotation": "YES"}, "it says so"),
        ({"modality": "DX", "image_type": ("DERIVED", "PRIMARY")}, None),
        ({"modality": "US"}, "its modality"),
        ({"modality": "ES"}, "its modality"),
        ({"modality": "XC"}, "its modality"),
        ({"modality": "OT"}, "its modality"),
        ({"modality": "SC"}, "its modality"),
        ({"modality": "CTX"}, "its modality"),
        ({"modality": ""}, "no modality"),
        ({"sop_class": "1.2.840.10008.5.1.4.1.1.7"}, "its class"),
        ({"sop_class": "1.2.840.10008.5.1.4.1.1.7.2"}, "its class"),
        ({"sop_class": "1.2.840.10008.5.1.4.1.1.6.1"}, "its class"),
        ({"sop_class": "1.2.840.10008.5.1.4.1.1.77.1.4"}, "its class"),
        ({"sop_class": "1.2.840.10008.5.1.4.1.1.77.1.5.1", "modality": "OP", "photometric": "RGB"}, None),
        ({"image_type": ("DERIVED", "SECONDARY")}, "its image type"),
        ({"image_type": ("ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SCREEN SAVE")}, "its image type"),
        ({"image_type": ("DERIVED", "PRIMARY", "Dose_Info")}, "its image type"),
        ({"photometric": "RGB"}, "colour in a grey modality"),
        ({"photometric": "PALETTE COLOR"}, "colour in a grey modality"),
    ],
)
def test_risk(changes: dict[str, Any], found: str | None) -> None:
    assert risk(replace(CT, **changes)) == found


def test_all_fields_of_a_rule_must_match() -> None:
    kind = replace(CT, modality="US", sop_class="1.2.3", image_type=("ORIGINAL", "PRIMARY", "ABDOMEN"))

    def clears(**fields: Any) -> bool:
        return cleared(kind, [Clearance(reason="phantoms", **fields)])

    assert clears(modality="US")
    assert clears(modality="US", manufacturer="SIEMENS", sop_class="1.2.3", image_type=("ABDOMEN", "PRIMARY"))
    assert not clears(modality="ES")
    assert not clears(modality="US", manufacturer="GE")
    assert not clears(modality="US", sop_class="1.2.4")
    assert not clears(modality="US", image_type=("ABDOMEN", "OBSTETRIC"))
    assert cleared(kind, [Clearance(reason="a", modality="ES"), Clearance(reason="b", modality="US")])
    assert not cleared(kind, [])


def test_an_image_that_says_so_needs_a_rule_that_says_so() -> None:
    kind = replace(CT, burned_in_annotation="YES")
    assert not cleared(kind, [Clearance(reason="a", modality="CT")])
    assert cleared(kind, [Clearance(reason="a", modality="CT", burned_in_annotation="YES")])


def test_a_rule_says_what_it_clears_and_why() -> None:
    for fields in (
        {"reason": "all"},
        {"modality": "US"},
        {"reason": "", "modality": "US"},
        {"reason": "a", "image_type": ()},
    ):
        with pytest.raises(ValidationError):
            Clearance.model_validate(fields)
    with pytest.raises(ValidationError, match="twice"):
        Policy(options=("retain_device", "retain_device"))


def test_risk_ends_in_quarantine_unless_a_rule_clears_it(instance: Dataset, written: Any, ingest: Any) -> None:
    instance.Modality = "US"
    data = written(instance)
    (bad,) = ingest(data, policy=Policy()).bad
    assert (bad.reason, bad.detail) == ("burned_in_risk", "its class")
    assert ingest(data, policy=Policy(cleared=(Clearance(reason="phantoms", modality="US"),))).row["Modality"] == "US"
