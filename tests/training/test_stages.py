"""Growing input: the network of the small faces becomes the network of the large ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer_core.errors import RecipeError
from fer_core.runs.recipe import Recipe

GROWING = Recipe("vgg16", epochs=4, input_size=48, start_size=32, start_epochs=2)


def test_a_recipe_tells_its_size_in_each_epoch():
    assert [GROWING.at(epoch).input_size for epoch in (1, 2, 3, 4)] == [32, 32, 48, 48]
    assert Recipe("custom_cnn").at(1).input_size == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"start_epochs": 4}, "start_epochs is 4"), ({"start_epochs": 1, "start_size": 0}, "start_size is 0")],
)
def test_stages_that_cannot_be_are_refused(changes, words):
    with pytest.raises(RecipeError, match=words):
        replace(GROWING, **changes).validate()


def test_a_stage_changes_where_the_size_or_the_frozen_layers_change():
    from fer_core.training.build import stage

    recipe = replace(GROWING, frozen_epochs=1)
    assert [stage(recipe, epoch) for epoch in (1, 2, 3, 4)] == [(32, False), (32, True), (48, True), (48, True)]


def test_a_dense_kernel_is_interpolated_to_the_new_grid():
    from fer_core.training.build import _regrid

    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(4 * 4 * 600, 3)).astype(np.float32)
    grown = _regrid(kernel, (4, 4), (6, 6))
    assert grown.shape == (6 * 6 * 600, 3)
    # Where all cells see the same features, the layer's output stays nearly the same.
    features = rng.normal(size=600).astype(np.float32)
    before, after = np.tile(features, 16) @ kernel, np.tile(features, 36) @ grown
    flat = np.ones((16 * 600, 1), dtype=np.float32)
    np.testing.assert_allclose(_regrid(flat, (4, 4), (6, 6)), 16 / 36)
    assert np.corrcoef(before, after)[0, 1] > 0.9


@pytest.mark.parametrize(("clip", "longest"), [(0.001, 0.001), (0.0, np.inf)])
def test_a_step_is_no_longer_than_the_recipe_lets_it_be(clip: float, longest: float) -> None:
    from fer_core.training.build import build_model, compile_stage

    recipe = Recipe("tiny", optimizer="sgd", learning_rate=1.0, weight_decay=0.0, clip_norm=clip)
    model = build_model(recipe, precision="float32")
    compile_stage(model, recipe, 1)
    before = [np.asarray(value) for value in model.trainable_variables]
    faces = np.random.default_rng(0).uniform(0, 255, (4, 48, 48, 1)).astype(np.float32)
    model.train_on_batch(faces, np.eye(7, dtype=np.float32)[:4])
    moved = np.sqrt(
        sum(np.square(np.asarray(v) - b).sum() for v, b in zip(model.trainable_variables, before, strict=True))
    )
    # Nesterov's momentum takes a first step of 1.9 times the gradient.
    assert 0.001 < moved < 1.91 * longest


@pytest.mark.slow
@pytest.mark.parametrize(("architecture", "small", "large"), [("resnet50", 48, 64), ("vgg16", 32, 48)])
def test_weights_carry_over_when_the_network_grows(architecture, small, large):
    from fer_core.training.build import build_model, carry_weights

    recipe = Recipe(architecture, input_size=large, start_size=small, start_epochs=1, epochs=2)
    source = build_model(recipe.at(1), precision="float32")
    target = build_model(recipe.at(2), precision="float32")
    carry_weights(source, target)
    for old, new in zip(source.weights, target.weights, strict=True):
        if old.shape == new.shape:
            np.testing.assert_array_equal(old.numpy(), new.numpy(), err_msg=old.path)
        else:
            assert old.path.endswith("hidden/kernel")
            assert abs(new.numpy().sum() / old.numpy().sum() - 1) < 0.2
    back = build_model(recipe.at(2), precision="float32")
    carry_weights(target, back)
    faces = np.random.default_rng(0).uniform(0, 255, (2, 48, 48, 1)).astype(np.float32)
    np.testing.assert_allclose(target.predict_on_batch(faces), back.predict_on_batch(faces), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("weights", ["none", "imagenet"])
def test_vgg16_has_batch_normalisation_only_when_trained_from_scratch_and_maps_of_6_by_6(weights):
    from fer_core.zoo.class_maps import map_grid
    from fer_core.zoo.registry import get

    for size in (48, 96):
        model = get("vgg16").build(input_size=size, weights=weights, load=False)
        assert map_grid(model) == (6, 6)
        assert any(layer.name.endswith("_bn") for layer in model.layers) == (weights == "none")
