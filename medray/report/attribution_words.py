"""What the methods are called, and what they do not promise."""

from __future__ import annotations

WORDS = {
    "grad_cam": "Grad-CAM",
    "integrated_gradients": "Integrated gradients",
    "shap": "SHAP",
    "lime": "LIME",
}
CAVEATS = {
    "grad_cam": (
        "Grad-CAM shows where the last feature maps speak for the answer, at their coarse resolution: a "
        "bright patch covers more than what caused it. It is a picture of one layer, not a proof: it does not "
        "sum up to the answer, it can miss the smaller of two findings, and a network with random weights can "
        "give one that looks plausible."
    ),
    "integrated_gradients": (
        "Integrated gradients share the change from the reference image to this one among the pixels, and "
        "their sum is checked. What is as dark (or as grey) as the reference gets nothing, whatever it means; "
        "edges get much; another reference gives another map."
    ),
    "shap": (
        "SHAP shares the change from the reference to this row among the features, averaged over the orders "
        "in which they could become known, and their sum is checked. It takes features away one by one, also "
        "where they go together in patients: what such a made-up row is answered counts too. Features that "
        "say the same share what they add."
    ),
    "lime": (
        "LIME is a straight line near one row. Its fit says how much of the network's answers there the line "
        "explains; where the fit is low, its amounts mean little. Nothing makes them sum up to the answer."
    ),
}
EVERY = (
    "An explanation tells what the model reacts to, not what causes the disease, and not whether the "
    "model is right. A wrong answer can have a convincing explanation. Look at several rows, at both "
    "methods, and at the errors first."
)
KINDS = {
    "highest": "The highest answers.",
    "least certain": "Answers nearest to the threshold.",
    "lowest": "The lowest answers: what speaks against them is blue.",
}
