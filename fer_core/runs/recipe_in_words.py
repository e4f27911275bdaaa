"""How a run was trained, in sentences: its recipe, what it started from, who taught it, and what its journal adds."""

from __future__ import annotations

from collections import Counter

from fer_core.formatting import listed, percent, plural
from fer_core.runs.journal import Event
from fer_core.runs.recipe import Recipe
from fer_core.zoo.backend import TENSORFLOW
from fer_core.zoo.backend import TITLES as BACKENDS
from fer_core.zoo.registry import get


def recipe_sentences(recipe: Recipe) -> list[str]:
    """The recipe in words, one sentence each."""
    architecture = get(recipe.architecture)
    kind = "AdamW" if recipe.optimizer == "adam" else "SGD with Nesterov momentum 0.9"
    sentences = [
        f"{plural(recipe.epochs, 'epoch')} in batches of {recipe.batch_size} faces, {recipe.precision} arithmetic, "
        f"seed {recipe.seed}.",
        f"{kind}, learning rate {recipe.learning_rate:g} ({recipe.schedule} schedule, "
        f"{plural(recipe.warmup_epochs, 'epoch')} of warm-up), weight decay {recipe.weight_decay:g}, "
        f"label smoothing {recipe.label_smoothing:g}.",
    ]
    if recipe.clip_norm:
        sentences.append(f"Steps whose gradients together were longer than {recipe.clip_norm:g} were shortened to it.")
    if recipe.backend != TENSORFLOW:
        sentences.append(f"Trained with {BACKENDS[recipe.backend]}; measured and exported with TensorFlow.")
    if recipe.class_weights != "none":
        how = "inverse frequency" if recipe.class_weights == "balanced" else "the square root of it"
        sentences.append(f"Rare classes weigh more: {how}.")
    if recipe.sampling == "balanced":
        sentences.append("Every class was shown equally often, so that rare faces came several times an epoch.")
    if recipe.folds:
        sentences.append(
            f"Part {recipe.fold} of {recipe.folds} of the Training faces was left out, near duplicates with it, so "
            "that this run can label it as a teacher."
        )
    if recipe.averaging:
        sentences.append(
            f"Measured and kept is a running average of the weights, of which each step keeps {recipe.averaging:g}."
        )
    sentences.append(augmentation_sentence(recipe))
    if recipe.start_epochs:
        sentences.append(
            f"The first {plural(recipe.start_epochs, 'epoch')} worked on faces resized to "
            f"{recipe.start_size}×{recipe.start_size} pixels; then the network grew."
        )
    if architecture.transfer:
        start = {"none": "random weights", "imagenet": "ImageNet weights"}.get(
            recipe.initial_weights, "weights from a local file"
        )
        sentences.append(f"It started from {start}.")
        if recipe.frozen_epochs:
            sentences.append(
                f"The head alone trained for {plural(recipe.frozen_epochs, 'epoch')}; then layers from "
                f"{recipe.fine_tune_from or 'the first'} on, at {recipe.fine_tune_factor:g} times the learning rate."
            )
        elif recipe.fine_tune_from:
            sentences.append(
                f"Layers from {recipe.fine_tune_from} on were trained; those before it stayed as they were."
            )
    if recipe.early_stopping:
        sentences.append(f"Early stopping after {plural(recipe.early_stopping, 'epoch')} without a better PublicTest.")
    return sentences


def pretrained_sentence(events: list[Event]) -> str:
    """What was pretrained and what was not, from the journal; empty for a network trained from scratch."""
    found = next((event for event in reversed(events) if event["event"] == "weights"), None)
    if found is None:
        return ""
    text = (
        f"Pretrained: {found['parameters']:,} of the backbone's {found['backbone']:,} parameters, from {found['file']} "
        f"(SHA-256 {found['sha256'][:16]}…)."
    )
    if found["missing"]:
        text += f" Not in that file, so random at the start: {', '.join(found['missing'])}."
    if found.get("clipped"):
        text += f" Cut to the largest number of half precision, in which the file is: {', '.join(found['clipped'])}."
    return f"{text} The head started from random weights."


def teachers_sentence(recipe: Recipe, events: list[Event]) -> str:
    """Who labelled besides people, how much that counts, and what these teachers had learnt; empty without teachers."""
    found = next((event for event in reversed(events) if event["event"] == "teachers"), None)
    if found is None:
        return ""
    names = listed([f"{one['name']} (SHA-256 {one['sha256'][:16]}…)" for one in found["teachers"]])
    at = f" at temperature {recipe.soft_temperature:g}" if recipe.soft_temperature != 1 else ""
    text = (
        f"{percent(recipe.soft_weight, 0)} of each label is what teachers say of the face{at}: the mean of {names}. "
        f"Their most probable class is the label for {percent(found['agreement'])} of the {found['faces']:,} faces."
    )
    if found["unseen"] == found["faces"]:
        return f"{text} No face was labelled by a teacher that had learnt its label."
    return f"{text} The teachers had learnt these very labels, so they are surer of them than of new faces."


def crowd_sentence(events: list[Event]) -> str:
    """That the crowd's votes were learnt, of how many faces, and how far they go with the labels; empty without."""
    found = next((event for event in reversed(events) if event["event"] == "crowd"), None)
    if found is None:
        return ""
    return (
        "Its labels are the crowd's: how ten people of FER+ divide their votes on a face among the seven classes "
        f"(Barsoum et al., 2016; SHA-256 {found['sha256'][:16]}…). "
        f"{found['faces']:,} faces were learnt; {found['not_faces']:,} that the crowd calls no face and "
        f"{found['unclassed']:,} without a vote for any of the seven were left out. FER-2013's own label has most of "
        f"the votes for {percent(found['agreement'])}. The best epoch was chosen by FER-2013's own labels all the same."
    )


def history_sentences(recipe: Recipe, events: list[Event]) -> list[str]:
    """What was pretrained, who taught, whose labels were learnt, and after what the training was taken up again, from
    the journal; each may be missing. Names in it are somebody's own words.
    """
    found = [pretrained_sentence(events), teachers_sentence(recipe, events), crowd_sentence(events)]
    taken_up = Counter(event["first_epoch"] for event in [e for e in events if e["event"] == "start"][1:])
    if taken_up:
        epochs = " and ".join(f"{epoch}{f' ({n} times)' if n > 1 else ''}" for epoch, n in taken_up.items())
        found.append(f"It was interrupted, and resumed from its last whole epoch: at epoch {epochs}.")
    return [sentence for sentence in found if sentence]


def augmentation_sentence(recipe: Recipe) -> str:
    """Which random changes training faces went through, in words."""
    augmentation = recipe.augmentation
    parts = [
        ("mirrored half of the time", augmentation.flip),
        (f"shifted by up to {percent(augmentation.shift, 0)}", augmentation.shift),
        (f"turned by up to {augmentation.rotation:g}°", augmentation.rotation),
        (f"zoomed by up to {percent(augmentation.zoom, 0)}", augmentation.zoom),
        (f"partly erased with probability {augmentation.erasing:g}", augmentation.erasing),
        (f"blended in pairs (mixup, alpha {augmentation.mixup:g})", augmentation.mixup),
    ]
    active = [text for text, on in parts if on]
    return f"Training faces were {', '.join(active)}." if active else "No augmentation."
