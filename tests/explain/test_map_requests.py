"""What can be asked of the gradient worker, and which layers there are, without TensorFlow."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from factories import make_run, make_vote

from fer_core.errors import ExplainError
from fer_core.explain.layers import default_layer, layer, layer_text, randomisation_stages, spatial_layers
from fer_core.explain.methods import GRADCAM, METHODS, OCCLUSION, SALIENCY, WORKER_METHODS, method
from fer_core.explain.worker.messages import map_request, sanity_request
from fer_core.runs.folder import RunFolder
from fer_core.zoo.describe import description

FACE = np.random.default_rng(1).integers(0, 256, (48, 48)).astype(np.uint8)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path / "one")


def test_a_request_is_a_key_and_travels(run: RunFolder) -> None:
    one, same = (map_request(run, FACE.copy(), 3, GRADCAM) for _ in range(2))
    assert one == same
    assert hash(one) == hash(same)
    assert one.layer == "classes"
    assert np.array_equal(pickle.loads(pickle.dumps(one)).image, FACE)
    different = [
        map_request(run, 255 - FACE, 3, GRADCAM),
        map_request(run, FACE, 4, GRADCAM),
        map_request(run, FACE, 3, SALIENCY),
        map_request(run, FACE, 3, GRADCAM, at="conv2d"),
        sanity_request(run, FACE, 3, GRADCAM),
        sanity_request(run, FACE, 3, GRADCAM, seed=1),
    ]
    assert len({one, *different}) == 7


def test_another_model_is_another_request(run: RunFolder) -> None:
    before = map_request(run, FACE, 3, GRADCAM)
    manifest = json.loads(run.manifest_path.read_text())
    manifest["files"]["model.keras"]["sha256"] = "0" * 64
    run.manifest_path.write_text(json.dumps(manifest))
    assert map_request(run, FACE, 3, GRADCAM) != before


def test_methods_on_pixels_have_no_layer(run: RunFolder) -> None:
    assert map_request(run, FACE, 3, SALIENCY, at="conv2d").layer == ""


def test_what_cannot_be_asked_is_refused_in_words(run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(ExplainError, match=r"no layer called 'nothing'.*from conv2d to classes"):
        map_request(run, FACE, 3, GRADCAM, at="nothing")
    with pytest.raises(ExplainError, match="needs no gradients"):
        map_request(run, FACE, 3, OCCLUSION)
    with pytest.raises(ExplainError, match="no method called 'magic'"):
        map_request(run, FACE, 3, "magic")
    with pytest.raises(ExplainError, match="is a vote"):
        map_request(make_vote(tmp_path / "vote", [run]), FACE, 3, GRADCAM)
    with pytest.raises(ValueError, match="label must be"):
        map_request(run, FACE, 7, GRADCAM)
    with pytest.raises(ValueError, match="draws must be"):
        sanity_request(run, FACE, 3, GRADCAM, draws=0)
    run.keras_path.unlink()
    with pytest.raises(ExplainError, match=r"no complete model\.keras"):
        map_request(run, FACE, 3, GRADCAM)


def test_layers_with_places_begin_after_the_preparation_and_end_before_the_head() -> None:
    for name, first, last in (
        ("custom_cnn", "block1_conv1", "block4_dropout"),
        ("resnet50", "conv1_pad", "conv4_block6_out"),
        ("vgg16", "block1_conv1", "block5_conv3"),
    ):
        about = description(name)
        names = [row.name for row in spatial_layers(about)]
        assert names[0] in (first, "conv1_conv"), name
        assert names[-1] == last == default_layer(about)
    assert (
        layer_text(layer(description("custom_cnn"), "block4_conv2"))
        == "block4_conv2 · Conv2D · 6×6 cells, 256 channels"
    )


def test_stages_begin_with_the_head_and_cover_every_weight() -> None:
    about = description("vgg16")
    found = randomisation_stages(about)
    assert [name for name, _ in found] == ["head", "block5", "block4", "block3", "block2", "block1"]
    assert found[0][1] == ("probabilities", "hidden")
    assert {name for _, names in found for name in names} == {row.name for row in about.layers if row.parameters}


def test_every_method_says_what_it_shows_costs_and_where_it_is_from() -> None:
    for one in METHODS.values():
        assert one.shows.endswith(".")
        assert one.cost
        assert one.url.startswith("https://")
        assert one.where != "worker" or one.name in WORKER_METHODS
    assert method(GRADCAM).layered
