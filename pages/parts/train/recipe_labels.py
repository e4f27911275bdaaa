"""What the recipe's choices are called in the form."""

from __future__ import annotations

OPTIMIZER_WORDS = {"adam": "Adam (AdamW)", "sgd": "SGD with Nesterov momentum"}
SCHEDULE_WORDS = {
    "cosine": "Cosine: falls smoothly to zero",
    "plateau": "Plateau: halves when PublicTest stops improving",
    "constant": "Constant",
}
WEIGHT_WORDS = {
    "none": "None: every face counts the same",
    "sqrt": "Square root: rare classes count somewhat more",
    "balanced": "Balanced: every class counts the same",
}
SAMPLING_WORDS = {
    "shuffled": "Every face once an epoch",
    "balanced": "Every class equally often",
}
PRECISION_WORDS = {
    "auto": "Automatic: measure both, take the faster",
    "float32": "float32",
    "mixed_bfloat16": "mixed bfloat16",
}
