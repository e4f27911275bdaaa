"""Initial weights: from a local server as ImageNet's, from local files, and refused when they do not fit."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from fer_core.errors import DownloadError, RecipeError
from fer_core.zoo import weights
from fer_core.zoo.describe import description
from fer_core.zoo.registry import get


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


def test_imagenet_weights_are_fetched_once_checked_and_announced(
    home: Path, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"weights" * 1000
    (tmp_path / "served" / "vgg.h5").write_bytes(content)
    source = weights.WeightsFile(f"{server}/vgg.h5", hashlib.md5(content).hexdigest())
    monkeypatch.setitem(weights.IMAGENET, "vgg16", source)
    heard: list[tuple[int, int | None]] = []
    path = weights.imagenet_file("vgg16", lambda done, total: heard.append((done, total)))
    assert path.read_bytes() == content
    assert path.is_relative_to(home)
    assert heard[-1] == (7000, 7000)
    (tmp_path / "served" / "vgg.h5").unlink()
    assert weights.imagenet_file("vgg16") == path, "the second time needs no network"


def test_imagenet_weights_with_another_hash_are_refused_and_not_kept(
    home: Path, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "served" / "vgg.h5").write_bytes(b"something else")
    monkeypatch.setitem(weights.IMAGENET, "vgg16", weights.WeightsFile(f"{server}/vgg.h5", "0" * 32))
    with pytest.raises(DownloadError, match="something else than expected"):
        weights.imagenet_file("vgg16")
    assert not [path for path in home.rglob("*") if path.is_file()]


@pytest.mark.slow
def test_a_local_npz_fills_the_layers_it_names(tmp_path: Path) -> None:
    kernel = np.random.default_rng(0).normal(size=(3, 3, 3, 64)).astype(np.float16)
    np.savez(tmp_path / "some.npz", **{"block1_conv1/kernel": kernel})
    model = get("vgg16").build(input_size=48, weights=str(tmp_path / "some.npz"))
    loaded = np.asarray(model.get_layer("block1_conv1").kernel)
    assert np.array_equal(loaded, kernel.astype(np.float32))


@pytest.mark.slow
def test_a_fresh_head_on_large_features_starts_near_guessing(tmp_path: Path) -> None:
    """ImageNet's features are in the tens and hundreds: training VGG16 from them began at a loss of 24."""
    np.savez(tmp_path / "loud.npz", **{"block5_conv3/bias": np.full(512, 50, np.float32)})
    model = get("vgg16").build(input_size=48, weights=str(tmp_path / "loud.npz"))
    faces = np.random.default_rng(0).uniform(0, 255, (7, 48, 48, 1)).astype(np.float32)
    losses = -np.log(model.predict_on_batch(faces)[np.arange(7), np.arange(7)])
    assert losses.mean() == pytest.approx(np.log(7), abs=0.7)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"block9_conv1/kernel": np.zeros((3, 3, 3, 64))}, "block9_conv1/kernel .* no such variable"),
        ({"block1_conv1/kernel": np.zeros((5, 5, 3, 64))}, r"vgg16 has shape \(3, 3, 3, 64\)"),
    ],
)
def test_a_npz_that_does_not_fit_says_which_variable(
    tmp_path: Path, content: dict[str, np.ndarray], words: str
) -> None:
    np.savez(tmp_path / "some.npz", **content)
    with pytest.raises(RecipeError, match=words):
        get("vgg16").build(input_size=48, weights=str(tmp_path / "some.npz"))


@pytest.mark.slow
def test_a_variance_too_large_for_half_precision_does_not_silence_its_channel(tmp_path: Path) -> None:
    variance = np.ones(64, dtype=np.float16)
    variance[45] = np.inf
    path = tmp_path / "some.npz"
    np.savez(path, **{"conv1_bn/moving_variance": variance})
    model = get("resnet50").build(input_size=48, weights=str(path))
    loaded = np.asarray(model.get_layer("conv1_bn").moving_variance)
    assert loaded[45] == 65504
    assert (np.delete(loaded, 45) == 1).all()
    assert weights.pretrained(description("resnet50"), str(path))["clipped"] == ["conv1_bn/moving_variance"]


@pytest.mark.slow
def test_other_values_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    kernel = np.zeros((3, 3, 3, 64), dtype=np.float32)
    kernel[0, 0, 0, 0] = np.nan
    np.savez(tmp_path / "some.npz", **{"block1_conv1/kernel": kernel})
    with pytest.raises(RecipeError, match="block1_conv1/kernel holds values"):
        get("vgg16").build(input_size=48, weights=str(tmp_path / "some.npz"))


@pytest.mark.slow
def test_keras_own_weight_files_load_and_others_are_refused(tmp_path: Path) -> None:
    import keras

    backbone = keras.applications.VGG16(include_top=False, weights=None, input_shape=(48, 48, 3))
    backbone.save_weights(tmp_path / "vgg.weights.h5")
    model = get("vgg16").build(input_size=48, weights=str(tmp_path / "vgg.weights.h5"))
    for name in ("block1_conv1", "block5_conv3"):
        wanted, found = backbone.get_layer(name).get_weights()[0], model.get_layer(name).get_weights()[0]
        assert np.array_equal(wanted, found)
    (tmp_path / "broken.weights.h5").write_bytes(b"not HDF5")
    with pytest.raises(RecipeError, match="do not fit"):
        get("vgg16").build(input_size=48, weights=str(tmp_path / "broken.weights.h5"))
    with pytest.raises(RecipeError, match="does not exist"):
        get("vgg16").build(input_size=48, weights=str(tmp_path / "absent.h5"))


def test_a_network_trained_from_scratch_takes_no_weights() -> None:
    with pytest.raises(RecipeError, match="trained from scratch"):
        get("custom_cnn").build(weights="imagenet")


@pytest.mark.slow
def test_official_files_have_the_old_layout_and_load_into_a_backbone_behind_our_own_first_layers(
    tmp_path: Path,
) -> None:
    import h5py
    import keras
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

    backbone = keras.applications.VGG16(include_top=False, weights=None, input_shape=(48, 48, 3))
    with h5py.File(tmp_path / "vgg16_notop.h5", "w") as file:
        save_weights_to_hdf5_group(file, backbone)
    model = get("vgg16").build(input_size=48, weights=str(tmp_path / "vgg16_notop.h5"))
    wanted, found = (item.get_layer("block4_conv2").get_weights()[0] for item in (backbone, model))
    assert np.array_equal(wanted, found)


def test_a_partial_file_says_what_it_leaves_random(tmp_path: Path) -> None:
    np.savez(tmp_path / "some.npz", **{"block1_conv1/kernel": np.zeros(1), "block1_conv1/bias": np.zeros(1)})
    found = weights.pretrained(description("vgg16"), str(tmp_path / "some.npz"))
    assert found["file"] == "some.npz"
    assert len(found["sha256"]) == 64
    assert found["parameters"] == 3 * 3 * 3 * 64 + 64
    assert found["backbone"] == 14_714_688
    assert len(found["missing"]) == 12
    assert "hidden" not in found["missing"]
