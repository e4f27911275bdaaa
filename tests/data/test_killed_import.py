"""``kill -9`` at any moment of an import: the dataset of before, the new one, or none where there was none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_sources import Faces, csv_text
from killing import crashes, kill_at, writes

from fer_core.data.catalogue import list_damaged, list_datasets
from fer_core.data.dataset import load_dataset, write_dataset
from fer_core.data.importer import import_dataset
from fer_core.errors import DataError
from fer_core.settings import settings

FACES = Faces(each=1)


def seen(path: Path) -> dict[str, Any]:
    """All that is read of a dataset, and how the datasets are listed."""
    listed = [(info.title, info.faces, info.fingerprint) for info in list_datasets()]
    assert list_damaged() == []
    try:
        dataset = load_dataset(path)
    except DataError:
        return {"listed": listed}
    named = dataset.faces()["source_name"].tolist()
    return {"listed": listed, "images": np.asarray(dataset.images).tolist(), "names": named, "info": dataset.info.notes}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "fer2013.csv"
    path.write_text(csv_text(FACES.rows()))
    return path


@pytest.mark.parametrize("replacing", [False, True])
def test_wherever_an_import_is_killed_it_has_happened_or_has_not(home: Path, source: Path, replacing: bool) -> None:
    out = settings().datasets_dir / "mine"
    other = settings().datasets_dir / "other"
    write_dataset(other, FACES.images[:7], FACES.labels[:7], FACES.splits[:7], title="Other")
    if replacing:
        write_dataset(out, FACES.images[::-1], FACES.labels[::-1], FACES.splits[::-1], title="Before")

    def act() -> None:
        import_dataset(source, out, title="After", overwrite=True)

    old, new, states = seen(out), None, []
    for doing in crashes(act, out):
        if not states and replacing:
            assert seen(out) == old
        states.append((doing, seen(out)))
        if len(states) % 5 == 0:
            act()
            new = seen(out)
            assert [info.title for info in list_datasets()].count("After") == 1
            assert [path for path in out.parent.iterdir() if path.name.startswith(".")] == [], doing
    act()
    new = seen(out)
    assert new != old
    assert len(states) > 8
    for doing, found in states:
        assert found in (old, new), f"killed before: {doing}"
    assert not replacing or any(found == new for _, found in states), "the old folder is removed when all is done"


def test_a_dataset_that_was_being_replaced_is_read_without_another_import(home: Path, source: Path) -> None:
    """With a real ``kill -9`` between the two renames."""
    out = settings().datasets_dir / "mine"
    write_dataset(out, FACES.images, FACES.labels, FACES.splits, title="Before")
    before = seen(out)

    def act() -> None:
        import_dataset(source, out, title="After", overwrite=True)

    planned = [number for number, words in enumerate(writes(act), start=1) if words.startswith("rename")]
    assert len(planned) == 2
    write_dataset(out, FACES.images, FACES.labels, FACES.splits, title="Before", overwrite=True)
    kill_at(planned[1], act)
    assert not out.exists()
    assert load_dataset(out).info.title == "Before"
    assert seen(out) == before
    act()
    assert sorted(path.name for path in out.parent.iterdir()) == ["mine"]
