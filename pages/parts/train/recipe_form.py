"""Every field of the recipe on the Train page.

Each field starts at what the preset says for the architecture. Its key, and so its name in the URL, contains
both: another preset or architecture is another set of fields, and a link repeats exactly what was changed.
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from fer_core.emotions import IMAGE_SIZE
from fer_core.runs.recipe import (
    CLASS_WEIGHTS,
    LABELS,
    PRECISIONS,
    RANGES,
    SAMPLINGS,
    Augmentation,
    Recipe,
)
from fer_core.training.presets import preset
from fer_core.zoo.describe import description
from fer_core.zoo.registry import get
from pages.parts import runs
from pages.parts.train import optimisation
from pages.parts.train.choices import next_name
from pages.parts.train.fields import (
    LABEL_WORDS,
    PRECISION_WORDS,
    SAMPLING_WORDS,
    WEIGHT_WORDS,
    Fields,
)


def edit_recipe(architecture: str, preset_key: str, faces: int) -> Recipe:
    """Every field of the recipe, starting from the preset for so many faces. The result is not validated yet."""
    start = preset(preset_key, architecture, faces)
    usual = next_name(architecture)
    fields = Fields(f"{architecture}.{preset_key}")
    with st.expander("Name, epochs and every other choice", icon=":material/tune:"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = fields.text("Name", "name", start.name, "What the run is called.", usual)
            epochs = fields.whole(
                "Epochs", "epochs", start.epochs, "How many times the network sees every training face."
            )
        recipe = replace(start, name=name.strip() or usual, epochs=epochs)
        for part in (optimisation.steps, optimisation.rate, optimisation.end, _labels, _teachers):
            recipe = part(fields, recipe)
        recipe = replace(recipe, augmentation=_augmentation(fields, recipe.augmentation))
        if get(architecture).transfer:
            recipe = _transfer(fields, recipe)
        return _machine(fields, recipe)


def _labels(fields: Fields, start: Recipe) -> Recipe:
    st.markdown("**Labels and classes**")
    left, right = st.columns(2)
    with left:
        labels = fields.choice(
            "Labels",
            "labels",
            LABELS,
            start.labels,
            LABEL_WORDS,
            "What is learnt of a face: one class, or how ten people divide their votes on it. These votes are FER+'s: "
            "add them to the data on the page Dataset.",
        )
        weights = fields.choice(
            "Class weights",
            "class_weights",
            CLASS_WEIGHTS,
            start.class_weights,
            WEIGHT_WORDS,
            "FER-2013 has seventeen times as many happy faces as disgusted ones.",
        )
    with right:
        smoothing = fields.number(
            f"Label smoothing (0 to {RANGES['label_smoothing'][1]})",
            "label_smoothing",
            start.label_smoothing,
            "%.2f",
            0.05,
            "Spreads this share of each label over all classes: less overconfidence.",
        )
        sampling = fields.choice(
            "Sampling",
            "sampling",
            SAMPLINGS,
            start.sampling,
            SAMPLING_WORDS,
            "Which faces an epoch shows. Class weights and balanced sampling both help rare classes: use one.",
        )
    return replace(start, labels=labels, class_weights=weights, sampling=sampling, label_smoothing=smoothing)


def _teachers(fields: Fields, start: Recipe) -> Recipe:
    left, middle, right = st.columns(3)
    offered = {run.name: run.display_name for run in runs.complete() if run.has_model and not run.is_vote}
    with left:
        teachers = fields.runs(
            "Teachers",
            "teachers",
            offered,
            start.teachers,
            "Finished models whose answers for the training faces are mixed into the labels (distillation): a small "
            "network learns from them which faces are doubtful.",
        )
    share, temperature = start.soft_weight, start.soft_temperature
    if teachers:
        with middle:
            share = fields.number(
                "The teachers' share (0 to 1)",
                "soft_weight",
                share,
                "%.2f",
                0.05,
                "How much of each label is the teachers' answer; the rest is the label in the data.",
            )
        with right:
            temperature = fields.number(
                "The teachers' temperature",
                "soft_temperature",
                temperature,
                "%.1f",
                0.5,
                "Above 1 their answers become less sure, so that more is learnt from their second choices.",
            )
    return replace(start, teachers=teachers, soft_weight=share, soft_temperature=temperature)


def _augmentation(fields: Fields, start: Augmentation) -> Augmentation:
    st.markdown("**Augmentation**: random changes to each training face, drawn anew every time")
    left, middle, right = st.columns(3)
    with left:
        flip = fields.switch("Mirror half of the faces", "flip", start.flip)
        shift = fields.number(
            "Shift, up to (fraction of width)", "shift", start.shift, "%.2f", 0.05, of="augmentation.shift"
        )
    with middle:
        rotation = fields.number(
            "Rotation, up to (degrees)", "rotation", start.rotation, "%.0f", 5.0, of="augmentation.rotation"
        )
        zoom = fields.number("Zoom, up to (fraction)", "zoom", start.zoom, "%.2f", 0.05, of="augmentation.zoom")
    with right:
        erasing = fields.number(
            "Erase a rectangle (probability)", "erasing", start.erasing, "%.2f", 0.05, of="augmentation.erasing"
        )
        mixup = fields.number(
            "Mixup (alpha, 0 = off)",
            "mixup",
            start.mixup,
            "%.2f",
            0.1,
            "Blends pairs of faces and their labels.",
            of="augmentation.mixup",
        )
    return Augmentation(flip=flip, shift=shift, rotation=rotation, zoom=zoom, erasing=erasing, mixup=mixup)


def _transfer(fields: Fields, start: Recipe) -> Recipe:
    st.markdown("**Transfer**: start from weights learned on other pictures")
    layers = [row.name for row in description(start.architecture).layers if row.parameters]
    left, right = st.columns(2)
    with left:
        kinds = ("none", "imagenet", "file")
        words = {
            "none": "None: start from random numbers",
            "imagenet": "ImageNet (downloaded once)",
            "file": "A file on this computer",
        }
        kind = start.initial_weights if start.initial_weights in kinds[:2] else "file"
        weights = fields.choice(
            "Initial weights", "weights", kinds, kind, words, "What the backbone knows before it sees a face."
        )
        if weights == "file":
            known = start.initial_weights if kind == "file" else ""
            weights = fields.text(
                "Weights file",
                "weights_file",
                known,
                "Path of a weights file (.npz, .h5, .keras) on the computer that runs this app.",
            ).strip()
        frozen = fields.whole(
            "Frozen epochs",
            "frozen",
            start.frozen_epochs,
            "For this many epochs the backbone rests and only the new head learns.",
            of="frozen_epochs",
        )
    with right:
        origin = fields.choice(
            "Fine-tune from layer",
            "fine_tune_from",
            ("", *layers),
            start.fine_tune_from,
            {"": "The first: all layers"},
            "After the frozen epochs this layer and all later ones learn too.",
        )
        factor = fields.number(
            "Fine-tuning rate (× learning rate)",
            "fine_tune_factor",
            start.fine_tune_factor,
            "%.4g",
            0.05,
            "Fine-tuning takes smaller steps, so as not to forget.",
        )
    return replace(start, initial_weights=weights, frozen_epochs=frozen, fine_tune_from=origin, fine_tune_factor=factor)


def _machine(fields: Fields, start: Recipe) -> Recipe:
    st.markdown("**Machine**")
    left, middle, right = st.columns(3)
    default = get(start.architecture).default_input_size
    with left:
        size = fields.whole(
            "Input size (pixels)",
            "input_size",
            start.input_size or default,
            "The 48×48 faces are enlarged to this size inside the network.",
        )
    with middle:
        precision = fields.choice(
            "Precision",
            "precision",
            PRECISIONS,
            start.precision,
            PRECISION_WORDS,
            "bfloat16 nearly doubles the speed on some processors.",
        )
    with right:
        seed = fields.whole(
            "Seed",
            "seed",
            start.seed,
            "Fixes the random numbers: the same seed starts from the same network.",
        )
    with left:
        start_epochs = fields.whole(
            "Epochs at a smaller size (0 = none)",
            "start_epochs",
            min(start.start_epochs, start.epochs - 1),
            "The network first sees smaller faces, which is cheaper, and then grows.",
        )
    start_size = start.start_size
    if start_epochs:
        with middle:
            start_size = fields.whole(
                "Smaller size (pixels)",
                "start_size",
                start.start_size or IMAGE_SIZE,
                "The size it starts with.",
            )
    return replace(
        start,
        input_size=0 if size == default else size,
        start_size=start_size if start_epochs else 0,
        start_epochs=start_epochs,
        precision=precision,
        seed=seed,
    )
