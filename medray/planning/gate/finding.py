"""What a check of the gate says."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

ALPHA = 0.001  # of all comparisons of one check together


@dataclass(frozen=True)
class Finding:
    """Attributes:
    check: volume, quarantined, abstained, drift, missing, stale.
    holds: tonight is not published; otherwise it is only noted.
    about: what was looked at ("scores of opacity, scanner 3fa1c2d4").
    found, allowed: in words, with their numbers.
    """

    check: str
    holds: bool
    about: str
    found: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.check}: {self.about}: {self.found} (allowed: {self.allowed})"

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)
