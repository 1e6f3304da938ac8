"""The three evaluations, in one place to import from."""

from __future__ import annotations

from medray.metrics.binary import evaluate_binary
from medray.metrics.multiclass import evaluate_multiclass
from medray.metrics.multilabel import evaluate_multilabel

__all__ = ["evaluate_binary", "evaluate_multiclass", "evaluate_multilabel"]
