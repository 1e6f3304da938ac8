"""The evaluations, in one place to import from."""

from __future__ import annotations

from medray.metrics.binary import evaluate_binary
from medray.metrics.multiclass import evaluate_multiclass
from medray.metrics.multilabel import evaluate_multilabel
from medray.metrics.ordinal import evaluate_ordinal
from medray.metrics.regression import evaluate_regression

__all__ = [
    "evaluate_binary",
    "evaluate_multiclass",
    "evaluate_multilabel",
    "evaluate_ordinal",
    "evaluate_regression",
]
