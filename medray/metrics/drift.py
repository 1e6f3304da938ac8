"""How far one night's counts are from a reference's, and whether chance could do that.

PSI: population stability index (Siddiqi, Credit Risk Scorecards, 2006). Of two samples of one
population it is about (1/n + 1/m) times a chi-square of B - 1 degrees of freedom (Yurdakul and
Naranjo, J Risk Model Validation 14(3), 2020): small nights have a large index by chance alone.
KS: the largest distance of the cumulative shares; its p is that of the two-sample test, which on
binned values is too large rather than too small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2, kstwobign

_SHARE = 0.1  # of the reference that a merged bin holds at least
Counts = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Drift:
    """Attributes:
    psi, ks: population stability index (0 or more), Kolmogorov-Smirnov distance (0 to 1).
    psi_p, ks_p: how often two samples of one population are as far apart.
    """

    psi: float
    psi_p: float
    ks: float
    ks_p: float


def drift(reference: Sequence[int], tonight: Sequence[int], *, ordered: bool, inputs: int | None = None) -> Drift:
    """Distance of two samples counted in the same bins.

    Args:
        reference, tonight: counts (B,); each holds at least one.
        ordered: neighbouring bins are alike: they are merged until each has a tenth of the
            reference, and KS is defined. Of categories KS is 0 with p 1.
        inputs: how many inputs tonight's counts are of, where one input is counted several times
            (frames): chance is that of so many.
    """
    expected, found = np.asarray(reference, float), np.asarray(tonight, float)
    m, n = expected.sum(), min(found.sum(), inputs or np.inf)
    bins_expected, bins_found = _merged(expected, found) if ordered else (expected, found)
    index = _psi(bins_expected, bins_found)
    psi_p = float(chi2.sf(index / (1 / n + 1 / m), max(len(bins_expected) - 1, 1)))
    if not ordered:
        return Drift(index, psi_p, 0.0, 1.0)
    distance = float(np.abs(np.cumsum(expected) / expected.sum() - np.cumsum(found) / found.sum()).max())
    return Drift(index, psi_p, distance, float(kstwobign.sf(distance * np.sqrt(n * m / (n + m)))))


def _psi(expected: Counts, found: Counts) -> float:
    """With half a count more in each bin: an empty one would make the index infinite."""
    p = (expected + 0.5) / (expected.sum() + 0.5 * len(expected))
    q = (found + 0.5) / (found.sum() + 0.5 * len(found))
    return float(((q - p) * np.log(q / p)).sum())


def _merged(expected: Counts, found: Counts) -> tuple[Counts, Counts]:
    """Neighbouring bins together until each holds a tenth of the reference."""
    least, starts, held = _SHARE * expected.sum(), [0], 0.0
    for place, count in enumerate(expected):
        if held >= least:
            starts.append(place)
            held = 0.0
        held += count
    if held < least and len(starts) > 1:
        starts.pop()
    return np.add.reduceat(expected, starts), np.add.reduceat(found, starts)
