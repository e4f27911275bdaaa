"""Fixtures every test may use."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path

# Two test processes share two cores: a pool of threads in each would only make them wait for each other. Read once by
# the libraries below NumPy, so set before anything imports it; child processes inherit it.
for _pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_pool, "1")

import pytest  # noqa: E402

import fer_core.data.sample  # noqa: E402
from fer_core.settings import settings  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def _one_drawing() -> Iterator[None]:
    """The sample is drawn once by a test process, not once by each empty home that asks for it.

    Importing it (writing, checking, renaming) stays as it is. Tests of the drawing itself import the real function by
    name, before this.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fer_core.data.sample, "draw_sample", functools.cache(fer_core.data.sample.draw_sample))
        yield


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
