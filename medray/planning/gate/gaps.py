"""Is something of the inputs missing that used to be there?"""

from __future__ import annotations

from collections.abc import Sequence

from scipy.stats import binom

from medray.planning.gate.finding import ALPHA, Finding
from medray.planning.gate.history import Night, references
from medray.planning.gate.observed import Reference, judged_groups, known_as
from medray.planning.gate.shifts import about
from medray.planning.gate.trait_bins import share_known

_DROP = 0.5  # of the share in which it was known
_RARE = 0.1  # what fewer inputs had is missed by nobody


def check_gaps(tonight: Night, seen: Sequence[Night], reference: Reference, fewest: int) -> list[Finding]:
    """A trait that is known in less than half of the share of inputs that it was known in, in training
    and in the nights before."""
    found = []
    for group, counts in judged_groups(tonight.observed, fewest):
        known = [reference["counts"], *(other for _, other in references(seen, tonight.model_sha256, group))]
        for name, bins in counts["traits"].items():
            shares = [share for other in known if (share := share_known(other["traits"].get(name))) is not None]
            usual = min(shares, default=0.0)
            have = share_known(bins)
            if have is None or usual < _RARE or have >= _DROP * usual:
                continue
            subjects = counts["subjects"]
            if binom.cdf(round(have * subjects), subjects, usual) < ALPHA / len(counts["traits"]):
                what = about(f"input trait '{known_as(reference, name)}'", group)
                found.append(Finding("missing", True, what, f"known in {have:.0%}", f"{usual:.0%} before"))
    return found
