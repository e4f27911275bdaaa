"""Pictures, arrays and Parquet inside archives: read as from a folder, and nothing of them is left on the disk."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from data_sources import Faces, left_behind, picture_files, write_folder, write_tar, write_zip

from fer_core.data.importer import import_dataset
from fer_core.errors import DataError
from fer_core.settings import settings

FACES = Faces()


@pytest.fixture(autouse=True)
def nothing_left(home: Path):  # type: ignore[no-untyped-def]
    yield
    cache = settings().cache_dir
    assert not cache.exists() or not list(cache.iterdir())


@pytest.mark.parametrize(
    ("ending", "mode"), [("tar", "w"), ("tar.gz", "w:gz"), ("tar.xz", "w:xz"), ("tar.bz2", "w:bz2")]
)
def test_pictures_in_a_tar_are_read_as_those_in_a_folder(ending: str, mode: str, tmp_path: Path) -> None:
    files = picture_files(FACES)
    (tmp_path / "faces").mkdir()
    write_folder(tmp_path / "faces", files)
    expected = import_dataset(tmp_path / "faces", tmp_path / "one")
    # The wrong way round, as a tar may be, with what other systems leave in them.
    turned = {f"./faces/{name}": files[name] for name in reversed(files)} | {"./faces/._x.png": b"", "./.DS_Store": b""}
    found = import_dataset(write_tar(tmp_path / f"faces.{ending}", turned, mode), tmp_path / "other")
    assert found.info.fingerprint == expected.info.fingerprint
    assert found.info.left_out == expected.info.left_out


def test_links_and_devices_in_a_tar_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "faces.tar"
    files = picture_files(FACES)
    first = next(iter(files))
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        for number, (kind, target) in enumerate(
            ((tarfile.SYMTYPE, "inside.png"), (tarfile.LNKTYPE, first), (tarfile.FIFOTYPE, ""), (tarfile.CHRTYPE, ""))
        ):
            entry = tarfile.TarInfo(f"{first.rpartition('/')[0]}/odd-{number}.png")
            entry.type, entry.linkname = kind, target
            archive.addfile(entry)
    dataset = import_dataset(path, tmp_path / "out")
    assert len(dataset) == len(files)
    assert any("4 links were left out" in note for note in dataset.info.notes)


@pytest.mark.parametrize("name", ["../../happy.png", "/tmp/happy/x.png", "C:\\happy\\x.png"])
def test_a_picture_that_climbs_out_of_a_tar_refuses_all_of_it(name: str, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    files = picture_files(FACES)
    source = write_tar(tmp_path / "inner" / "faces.tar.gz", {**files, name: next(iter(files.values()))})
    with pytest.raises(DataError, match="outside"):
        import_dataset(source, tmp_path / "inner" / "out")
    assert left_behind(tmp_path / "inner", {"faces.tar.gz"}) == []
    assert left_behind(tmp_path, {"inner", "home", "models"}) == []


def test_a_tar_of_pictures_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    source = write_tar(tmp_path / "faces.tar.gz", {**picture_files(FACES), "train/happy/big.png": bytes(80 * 1024**2)})
    with pytest.raises(DataError, match="times its own size"):
        import_dataset(source, tmp_path / "out")


def test_a_tar_of_pictures_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    source = write_tar(tmp_path / "faces.tar.gz", picture_files(FACES))
    source.write_bytes(source.read_bytes()[:-2000])
    with pytest.raises(DataError, match="Download it again"):
        import_dataset(source, tmp_path / "out")


def arrays() -> dict[str, bytes]:
    images, labels = FACES.images, FACES.labels
    packed, table = io.BytesIO(), io.BytesIO()
    np.savez(packed, X=images, y=labels)
    rows = [image.ravel().tolist() for image in images]
    pd.DataFrame({"pixels": rows, "label": labels}).to_parquet(table)
    return {"npz": packed.getvalue(), "parquet": table.getvalue()}


@pytest.mark.parametrize("kind", ["npz", "parquet"])
@pytest.mark.parametrize("pack", [write_zip, write_tar])
def test_arrays_and_parquet_beside_other_files_are_read_out_of_an_archive(
    kind: str, pack: Callable[[Path, dict[str, bytes]], Path], tmp_path: Path
) -> None:
    content = {"my data/README.md": b"read me", f"my data/faces.{kind}": arrays()[kind]}
    source = pack(tmp_path / ("faces.zip" if pack is write_zip else "faces.tar.gz"), content)
    dataset = import_dataset(source, tmp_path / "out")
    assert len(dataset) == len(FACES.images)
    assert sorted(dataset.labels) == sorted(FACES.labels)


@pytest.mark.parametrize("pack", [write_zip, write_tar])
def test_what_is_wrong_with_an_array_in_an_archive_is_told_in_the_archives_name(
    pack: Callable[[Path, dict[str, bytes]], Path], tmp_path: Path
) -> None:
    """It named a temporary file of the server."""
    packed = io.BytesIO()
    np.savez(packed, X=np.array([{}], dtype=object), y=[1])
    source = pack(tmp_path / "faces.zip", {"readme.txt": b"read me", "a.npz": packed.getvalue()})
    with pytest.raises(DataError, match="pickle") as refused:
        import_dataset(source, tmp_path / "out")
    assert str(refused.value).startswith(f"{source}/a.npz")
    assert str(settings().cache_dir) not in str(refused.value)


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_an_empty_tar_is_called_empty(mode: str, tmp_path: Path) -> None:
    """It was taken for a table with a header and no rows."""
    path = tmp_path / "faces.tar.gz"
    tarfile.open(path, mode).close()
    with pytest.raises(DataError, match="holds nothing"):
        import_dataset(path, tmp_path / "out")
