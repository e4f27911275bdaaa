"""Which arithmetic was faster on this machine, remembered: measuring it takes longer than a short training's epoch."""

from __future__ import annotations

import contextlib
import json
import os
import platform
from pathlib import Path

from fer_core.files import write_json
from fer_core.runs.recipe import Recipe
from fer_core.settings import settings

FILE = "precision.json"


def path() -> Path:
    """In the home. It may be deleted: then it is measured again."""
    return settings().home / FILE


def recall(recipe: Recipe) -> tuple[str, str] | None:
    """The policy and the reason, as :func:`remember` was told them for such a recipe on this machine."""
    found = _read().get(_key(recipe))
    return (found[0], found[1]) if found else None


def remember(recipe: Recipe, precision: str, reason: str) -> None:
    """Keep it. Where nothing can be written, it is measured again the next time."""
    with contextlib.suppress(OSError):
        write_json(path(), {**_read(), _key(recipe): [precision, reason]})


def _key(recipe: Recipe) -> str:
    """A home may lie on a disk that several machines share, and cores may be added."""
    machine = f"{platform.node()} {platform.processor() or platform.machine()} {os.cpu_count()}"
    other = "" if recipe.backend == "tensorflow" else f" {recipe.backend}"
    return f"{machine} {recipe.architecture} {recipe.input_size} {recipe.batch_size}{other}"


def _read() -> dict[str, list[str]]:
    """What the file holds; nothing where it is absent or not ours: it is a note that is made again."""
    try:
        found = json.loads(path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        key: value
        for key, value in found.items()
        if isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value)
    }
