"""Initial weights of backbones: ImageNet's (downloaded once, hash-checked), a local file, or none.

Child processes only (imports Keras).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import numpy.typing as npt

from fer_core.errors import RecipeError
from fer_core.files import download, sha256_of
from fer_core.regular_files import require_file
from fer_core.settings import settings
from fer_core.zoo.heads import HEAD_LAYERS

if TYPE_CHECKING:
    import keras

    from fer_core.zoo.describe import Description

LARGEST_HALF_PRECISION = float(np.finfo(np.float16).max)

BASE_URL = "https://storage.googleapis.com/tensorflow/keras-applications"


@dataclass(frozen=True)
class WeightsFile:
    """An official weights file: address and MD5, the hash Keras itself publishes for it."""

    url: str
    md5: str


IMAGENET = {
    "resnet50": WeightsFile(
        f"{BASE_URL}/resnet/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "4d473c1dd8becc155b73f8504c6f6626",
    ),
    "resnet50v2": WeightsFile(
        f"{BASE_URL}/resnet/resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "fac2f116257151a9d068a22e544a4917",
    ),
    "vgg16": WeightsFile(
        f"{BASE_URL}/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "6d6bbae143d832006294945121d1f1fc",
    ),
}

Progress = Callable[[int, int | None], None]


def imagenet_file(name: str, progress: Progress | None = None) -> Path:
    """The official ImageNet file of a backbone, downloaded into the cache on first use.

    ``progress`` is called with bytes done and bytes in all. Raises ``DownloadError`` with what to do instead.
    """
    source = IMAGENET[name]
    path = settings().cache_dir / "weights" / source.url.rsplit("/", 1)[1]
    # A file is only ever in the cache after its hash was right.
    return path if path.exists() else download(source.url, path, source.md5, progress=progress)


def load_backbone(backbone: keras.Model, name: str, weights: str) -> None:
    """Put initial weights into a whole backbone: ``none`` leaves it as it is.

    A local ``.h5`` file is Keras' own (official files and ``save_weights``). A ``.npz`` file has one array a variable,
    called ``<layer>/<variable>``, and may leave layers out; they stay random. A variance that half precision made
    infinite becomes the largest number of that precision (see :func:`clipped`). Raises ``RecipeError`` if the file is
    missing, does not fit, or holds other values that are no finite numbers; ``DownloadError`` if ImageNet's cannot be
    fetched.
    """
    if weights == "none":
        return
    path = weights_file(name, weights)
    if not path.is_file():
        raise RecipeError(f"the weights file {path} does not exist. Use imagenet, none, or a file's path.")
    if path.suffix == ".npz":
        _load_npz(backbone, path)
        return
    try:
        backbone.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        raise RecipeError(f"the weights in {path} do not fit {backbone.name}: {error}") from error


def weights_file(name: str, weights: str) -> Path:
    """The file that ``weights`` (``imagenet`` or a path) means for a backbone; ImageNet's is fetched if need be."""
    return imagenet_file(name) if weights == "imagenet" else Path(weights).expanduser()


class WeightsRecord(TypedDict):
    """What of a network came from a weights file.

    ``file``: its name; ``parameters`` taken from it, ``backbone`` parameters in all; ``missing``: backbone layers that
    the file leaves random; ``clipped``: see :func:`clipped`.
    """

    file: str
    sha256: str
    parameters: int
    backbone: int
    missing: list[str]
    clipped: list[str]


def pretrained(table: Description, weights: str) -> WeightsRecord:
    """What of a network came from a weights file, for its journal and card.

    Official and Keras ``.h5`` files hold the whole backbone.
    """
    path = weights_file(table.name, weights)
    rows = [row for row in table.layers if row.parameters and row.name not in HEAD_LAYERS]
    held = {row.name for row in rows}
    cut: list[str] = []
    if path.suffix == ".npz":
        arrays = _read_npz(path)
        held = {key.rpartition("/")[0] for key in arrays}
        cut = clipped(arrays)
    return {
        "file": path.name,
        "sha256": sha256_of(path),
        "parameters": sum(row.parameters for row in rows if row.name in held),
        "backbone": sum(row.parameters for row in rows),
        "missing": [row.name for row in rows if row.name not in held],
        "clipped": cut,
    }


def clipped(arrays: Mapping[str, npt.NDArray[Any]]) -> list[str]:
    """Names of float16 moving variances that were too large for that precision, and so are infinite in the file.

    ImageNet's ResNet50 has one, about 1e5, in ``conv1_bn``. Left infinite, it would silence its channel for good
    wherever the stored statistics are used, though not while training, which looks at each batch's own. Cut to 65,504
    it is nearly right, and training brings it to its value.
    """
    return [
        key
        for key, array in arrays.items()
        if key.endswith("/moving_variance") and array.dtype == np.float16 and np.isposinf(array).any()
    ]


def _read_npz(path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        require_file(path)
        with np.load(path) as file:
            return {key: np.asarray(file[key]) for key in file.files}
    except (OSError, ValueError) as error:
        raise RecipeError(f"{path} cannot be read as .npz: {error}") from error


def _load_npz(backbone: keras.Model, path: Path) -> None:
    layers = {layer.name: layer for layer in backbone.layers}
    arrays = _read_npz(path)
    cut = clipped(arrays)
    for key, stored in arrays.items():
        array = stored.astype(np.float32)
        if key in cut:
            array = np.minimum(array, LARGEST_HALF_PRECISION)
        if not np.isfinite(array).all():
            raise RecipeError(f"{path} is damaged: {key} holds values that are no finite numbers.")
        layer_name, _, variable_name = key.rpartition("/")
        variables = {variable.name: variable for variable in getattr(layers.get(layer_name), "weights", [])}
        variable = variables.get(variable_name)
        if variable is None or tuple(variable.shape) != array.shape:
            found = "no such variable" if variable is None else f"shape {tuple(variable.shape)}"
            raise RecipeError(
                f"{path}: {key} has shape {array.shape}, but {backbone.name} has {found}. "
                "Is the file for another architecture?"
            )
        variable.assign(array)
