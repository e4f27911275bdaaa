"""Where people's things go: beside a working copy's code, into the user's data folder after an installation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest

from fer_core.settings import BUNDLED_MODELS, PROJECT_ROOT, default_folders, settings


@pytest.fixture(autouse=True)
def _settings_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("FER_EXPLORER_HOME", "FER_EXPLORER_MODELS"):
        monkeypatch.delenv(name, raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_a_working_copy_keeps_everything_in_its_own_folder() -> None:
    assert (settings().home, settings().models_dir) == (PROJECT_ROOT, PROJECT_ROOT / "models")


@pytest.mark.parametrize("there", [[], ["streamlit_app.py"], ["pyproject.toml"]])
def test_an_installed_package_keeps_things_in_the_users_data_folder(tmp_path: Path, there: list[str]) -> None:
    for name in there:
        (tmp_path / name).touch()
    home, models = default_folders(tmp_path)
    assert home == Path(platformdirs.user_data_dir("fer-explorer", appauthor=False))
    assert models == BUNDLED_MODELS


def test_the_environment_moves_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_EXPLORER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FER_EXPLORER_MODELS", str(tmp_path / "models"))
    assert (settings().home, settings().models_dir) == (tmp_path / "home", tmp_path / "models")


def test_an_empty_variable_is_not_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FER_EXPLORER_HOME", "")
    assert settings().home == PROJECT_ROOT
