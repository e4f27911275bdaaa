"""What somebody is shown of their faces before an import, what they may say against it, and that nothing is written."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from data_sources import Faces, csv_text, jpeg, left_behind, picture_files, write_folder, write_zip
from PIL import Image

from fer_core import emotions
from fer_core.data.importer import import_dataset
from fer_core.data.look import FACES as SHOWN
from fer_core.data.look import look_at
from fer_core.data.understanding import Corrections
from fer_core.errors import DataError
from fer_core.inference.cutter import LargestFace
from fer_core.inference.detectors import Face
from fer_core.progress import Progress

FACES = Faces(each=4)
FLAT = {
    f"{emotions.NAMES[label]}/{i}.png": jpeg(image, "PNG")
    for i, (image, label) in enumerate(zip(FACES.images, FACES.labels, strict=True))
}


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_a_look_says_what_an_import_then_does(packed: bool, tmp_path: Path) -> None:
    files = FLAT | {"contempt/a.png": FLAT["sad/16.png"], "happy/notes.txt": b"x", "sad/broken.png": b""}
    source = write_zip(tmp_path / "src.zip", files) if packed else write_folder(tmp_path / "src", files)
    look = look_at(source)
    assert left_behind(tmp_path, {source.name}) == [], "nothing is written"
    understood = look.understanding
    assert understood.question is None
    assert understood.missing == ()
    dataset = import_dataset(source, tmp_path / "out")
    assert sum(map(sum, dataset.info.counts.values())) == 84
    totals = [sum(numbers) for numbers in zip(*understood.counts.values(), strict=True)]
    assert totals == [12, 12, 12, 12, 13, 12, 12], "the broken one is found when all are read"
    for split in emotions.SPLITS:
        assert abs(sum(understood.counts[split]) - dataset.info.split_size(split)) <= 7
    kinds = {one.kind: one.count for one in understood.left_out}
    assert kinds == {one.kind: one.count for one in dataset.info.left_out}
    assert sum("contempt" in kind for kind in kinds) == 1
    assert kinds["empty files"] == 1


@pytest.mark.parametrize("form", ["table", "folder", "array"])
def test_faces_that_are_all_called_training_stay_so_where_somebody_says_it(form: str, tmp_path: Path) -> None:
    """Test faces were drawn out of them, and nothing said how to keep them; of tables nothing could."""
    source = tmp_path / "src"
    if form == "table":
        source = tmp_path / "src.csv"
        source.write_text(csv_text([[label, pixels, "train"] for label, pixels, _ in FACES.rows()]))
    elif form == "folder":
        write_folder(source, {f"train/{name}": content for name, content in FLAT.items()})
    else:
        source = tmp_path / "src.npz"
        np.savez(source, x_train=FACES.images, y_train=FACES.labels)
    understood = look_at(source).understanding
    assert len(understood.splits) == 3
    assert understood.reassigned
    assert "--splits all=train" in (understood.remark or "")
    kept = Corrections.parse(splits="all=train")
    understood = look_at(source, kept).understanding
    assert ([one.split for one in understood.splits], understood.remark) == ([emotions.TRAINING], None)
    assert len(import_dataset(source, tmp_path / "out", said=kept).rows(emotions.TRAINING)) == len(FACES.images)


def test_what_says_nothing_about_splits_is_not_told_that_it_calls_them_training(tmp_path: Path) -> None:
    assert not look_at(write_folder(tmp_path / "flat", FLAT)).understanding.reassigned
    files = picture_files(FACES, official_names=False)
    assert not look_at(write_folder(tmp_path / "split", files)).understanding.reassigned


def test_a_look_says_that_an_import_would_fail(tmp_path: Path) -> None:
    files = {name: content[:60] if name < "neutral" else content for name, content in FLAT.items()}
    notes = look_at(write_folder(tmp_path / "src", files)).understanding.notes
    assert any("cannot be used" in note for note in notes)
    assert not any(
        "cannot be used" in note for note in look_at(write_folder(tmp_path / "ok", FLAT)).understanding.notes
    )


def test_a_look_shows_twelve_faces_of_every_class(tmp_path: Path) -> None:
    look = look_at(write_folder(tmp_path / "src", FLAT))
    assert len(look.faces) == SHOWN
    assert {face.label for face in look.faces} == set(range(7))
    for face in look.faces:
        assert face.name.startswith(emotions.NAMES[face.label])
        assert np.array_equal(face.pixels, np.asarray(Image.open(io.BytesIO(FLAT[face.name]))))


def test_a_table_is_looked_at_too(tmp_path: Path) -> None:
    file = tmp_path / "fer2013.csv"
    file.write_text(csv_text(FACES.rows()))
    look = look_at(file)
    assert look.understanding.faces == 84
    assert len(look.faces) == SHOWN
    assert {face.label for face in look.faces} == set(range(7))


def test_what_is_in_doubt_is_shown_and_not_imported(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "src", FLAT | {"hapyness!/x.png": FLAT["sad/16.png"], "snooze/y.png": b"x"})
    understood = look_at(source).understanding
    words = {found.meaning.word: found.meaning for found in understood.classes if found.meaning.doubtful}
    assert set(words) == {"snooze"} or set(words) == {"snooze", "hapyness!"}
    assert understood.question is not None
    with pytest.raises(DataError, match="data look"):
        import_dataset(source, tmp_path / "out")
    answered = look_at(source, Corrections.parse("happy=hapyness!", drop="snooze")).understanding
    assert answered.question is None


class Fixed:
    """A detector that finds what it is told, and counts."""

    title = "fixed"

    def __init__(self, *faces: Face) -> None:
        self.faces, self.asked = list(faces), 0

    def detect(self, image_bgr: np.ndarray) -> list[Face]:
        self.asked += 1
        return self.faces


def photograph() -> bytes:
    """A dark picture of 200×300 pixels with a bright square of 80 at (100, 40)."""
    picture = np.full((200, 300), 20, np.uint8)
    picture[40:120, 100:180] = 220
    return jpeg(picture, "PNG")


def test_the_largest_face_of_a_photograph_is_cut_out_and_small_pictures_are_left_alone(tmp_path: Path) -> None:
    files = FLAT | {"happy/photo.png": photograph()}
    detector = Fixed(Face(0, 0, 10, 10, 1.0), Face(100, 40, 80, 80, 1.0))
    source = write_folder(tmp_path / "src", files)
    dataset = import_dataset(source, tmp_path / "out", cutter=LargestFace(detector))
    row = list(dataset.faces()["source_name"]).index("happy/photo.png")
    assert dataset.images[row].min() > 200
    assert detector.asked == 1
    assert any("1 of 85 pictures a face was found and cut out" in note for note in dataset.info.notes)

    said = Corrections(already_cut=True)
    whole = import_dataset(source, tmp_path / "whole", cutter=LargestFace(detector), said=said)
    assert whole.images[row].min() < 50
    assert detector.asked == 1, "nobody looks for faces in what is cut already"


def test_a_picture_without_a_face_is_taken_whole_and_told(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "src", FLAT | {"happy/a.png": photograph(), "sad/b.png": photograph()})

    class Cutter:
        caution = "Faces were found by a rule of thumb."
        asked = 0

        def __call__(self, picture: np.ndarray) -> np.ndarray | None:
            self.asked += 1
            return np.full((48, 48), 7, np.uint8) if self.asked == 1 else None

    info = import_dataset(source, tmp_path / "out", cutter=Cutter()).info
    assert Cutter.caution in info.notes
    assert info.faces == 86
    assert any("In 1 of 86 pictures no face was found" in note and "--already-cut" in note for note in info.notes)


def test_a_look_can_be_stopped(tmp_path: Path) -> None:
    class StopError(Exception):
        pass

    def stop(_: Progress) -> None:
        raise StopError

    with pytest.raises(StopError):
        look_at(write_folder(tmp_path / "src", FLAT), progress=stop)


def test_a_look_at_a_picture_bomb_decodes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fer_core.picture_size.MOST_PIXELS", 48 * 48)
    monkeypatch.setattr("fer_core.picture_size.MOST_WHOLE", 48 * 48)
    understood = look_at(write_folder(tmp_path / "src", FLAT | {"sad/big.png": photograph()})).understanding
    assert [one.kind for one in understood.left_out] == ["pictures with too many pixels"]


def test_a_folder_of_fer2013_is_understood_by_its_names(tmp_path: Path) -> None:
    understood = look_at(write_folder(tmp_path / "src", picture_files(FACES))).understanding
    assert understood.counts == dict.fromkeys(emotions.SPLITS, (4,) * 7)
