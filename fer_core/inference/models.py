"""From runs, by name or folder, to their predictors."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fer_core.errors import RunError
from fer_core.inference.predictor import Predictor
from fer_core.inference.vote import open_vote
from fer_core.runs.folder import RunFolder, check_sealed
from fer_core.runs.listing import list_models, places
from fer_core.stats.calibration import FEWEST_TO_CALIBRATE

ALL = "all"
"""Stands for every model that there is."""


def load_model(name_or_folder: str | Path, *, threads: int | None = None, calibrated: bool = False) -> Predictor:
    """A predictor for a run: by name (shipped ones first, then trained ones), run folder, or ``.tflite``
    file.

    The model file of a run is checked against the hash in its ``run.json`` first. Nothing is cached.
    ``calibrated`` applies the temperature in the run's ``metrics.json``. Raises ``RunError`` when there is no such
    run (the message lists those there are), when it is not finished, when its model file is missing or damaged, or
    when it is to be calibrated and has no temperature.
    """
    text = str(name_or_folder)
    if text.endswith(".tflite"):
        if calibrated:
            raise RunError(
                f"{text} is a bare model file: its temperature is in the run it came from. Name that run instead, or "
                "leave calibration out."
            )
        return Predictor(Path(text).expanduser(), threads=threads)
    folder = _find(text)
    if folder.is_vote:
        return open_vote(folder, threads=threads, temperature=_calibration_of(folder) if calibrated else 1.0)
    manifest = folder.manifest()
    if manifest is None:
        raise RunError(
            f"the run {folder.name} has no run.json: it is not finished. Wait for its training to end, or "
            f"finish it with: python -m fer_core train --resume {folder.path}"
        )
    again = f"Make it again with: python -m fer_core export {folder.path} --data DATASET"
    folder.check_has_model()
    if not folder.tflite_path.is_file():
        raise RunError(f"the run {folder.name} has no model.tflite. {again}")
    check_sealed(folder, manifest, folder.tflite_path.name, again)
    return Predictor(
        folder.tflite_path,
        name=folder.name,
        title=manifest["title"],
        threads=threads,
        temperature=_calibration_of(folder) if calibrated else 1.0,
    )


def places_of(names: Iterable[str]) -> list[Path]:
    """Where the models that were asked for lie, each as :func:`load_model` takes it, whatever the current folder is.

    ``names``: names, folders and files, with commas between; :data:`ALL` for every one there is. Raises ``RunError``
    for one that is not there, and where there is none at all.
    """
    found: list[Path] = []
    for name in [part.strip() for text in names for part in text.split(",") if part.strip()]:
        if name == ALL:
            found += [info.path.absolute() for info in list_models() if info.has_model]
        elif name.endswith(".tflite"):
            found.append(Path(name).expanduser().absolute())
        else:
            found.append(_find(name).path.absolute())
    if not found:
        raise RunError("there is no model yet. Train one: python -m fer_core train custom_cnn --data datasets/sample")
    return list(dict.fromkeys(found))


def open_models(names: Iterable[str], *, threads: int | None = None, calibrated: bool = False) -> list[Predictor]:
    """The models by what was asked for, each once; ``names`` and errors as of :func:`places_of` and
    :func:`open_places`.
    """
    return open_places(places_of(names), threads=threads, calibrated=calibrated)


def open_places(places: Iterable[Path], *, threads: int | None = None, calibrated: bool = False) -> list[Predictor]:
    """The models at these places, each once. Raises ``RunError`` for one that cannot be had, and for two different ones
    of one name.
    """
    predictors: dict[str, Predictor] = {}
    for place in places:
        model = load_model(place, threads=threads, calibrated=calibrated)
        other = predictors.setdefault(model.name, model)
        if other.path.resolve() != model.path.resolve():
            raise RunError(f"{other.path} and {model.path} have the same name, {model.name}. Ask for them one by one.")
    return list(predictors.values())


def stored_temperature(folder: RunFolder) -> float | None:
    """The temperature in the run's ``metrics.json``; None where it has none. Raises ``RunError`` if it is damaged."""
    metrics = folder.metrics()
    stored = metrics.get("temperature") if metrics else None
    return stored["value"] if stored else None


def _calibration_of(folder: RunFolder) -> float:
    temperature = stored_temperature(folder)
    if temperature is None:
        raise RunError(
            f"{folder.name} has no temperature, so its probabilities cannot be calibrated. Fit one with: "
            f"python -m fer_core evaluate {folder.path} --data DATASET (that takes {FEWEST_TO_CALIBRATE} PublicTest "
            "faces)"
        )
    return temperature


def _find(text: str) -> RunFolder:
    """The folder called ``text`` in models/ or runs/, or at that path."""
    for place in places(text):
        if place.is_dir():
            return RunFolder(place.resolve())
    known = ", ".join(info.name for info in list_models()) or "none yet"
    raise RunError(f"there is no model called {text!r}. Known models: {known}. A path to a run folder works too.")
