"""What people say of the models of the tests: `[model.card]` of a recipe that promotes."""

from __future__ import annotations

CARD = {
    "intended_use": "To test medray.",
    "exclusions": "Not for any patient.",
    "limits": "It has learnt from drawings.",
    "licence": "Apache-2.0.",
}
