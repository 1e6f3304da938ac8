from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from medray.report import contact_sheet, curves, decisions, intake, training

EDGES = [0.0, 0.5, 1.0]
RELIABILITY = {"mean_score": [0.2, None], "observed": [0.1, None], "lower": [None, None], "upper": [0.3, None]}
HISTOGRAM = {"edges": EDGES, "negative": [3, 1], "positive": [0, 2]}
EPOCHS: list[dict[str, float | None]] = [
    {"epoch": 1, "loss": 0.5, "auroc": None},
    {"epoch": 2, "loss": 0.4, "auroc": 0.9},
]
FIGURES = {
    "roc": lambda: curves.roc_curve({"x": [0, 0, 1], "y": [0, 0.8, 1]}, 0.8, 0.9),
    "roc, no decisions": lambda: curves.roc_curve({"x": [0, 1], "y": [0, 1]}, None, None),
    "precision": lambda: curves.precision_recall_curve({"x": [0.5, 1], "y": [1, 0.4]}, 0.4, 0.5, 1.0),
    "calibration": lambda: curves.calibration_curve(RELIABILITY, HISTOGRAM),
    "confusion": lambda: decisions.confusion_matrix([[8, 1], [2, 9]], ("no", "yes")),
    "confusion of nothing": lambda: decisions.confusion_matrix(np.zeros((5, 5), int).tolist(), "abcde"),
    "scores": lambda: decisions.score_histogram(EDGES, [3, 1], [0, 2], 0.37),
    "scores of nothing": lambda: decisions.score_histogram(EDGES, [0, 0], [0, 0], None),
    "shift": lambda: decisions.score_shift(EDGES, [1, 2], [30, 40], "score", "training"),
    "shift of nothing": lambda: decisions.score_shift(EDGES, [0, 0], [30, 40], "score", "training"),
    "categories": lambda: decisions.category_shift(["F", "M"], [1, 2], [30, 40], "training"),
    "training": lambda: training.training_curves(EPOCHS),
    "losses only": lambda: training.training_curves([{"train_loss": 0.5}]),
    "intake": lambda: intake.outcome_bars({"ingested": 97, "duplicate": 0}, {"truncated": 3, "empty": 20}),
}  # fmt: skip


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_svg_the_same_each_time(name: str) -> None:
    image = FIGURES[name]()
    root = ElementTree.fromstring(image)
    assert root.tag.endswith("svg")
    assert len(list(root.iter("{http://www.w3.org/2000/svg}path"))) > 3
    assert b"dc:date" not in image
    assert FIGURES[name]() == image


@pytest.mark.parametrize("shape", [(7, 20, 30), (2, 16, 16, 3)])
def test_a_contact_sheet_is_a_png_with_all_images(shape: tuple[int, ...]) -> None:
    images = np.full(shape, 255, np.uint8)
    images[-1] = 0
    sheet = np.asarray(Image.open(io.BytesIO(contact_sheet.contact_sheet(images, ["a"] * shape[0]))).convert("L"))
    rows = -(-shape[0] // contact_sheet.PER_ROW)
    assert sheet.shape[0] == pytest.approx(rows * (contact_sheet.SIDE + 0.36) * 150, abs=2)
    # one image in the last place is black: a good part of it, and none in the first place
    height, width = sheet.shape[0] // rows, sheet.shape[1] // min(shape[0], contact_sheet.PER_ROW)
    last = (shape[0] - 1) % contact_sheet.PER_ROW
    assert (sheet[-height:, last * width : (last + 1) * width] == 0).mean() > 0.3
    assert (sheet[:height, :width] == 0).mean() < 0.1


def test_grey_values_are_shown_as_they_are() -> None:
    sheet = np.asarray(Image.open(io.BytesIO(contact_sheet.contact_sheet(np.full((1, 8, 8), 100, np.uint8), [""]))))
    assert sheet[sheet.shape[0] // 2, sheet.shape[1] // 2, 0] == 100


def test_operating_point_is_drawn_only_where_it_is_known() -> None:
    line = {"x": [0.0, 1.0], "y": [0.0, 1.0]}
    assert len(curves.roc_curve(line, 0.8, 0.9)) > len(curves.roc_curve(line, None, 0.9))
    known = curves.precision_recall_curve(line, 0.4, 0.5, 1.0)
    assert len(known) > len(curves.precision_recall_curve(line, 0.4, 0.5, None))


def test_figures_leave_the_style_of_others_alone() -> None:
    FIGURES["scores"]()
    assert mpl.rcParams["svg.hashsalt"] is None
    assert mpl.rcParams["axes.spines.top"]
