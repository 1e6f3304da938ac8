"""An evaluation on images that the model was made with says so first."""

from __future__ import annotations

import numpy as np
from report.comparison import document

from medray.metrics.evaluate import evaluate_binary
from medray.report.evaluation import evaluation_report
from medray.report.render import render


def _page(seen: int) -> str:
    truth = np.arange(20) % 2.0
    found = evaluate_binary(truth * 0.6 + 0.2, truth, truth == 1, 0.5, np.arange(20), resamples=10, seed=1).to_json()
    return render(
        evaluation_report(
            title="t", subtitle="s", facts=(), evaluation=document(answers={"a": found}, learnt_images=seen),
            training=None, ingest=None, reasons={}, lineage={}, examples={},
        )
    )  # fmt: skip


def test_images_that_were_learnt_from_are_a_caution_before_all_numbers() -> None:
    page = _page(3)
    assert page.index("3 of the images are, to the last pixel, images that the model was made with") < page.index(
        "AUROC"
    )
    assert "images that the model was made with" not in _page(0)
