"""The card says what the run folder says."""

from dataclasses import replace
from pathlib import Path

from factories import make_run

from fer_core.runs.card import augmentation_sentence, pretrained_sentence, recipe_sentences, write_card
from fer_core.training.presets import preset
from fer_core.training.recipe import Augmentation, Recipe
from fer_core.words import interval, percent


def test_the_card_tells_training_results_and_limits(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", accuracy=0.6)
    manifest, metrics = folder.manifest(), folder.metrics()
    assert manifest is not None
    assert metrics is not None
    write_card(folder, manifest, metrics)
    card = folder.card()
    scores = metrics["splits"]["PrivateTest"]
    assert f"{percent(scores['accuracy'])} ({interval(scores)})" in card
    assert f"| {scores['n']:,} |" in card
    assert "does not know what anybody feels" in card
    assert card.count("| happy |") == 1


def test_a_run_measured_on_other_data_says_so_in_bold(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", accuracy=0.6)
    manifest, metrics = folder.manifest(), folder.metrics()
    assert manifest is not None
    assert metrics is not None
    metrics["data"] = {**metrics["data"], "fingerprint": "another", "title": "My faces"}
    write_card(folder, manifest, metrics)
    assert "**Measured on other data than it was trained on: My faces.**" in folder.card()


def test_augmentation_in_words() -> None:
    plain = Recipe("custom_cnn")
    assert augmentation_sentence(plain) == "No augmentation."
    busy = replace(plain, augmentation=Augmentation(flip=True, shift=0.1, rotation=10, mixup=0.2))
    assert augmentation_sentence(busy) == (
        "Training faces were mirrored half of the time, shifted by up to 10 %, turned by up to 10°, blended in pairs "
        "(mixup, alpha 0.2)."
    )


def test_a_transfer_recipe_says_what_was_pretrained() -> None:
    text = " ".join(recipe_sentences(preset("serious", "resnet50")))
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
