"""Zips that hold a model: unpacked within bounds, and the one model in them found."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import h5py
import pytest

from fer_core.bring import unpacking
from fer_core.bring.kinds import Kind, kind_of_model
from fer_core.bring.unpacking import model_in, unpack
from fer_core.errors import ModelError


def packed(path: Path, **content: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def weights(path: Path) -> bytes:
    with h5py.File(path, "w") as file:
        file["kernel"] = [1.0]
    return path.read_bytes()


def found(tmp_path: Path, **content: bytes) -> tuple[str, str]:
    """The names of the model and of its weights, among these files of a zip."""
    path = packed(tmp_path / "m.zip", **content)
    assert kind_of_model(path) == Kind.ZIP
    model, inside = model_in(unpack(path, tmp_path / "out", "m.zip"), "m.zip")
    return model.relative_to(tmp_path / "out").as_posix(), inside.name if inside else ""


def test_the_one_model_in_a_zip_is_found_whatever_lies_beside_it(tmp_path: Path) -> None:
    model = {"my net/saved_model.pb": b"x", "my net/variables/variables.index": b"y", "__MACOSX/._saved_model.pb": b""}
    assert found(tmp_path, **model, **{"readme.txt": b"read me"}) == ("my net", "")


def test_an_architecture_goes_with_its_weights_and_a_whole_model_alone(tmp_path: Path) -> None:
    beside = {"net/config.json": b"{}", "net/w.h5": weights(tmp_path / "w.h5")}
    assert found(tmp_path, **beside) == ("net/config.json", "w.h5")
    whole = {"history.json": b"{}", "net.tflite": b"0000TFL3"}
    (tmp_path / "m.zip").unlink()
    (tmp_path / "other").mkdir()
    assert found(tmp_path / "other", **whole) == ("net.tflite", "")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ({"a.keras": b"1", "b.keras": b"2"}, "a.keras, b.keras"),
        ({"../a.keras": b"1"}, "outside"),
        ({"C:\\a.keras": b"1"}, "outside"),
        ({"a.keras": b"1", **{f"{number}.txt": b"" for number in range(501)}}, "files"),
        ({"a.keras": bytes(80 * 1024**2)}, "times"),
    ],
)
def test_what_is_no_one_model_is_refused(content: dict[str, bytes], word: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=word) as refused:
        found(tmp_path, **content)
    assert str(tmp_path) not in str(refused.value)
    assert [path.name for path in tmp_path.glob("*")] in (["m.zip"], ["m.zip", "out"], ["out", "m.zip"])


def test_links_in_a_zip_are_not_made(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("link.keras")
    entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(ModelError, match="holds none"):
        model_in(unpack(tmp_path / "m.zip", tmp_path / "out", "m.zip"), "m.zip")
    assert not list((tmp_path / "out").rglob("*"))


def test_a_zip_whose_list_of_files_lies_about_their_sizes_writes_no_more_than_it_says(tmp_path: Path) -> None:
    """Its list says 10 bytes; 50 MB are packed."""
    path = packed(tmp_path / "m.zip", **{"a.keras": bytes(50 * 1024**2)})
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(ModelError, match="damaged"):
        unpack(path, tmp_path / "out", "m.zip")
    assert sum(one.stat().st_size for one in (tmp_path / "out").rglob("*")) <= 10


def test_too_large_a_model_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MOST_BYTES", 100)
    path = packed(tmp_path / "m.zip", **{"a.keras": bytes(101)})
    with pytest.raises(ModelError, match="unpack to more"):
        unpack(path, tmp_path / "out", "m.zip")
