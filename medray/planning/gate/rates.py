"""Are more inputs unusable, or out of the model's range, than before?"""

from __future__ import annotations

from collections.abc import Sequence

from scipy.stats import binom

from medray.planning.gate.finding import ALPHA, Finding
from medray.planning.gate.history import Night

_ALONE = 0.5  # allowed where nothing was seen before


def check_rates(tonight: Night, seen: Sequence[Night], excess: float) -> list[Finding]:
    """Each share of tonight beside that of the nights before, all together."""
    found = []
    for name, share in tonight.shares.items():
        before = [night.shares[name] for night in seen if name in night.shares]
        whole = sum(one.whole for one in before)
        usual = sum(one.part for one in before) / whole if whole else None
        limit = _ALONE if usual is None else min(usual + excess, 1.0)
        if not share.whole or share.part <= limit * share.whole:
            continue
        chance = binom.sf(share.part - 1, share.whole, usual if usual is not None else limit)
        if chance < ALPHA / len(tonight.shares):
            check, _, of = name.partition(" of ")
            shown = f"{share.part:,} of {share.whole:,} ({share.part / share.whole:.1%})"
            against = "no night before" if usual is None else f"{usual:.1%} in the nights before"
            found.append(Finding(check, True, of, shown, f"{limit:.1%}: {against}"))
    return found
