"""The wheel, installed elsewhere, works without the project's folder: nothing that the core reads has stayed behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_core.settings import PROJECT_ROOT
from fer_core.zoo.registry import names

PACKAGE = PROJECT_ROOT / "fer_core"
MODELS = PROJECT_ROOT / "models"

pytestmark = pytest.mark.slow

LOOK_AROUND = """
import json
import fer_core
from fer_core.leaderboard.entries import leaderboard
from fer_core.settings import settings
print(json.dumps({
    "code": fer_core.__file__,
    "home": str(settings().home),
    "models": [info.name for info in fer_core.list_models()],
    "loaded": fer_core.load_model("custom_cnn").name,
    "board": [entry.run for entry in leaderboard()],
}))
"""


def python(*arguments: str | Path, cwd: Path, **environment: str) -> str:
    """What Python prints in a folder outside the project, with its own variables and none of the app's."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("FER_EXPLORER_", "PYTHON"))}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The wheel of this working copy, built outside it, where an older build has left a module that is gone."""
    place = tmp_path_factory.mktemp("wheel")
    stale = place / "build" / "lib" / "fer_core" / "renamed_since.py"
    stale.parent.mkdir(parents=True)
    stale.touch()
    places = place / "places.cfg"
    places.write_text(f"[build]\nbuild_base={place / 'build'}\n[egg_info]\negg_base={place}\n", encoding="utf-8")
    build = ["-m", "pip", "wheel", PROJECT_ROOT, "--no-deps", "--no-build-isolation", "-q", "-w", place / "out"]
    python(*build, cwd=place, DIST_EXTRA_CONFIG=str(places))
    [file] = (place / "out").glob("*.whl")
    yield file
    shutil.rmtree(place)  # pytest would keep 300 MB of each of the last three runs


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that holds nothing but the installed wheel."""
    folder = tmp_path_factory.mktemp("installed")
    python("-m", "pip", "install", "-q", "--no-deps", "--no-compile", "--target", folder, wheel, cwd=folder)
    yield folder
    shutil.rmtree(folder)


def files(folder: Path) -> set[str]:
    """Files below a folder, relative to it, without what Python and the desktop leave there."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in found if "__pycache__" not in path.parts and not path.name.startswith(".")}


def test_the_wheel_holds_every_file_of_the_core_and_every_shipped_model(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {f"fer_core/{name}" for name in files(PACKAGE)}
    expected |= {f"fer_core/_models/{name}" for name in files(MODELS)}
    assert "fer_core/_models/custom_cnn/model.tflite" in expected
    assert held == expected


def test_the_installed_package_works_in_another_folder(installed: Path, tmp_path: Path) -> None:
    picture = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)).save(picture)
    data = tmp_path / "data"
    environment = {"PYTHONPATH": str(installed), "HOME": str(tmp_path), "XDG_DATA_HOME": str(data)}

    found = json.loads(python("-c", LOOK_AROUND, cwd=tmp_path, **environment))
    shipped = {path.parent.name for path in MODELS.glob("*/run.json")}
    assert Path(found["code"]).is_relative_to(installed)
    assert Path(found["home"]).name == "fer-explorer"
    assert Path(found["home"]).is_relative_to(data if sys.platform == "linux" else tmp_path)
    assert found["loaded"] == "custom_cnn"
    assert set(found["models"]) == shipped
    assert shipped < set(found["board"])  # published systems have no run of ours

    answer = json.loads(python("-m", "fer_core", "predict", "photo.png", "--json", cwd=tmp_path, **environment))
    [face] = answer["pictures"][0]["faces"]
    assert sum(face["probabilities"]["custom_cnn"].values()) == pytest.approx(1, abs=1e-4)

    # The command that pip makes of [project.scripts].
    table = python(installed / "bin" / "fer-explorer", "architectures", "--json", cwd=tmp_path, **environment)
    assert [entry["name"] for entry in json.loads(table)["architectures"]] == list(names())
