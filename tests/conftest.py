"""Fixtures every test may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer_core.settings import settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home (no datasets, no runs) and an empty folder of shipped models; child processes inherit it."""
    folder = tmp_path / "home"
    models = tmp_path / "models"
    folder.mkdir()
    models.mkdir()
    monkeypatch.setenv("FER_EXPLORER_HOME", str(folder))
    monkeypatch.setenv("FER_EXPLORER_MODELS", str(models))
    settings.cache_clear()
    yield folder
    settings.cache_clear()


@pytest.fixture(scope="session")
def fer2013_csv() -> Path:
    """The real ``fer2013.csv.gz``, for tests marked ``real``; they are skipped where nobody supplies it."""
    value = os.environ.get("FER2013_PATH")
    if not value:
        pytest.skip("set FER2013_PATH to fer2013.csv (or .gz, .zip, …) to run the tests on the real data")
    path = Path(value)
    if not path.exists():
        pytest.fail(f"FER2013_PATH points to {path}, which does not exist")
    return path
