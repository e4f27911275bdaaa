"""The recipe's optimisation on the Train page, a row of fields for each subject: see :mod:`.recipe_form`."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from fer_core.runs.recipe import OPTIMIZERS, SCHEDULES, Recipe
from pages.parts.train.fields import OPTIMIZER_WORDS, SCHEDULE_WORDS, Fields


def steps(fields: Fields, start: Recipe) -> Recipe:
    """How a step changes the weights, and how many faces it looks at."""
    st.markdown("**Optimisation**")
    left, middle, right = st.columns(3)
    with left:
        optimizer = fields.choice(
            "Optimiser",
            "optimizer",
            OPTIMIZERS,
            start.optimizer,
            OPTIMIZER_WORDS,
            "Adam is forgiving. SGD often ends a little better in long trainings.",
        )
    with middle:
        batch_size = fields.whole(
            "Batch size (faces)", "batch_size", start.batch_size, "Faces per step. Larger batches need more memory."
        )
    with right:
        weight_decay = fields.number(
            "Weight decay",
            "weight_decay",
            start.weight_decay,
            "%.4g",
            0.01,
            "Pulls all weights towards zero, against overfitting.",
        )
    return replace(start, optimizer=optimizer, batch_size=batch_size, weight_decay=weight_decay)


def rate(fields: Fields, start: Recipe) -> Recipe:
    """How large the steps are, from the first epoch to the last."""
    left, middle, right = st.columns(3)
    with left:
        learning_rate = fields.number(
            "Learning rate",
            "learning_rate",
            start.learning_rate,
            "%.6g",
            0.0005,
            "Size of a step. Too large: the loss jumps about. Too small: nothing moves.",
        )
    with middle:
        warmup = fields.number(
            "Warm-up (epochs)",
            "warmup",
            start.warmup_epochs,
            "%.1f",
            0.5,
            "The learning rate rises from zero over this many epochs.",
            of="warmup_epochs",
        )
    with right:
        schedule = fields.choice(
            "Schedule",
            "schedule",
            SCHEDULES,
            start.schedule,
            SCHEDULE_WORDS,
            "How the learning rate changes while training.",
        )
        patience = start.plateau_patience
        if schedule == "plateau":
            patience = fields.whole(
                "Plateau patience (epochs)",
                "plateau_patience",
                patience,
                "Halve the rate after this many epochs without a better PublicTest accuracy.",
            )
    return replace(
        start, learning_rate=learning_rate, warmup_epochs=warmup, schedule=schedule, plateau_patience=patience
    )


def end(fields: Fields, start: Recipe) -> Recipe:
    """When it ends, and which weights are kept then."""
    left, right = st.columns(2)
    with left:
        stopping = fields.whole(
            "Early stopping (epochs, 0 = off)",
            "early_stopping",
            start.early_stopping,
            "End the training after this many epochs without a better PublicTest accuracy.",
        )
    with right:
        averaging = fields.number(
            "Averaged weights (0 = off)",
            "averaging",
            start.averaging,
            "%.5g",
            0.001,
            "The model kept is a running average of which each step keeps this share; 0.999 is common. Steadier, and "
            "often a little better.",
        )
    return replace(start, early_stopping=stopping, averaging=averaging)
