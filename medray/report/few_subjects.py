"""What must be said of a comparison of models on a handful of subjects."""

from __future__ import annotations

from collections.abc import Iterable

from medray.report.metric_words import Json

FEW = 20  # below, verdicts of the paired bootstrap that should be wrong once in twenty times are so once in ten


def few_subjects(compared: Iterable[Json]) -> list[str]:
    """A caution, where any comparison that has a verdict is of fewer.

    Args:
        compared: objects with `verdict` and `n_subjects`.
    """
    sizes = [one["n_subjects"] for one in compared if one["verdict"] is not None]
    if not sizes or min(sizes) >= FEW:
        return []
    return [
        f"Of {min(sizes)} subjects a bootstrap is too sure of itself: which model is better may be chance more often "
        "than p says."
    ]
