"""Fixtures every test may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

# Test processes share the cores: a pool of threads in each would only make them wait for each other, some busily.
# Read once by NumPy's libraries and by TensorFlow, so set before anything imports them; child processes inherit it.
for _pool in (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
):
    os.environ.setdefault(_pool, "1")

# Tests act as the owner, also where there is no connection to tell one by; those of visitors take this away.
os.environ["FER_EXPLORER_OWNER"] = "everyone"
# Nothing is fetched by itself: tests need no network.
os.environ["FER_EXPLORER_FETCH_DETECTOR"] = "0"

import pytest  # noqa: E402
from markers import holds_none, twins_by_name  # noqa: E402

from fer_core.data.importer import import_dataset  # noqa: E402
from fer_core.settings import settings  # noqa: E402


@pytest.fixture(scope="session")
def drawn_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drawn sample, written once: a dataset folder to read or to copy."""
    out = tmp_path_factory.mktemp("drawn") / "sample"
    import_dataset("sample", out)
    return out


def pytest_configure() -> None:
    """Any run, of one file too, says where two modules have one name: pytest cannot collect both, and only a run of
    all tests would show it."""
    if twice := twins_by_name(Path(__file__).parent):
        raise pytest.UsageError(f"test modules need names of their own; taken twice: {', '.join(twice)}")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """No other process for one file, whose tests stay together anyway; else what ``-n`` says."""
    wanted = {argument.partition("::")[0] for argument in config.args}
    return 0 if len(wanted) == 1 and Path(*wanted).is_file() else None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Files without a test that ``-m`` asks for are not even imported: ``-m browser`` needs 25 of 300."""
    if collection_path.suffix == ".py" and holds_none(collection_path, config.getoption("markexpr")):
        return True
    # False would collect even what pytest ignores for other reasons.
    return None


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
