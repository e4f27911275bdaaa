"""The Python core of FER Explorer: facial-expression models, how they work and how they fail.

>>> import fer_core
>>> data = fer_core.load_dataset("datasets/fer2013")
>>> model = fer_core.load_model("custom_cnn")
>>> probabilities, maps = model.explain(data.images[:4])

Importing this package costs milliseconds: no TensorFlow, no Keras, no Streamlit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from fer_core.data.dataset import Dataset
    from fer_core.inference.predictor import Predictor
    from fer_core.runs.listing import ModelInfo

__version__ = "0.7.0"
__all__ = ["__version__", "list_models", "load_dataset", "load_model"]


def load_dataset(path: str | Path) -> Dataset:
    """Map a dataset folder. See :class:`fer_core.data.dataset.Dataset`. Raises ``DataError``."""
    from fer_core.data.dataset import load_dataset

    return load_dataset(path)


def list_models() -> list[ModelInfo]:
    """Every complete run, shipped ones first. See :func:`fer_core.runs.listing.list_models`."""
    from fer_core.runs.listing import list_models

    return list_models()


def load_model(name_or_folder: str | Path, *, calibrated: bool = False) -> Predictor:
    """A predictor for a shipped or trained model, by name or run folder; ``calibrated`` applies its temperature.

    See :func:`fer_core.inference.models.load_model`. Raises ``RunError``.
    """
    from fer_core.inference.models import load_model

    return load_model(name_or_folder, calibrated=calibrated)
