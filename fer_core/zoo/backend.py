"""Which library computes what Keras describes: TensorFlow or JAX, asked for by a training and by nothing else.

Keras asks ``KERAS_BACKEND`` once in a process, when it is imported. Only trainings have a choice: LiteRT files and
gradient maps are made with TensorFlow, whatever a model was trained with, and ``model.keras`` is the same for both.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

from fer_core.errors import RecipeError

VARIABLE = "KERAS_BACKEND"
TENSORFLOW = "tensorflow"
JAX = "jax"
TITLES = {TENSORFLOW: "TensorFlow", JAX: "JAX"}


def preferred() -> str:
    """What the environment asks new trainings to be computed with. Raises ``RecipeError`` for what cannot be."""
    asked = os.environ.get(VARIABLE, "").strip() or TENSORFLOW
    if asked not in TITLES:
        raise RecipeError(
            f"{VARIABLE} is {asked!r:.40}, and trainings here are computed with {' or '.join(TITLES)}: set it to one "
            "of them, or unset it."
        )
    return asked


def not_installed(backend: str) -> str:
    """What is not installed for trainings with ``backend``, and what to do, in one sentence; empty where all is."""
    if find_spec(backend) is not None:
        return ""
    if backend == JAX:
        return f"This training needs JAX, which is not installed: pip install jax, or set {VARIABLE}=tensorflow."
    return "This training needs TensorFlow, which is not installed: pip install -r requirements.txt"


def compute_with(backend: str) -> None:
    """Have Keras, which is not loaded yet, use ``backend`` in this process and in those that it starts.

    Raises ``RecipeError`` where it is loaded with another one.
    """
    loaded = sys.modules.get("keras")
    if loaded is not None and loaded.config.backend() != backend:
        raise RecipeError(
            f"this process computes with {loaded.config.backend()} already, and the training asks for {backend}: start "
            "it by itself."
        )
    os.environ[VARIABLE] = backend
