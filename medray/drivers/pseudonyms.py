"""What stands for a patient's identifiers, as a recipe declares it."""

from __future__ import annotations

from medray.privacy.keys import load_key
from medray.privacy.pseudonyms import Pseudonyms
from medray.recipes.ingest import Deidentify


def pseudonyms_of(deidentify: Deidentify) -> Pseudonyms:
    """The pseudonyms that a recipe declares, with the secret read here and now."""
    return Pseudonyms(load_key(deidentify.key), identified=deidentify.profile == "none")
