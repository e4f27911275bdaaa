"""From a recipe to a compiled Keras model, and which precision is faster here. Child processes only."""

from __future__ import annotations

import platform
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT, IMAGE_SIZE
from fer_core.errors import RecipeError
from fer_core.runs.recipe import Recipe
from fer_core.training.known_precision import recall, remember
from fer_core.zoo.backend import JAX
from fer_core.zoo.heads import HEAD_LAYERS
from fer_core.zoo.registry import get

if TYPE_CHECKING:
    import keras

TIMED_STEPS = 4


def build_model(recipe: Recipe, *, precision: str, load: bool = True) -> keras.Model:
    """The recipe's network under the given precision policy, at its final input size.

    ``load=False`` leaves the initial weights out, for weights that come from elsewhere.
    """
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        return get(recipe.architecture).build(input_size=recipe.input_size, weights=recipe.initial_weights, load=load)
    finally:
        keras.config.set_dtype_policy(before)


def build_for_training(recipe: Recipe, *, load: bool = True) -> keras.Model:
    """The recipe's network as it trains fastest here: same layers, names and weights as :func:`build_model`'s.

    ``recipe.precision`` must be resolved. On TensorFlow, batch normalisation is fused
    (:mod:`fer_core.training.fused_batch_norm`); other backends compile that themselves.
    """
    import keras

    model = build_model(recipe, precision=recipe.precision, load=load)
    if keras.backend.backend() != "tensorflow":
        return model
    from fer_core.training.fused_batch_norm import with_fused_normalization

    return with_fused_normalization(model)


def is_fine_tuning(recipe: Recipe, epoch: int) -> bool:
    """Whether ``epoch`` (from 1) trains more than the head."""
    return epoch > recipe.frozen_epochs


def stage(recipe: Recipe, epoch: int) -> tuple[int, bool]:
    """What an epoch shares with its neighbours: input size (0: the architecture's own) and :func:`is_fine_tuning`.

    Where it changes, the model is compiled anew.
    """
    return recipe.at(epoch).input_size, is_fine_tuning(recipe, epoch)


def carry_weights(source: keras.Model, target: keras.Model) -> None:
    """Copy all weights into the same network built for another input size.

    Convolutions fit any size. A dense layer behind a flattened grid does not: its kernel is interpolated from the old
    grid to the new one and scaled by the ratio of their cells, so that what it adds up stays as large.
    """
    from fer_core.zoo.class_maps import map_grid

    old, new = map_grid(source), map_grid(target)
    values = []
    for value, wanted in zip(source.get_weights(), target.weights, strict=True):
        if value.shape != tuple(wanted.shape):
            value = _regrid(value, old, new)
        values.append(value)
    target.set_weights(values)


def _regrid(kernel: npt.NDArray[np.float32], old: tuple[int, int], new: tuple[int, int]) -> npt.NDArray[np.float32]:
    """A dense kernel (h·w·channels, units) for another grid, bilinear."""
    import cv2

    units = kernel.shape[1]
    cells = kernel.astype(np.float32).reshape(*old, -1)
    # OpenCV resizes at most 512 channels at once.
    parts = [
        cv2.resize(np.ascontiguousarray(cells[..., start : start + 512]), (new[1], new[0]))
        for start in range(0, cells.shape[-1], 512)
    ]
    share = (old[0] * old[1]) / (new[0] * new[1])
    return np.concatenate(parts, axis=-1).reshape(-1, units) * np.float32(share)


