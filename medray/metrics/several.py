"""The evaluations of answers with several parts."""

from __future__ import annotations

from medray.metrics.multiclass import evaluate_multiclass
from medray.metrics.multilabel import evaluate_multilabel

__all__ = ["evaluate_multiclass", "evaluate_multilabel"]
