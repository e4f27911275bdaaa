"""How a run was trained, in sentences."""

from __future__ import annotations

from dataclasses import replace

from fer_core.runs.recipe import Augmentation, Recipe
from fer_core.runs.recipe_in_words import (
    augmentation_sentence,
    history_sentences,
    pretrained_sentence,
    recipe_sentences,
)
from fer_core.training.presets import preset


def test_augmentation_in_words() -> None:
    plain = Recipe("custom_cnn")
    assert augmentation_sentence(plain) == "No augmentation."
    busy = replace(plain, augmentation=Augmentation(flip=True, shift=0.1, rotation=10, mixup=0.2))
    assert augmentation_sentence(busy) == (
        "Training faces were mirrored half of the time, shifted by up to 10 %, turned by up to 10°, blended in pairs "
        "(mixup, alpha 0.2)."
    )


def test_a_transfer_recipe_says_what_was_pretrained() -> None:
    text = " ".join(recipe_sentences(preset("quick", "resnet50")))
    assert "ImageNet weights" in text
    assert "conv3_block1_1_conv" in text
    text = " ".join(recipe_sentences(replace(preset("serious", "vgg16"), initial_weights="none")))
    assert "random weights" in text


def test_the_card_says_exactly_what_was_pretrained() -> None:
    event = {"event": "weights", "file": "some.npz", "sha256": "ab" * 32, "parameters": 1792, "backbone": 14_714_688}
    text = pretrained_sentence([{"event": "start"}, {**event, "missing": ["block5_conv3"]}])
    assert "1,792 of the backbone's 14,714,688 parameters, from some.npz (SHA-256 abababababababab…)" in text
    assert "random at the start: block5_conv3" in text
    assert pretrained_sentence([{"event": "start"}]) == ""


def test_growing_and_balanced_sampling_in_words() -> None:
    text = " ".join(recipe_sentences(Recipe("vgg16", sampling="balanced", start_size=32, start_epochs=8)))
    assert "shown equally often" in text
    assert "first 8 epochs worked on faces resized to 32×32 pixels" in text


def test_clipped_gradients_in_words() -> None:
    assert "longer than 1 were shortened" in " ".join(recipe_sentences(Recipe("vgg16", clip_norm=1.0)))
    assert "shortened" not in " ".join(recipe_sentences(Recipe("vgg16")))


def test_the_card_says_that_the_crowds_votes_were_learnt_and_of_which_faces() -> None:
    counts = {"faces": 190, "not_faces": 7, "unclassed": 3, "agreement": 0.655}
    [said] = history_sentences(Recipe("tiny", labels="crowd"), [{"event": "crowd", "sha256": "a" * 64, **counts}])
    for words in ("FER+", "SHA-256 aaaaaaaaaaaaaaaa…", "190 faces were learnt", "7 that the crowd calls no face"):
        assert words in said
    assert "3 without a vote" in said
    assert "most of the votes for 65.5 %" in said
    assert "chosen by FER-2013's own labels" in said