def compile_stage(model: keras.Model, recipe: Recipe, epoch: int) -> None:
    """Freeze what ``epoch`` keeps frozen and compile with a fresh optimiser.

    Raises ``RecipeError`` if ``fine_tune_from`` names no layer of the backbone.
    """
    import keras

    backbone = [layer for layer in model.layers if layer.name not in HEAD_LAYERS]
    names = [layer.name for layer in backbone]
    if recipe.fine_tune_from and recipe.fine_tune_from not in names:
        raise RecipeError(
            f"fine_tune_from is {recipe.fine_tune_from!r}, but {recipe.architecture} has no such layer. "
            f"Its layers: {', '.join(name for layer, name in zip(backbone, names, strict=True) if layer.weights)}."
        )
    first = names.index(recipe.fine_tune_from) if recipe.fine_tune_from else 0
    for position, layer in enumerate(backbone):
        layer.trainable = is_fine_tuning(recipe, epoch) and position >= first
    optimizer: Any
    clip = recipe.clip_norm or None
    if recipe.optimizer == "adam":
        optimizer = keras.optimizers.AdamW(recipe.learning_rate, weight_decay=recipe.weight_decay, global_clipnorm=clip)
    else:
        optimizer = keras.optimizers.SGD(
            recipe.learning_rate,
            momentum=0.9,
            nesterov=True,
            weight_decay=recipe.weight_decay or None,
            global_clipnorm=clip,
        )
    if recipe.weight_decay:
        # Decaying biases and batch normalisation's scales does harm (He et al., 2018, arXiv:1812.01187).
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.CategoricalCrossentropy(),
        metrics=["accuracy"],
        # XLA compiles long and gains nothing on TensorFlow's CPU kernels; JAX always compiles.
        jit_compile=keras.backend.backend() != "tensorflow",
    )


def choose_precision(recipe: Recipe) -> tuple[str, str]:
    """Resolve ``precision="auto"`` by timing a few training batches each way, once on each machine.

    Returns the policy and the reason in words. mixed_bfloat16 has float32's range, so it needs no loss scaling.
    """
    if recipe.precision != "auto":
        return recipe.precision, "chosen in the recipe"
    if lacks_bfloat16() and not _has_gpu(recipe.backend):
        return "float32", "this processor has no bfloat16 units, and emulating them is several times slower"
    if known := recall(recipe):
        return known
    speed = {policy: _images_per_second(recipe, policy) for policy in ("float32", "mixed_bfloat16")}
    # Half precision must be worth it: within 5 % the exact arithmetic wins.
    best = "mixed_bfloat16" if speed["mixed_bfloat16"] > 1.05 * speed["float32"] else "float32"
    reason = f"measured {speed['float32']:.0f} images/s in float32 and {speed['mixed_bfloat16']:.0f} in mixed_bfloat16"
    remember(recipe, best, reason)
    return best, reason


def lacks_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether this is an x86 processor known to have no bfloat16 units. Where that cannot be told, False.

    Without them the arithmetic is emulated: timing a few batches alone may take minutes.
    """
    if platform.machine() not in ("x86_64", "AMD64") or not cpuinfo.is_file():
        return False
    lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    flags = next((line.split(":", 1)[1].split() for line in lines if line.startswith("flags")), [])
    return bool(flags) and not {"avx512_bf16", "amx_bf16"} & set(flags)


def _has_gpu(backend: str) -> bool:
    if backend == JAX:
        import jax

        return any(device.platform != "cpu" for device in jax.devices())
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def _images_per_second(recipe: Recipe, precision: str) -> float:
    import keras

    model = build_for_training(recipe.with_precision(precision), load=False)
    compile_stage(model, recipe, recipe.epochs)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (recipe.batch_size, IMAGE_SIZE, IMAGE_SIZE, 1)).astype(np.float32)
    targets = np.full((recipe.batch_size, COUNT), 1 / COUNT, dtype=np.float32)
    weights = np.ones(recipe.batch_size, dtype=np.float32)
    seconds = []
    for _ in range(1 + TIMED_STEPS):
        began = time.perf_counter()
        model.train_on_batch(images, targets, sample_weight=weights)
        seconds.append(time.perf_counter() - began)
    del model
    keras.backend.clear_session()
    # The first step builds the graph; the fastest of the others is the least disturbed.
    return recipe.batch_size / min(seconds[1:])
