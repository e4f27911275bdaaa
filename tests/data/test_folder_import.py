"""FER-2013 as image folders: splits from names or by the stated rule; resizing; everything that can be wrong."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from data_sources import Faces, jpeg, left_behind, picture_files, write_folder, write_zip
from PIL import Image

from fer_core import emotions
from fer_core.data import folder_source
from fer_core.data.dataset import Dataset
from fer_core.data.importer import import_dataset
from fer_core.data.understanding import Corrections
from fer_core.errors import DataError
from fer_core.progress import Progress

FACES = Faces(each=2)
FILES = picture_files(FACES)


def by_pixels(images: np.ndarray, labels: np.ndarray, splits: list[str]) -> dict[bytes, tuple[int, str]]:
    return {image.tobytes(): (int(label), split) for image, label, split in zip(images, labels, splits, strict=True)}


EXPECTED = by_pixels(FACES.images, FACES.labels, FACES.splits)


def content(dataset: Dataset) -> dict[bytes, tuple[int, str]]:
    return by_pixels(dataset.images, dataset.labels, [str(split) for split in dataset.splits])


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize("wrap", ["", "archive/"])
def test_official_split_comes_from_file_names(packed: bool, wrap: str, tmp_path: Path) -> None:
    clutter = {"Thumbs.db": b"x", "README.md": b"x", f"{wrap}train/happy/.DS_Store": b"x", "__MACOSX/._a.png": b"x"}
    files = {wrap + name: data for name, data in FILES.items()} | clutter
    source = write_zip(tmp_path / "src.zip", files) if packed else write_folder(tmp_path / "src", files)
    dataset = import_dataset(source, tmp_path / "out")
    assert content(dataset) == EXPECTED
    assert dataset.info.kind == "folder"
    assert sum("recovered from their file names" in note for note in dataset.info.notes) == 1
    names = dataset.faces()["source_name"]
    assert names[0] == "train/angry/Training_00000.png"
    assert left_behind(tmp_path, {source.name}) == ["out"]


def test_rows_do_not_depend_on_the_order_of_files(tmp_path: Path) -> None:
    forward = import_dataset(write_zip(tmp_path / "a.zip", FILES), tmp_path / "a")
    backward = import_dataset(write_zip(tmp_path / "b.zip", dict(reversed(FILES.items()))), tmp_path / "b")
    assert forward.info.fingerprint == backward.info.fingerprint
    order = [emotions.SPLITS.index(split) for split in forward.splits]
    assert order == sorted(order), "Training first, then PublicTest, then PrivateTest"


def test_class_names_in_any_case_and_by_synonym(tmp_path: Path) -> None:
    rename = {
        "angry": "Anger",
        "disgust": "Disgusted",
        "fear": "FEARFUL",
        "happy": "happiness",
        "sad": "Sadness",
        "surprise": "Surprised",
        "neutral": "Neutral",
    }
    files = {}
    for name, data in FILES.items():
        folder, label, file = name.split("/")
        files[f"{folder.upper()}/{rename[label]}/{file}"] = data
    assert content(import_dataset(write_folder(tmp_path / "src", files), tmp_path / "out")) == EXPECTED


def plain_names(each_train: int = 18) -> dict[str, bytes]:
    """Names that tell nothing: 18 training and 2 test faces of each class."""
    faces = Faces(each=1)
    files = {}
    for label, name in enumerate(emotions.NAMES):
        for i in range(each_train):
            files[f"train/{name}/im{i}.png"] = jpeg(np.roll(faces.images[label], i), "PNG")
        for i in range(2):
            files[f"test/{name}/im{i}.png"] = jpeg(np.roll(faces.images[label], 100 + i), "PNG")
    return files


def test_public_test_is_carved_where_names_say_nothing(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "src", plain_names())
    dataset = import_dataset(source, tmp_path / "out")
    # One in nine of 18, of each class; test counts as PrivateTest.
    assert dataset.info.counts == {"Training": (16,) * 7, "PublicTest": (2,) * 7, "PrivateTest": (2,) * 7}
    assert any("drawn with seed 2013" in note and "11 % PublicTest" in note for note in dataset.info.notes)
    assert all(name.startswith("train/") for name in dataset.faces()["source_name"][dataset.rows("PublicTest")])
    again = import_dataset(source, tmp_path / "again")
    assert again.info.fingerprint == dataset.info.fingerprint, "seeded"


def test_carving_takes_at_least_one_of_a_small_class(tmp_path: Path) -> None:
    files = plain_names(each_train=3)
    dataset = import_dataset(write_folder(tmp_path / "src", files), tmp_path / "out")
    assert dataset.info.counts["PublicTest"] == (1,) * 7


def test_nothing_is_carved_where_a_validation_folder_exists(tmp_path: Path) -> None:
    files = plain_names(3) | {f"validation/{name}/v.png": FILES[next(iter(FILES))] for name in emotions.NAMES}
    dataset = import_dataset(write_folder(tmp_path / "src", files), tmp_path / "out")
    assert dataset.info.counts == {"Training": (3,) * 7, "PublicTest": (1,) * 7, "PrivateTest": (2,) * 7}


def test_fer2013_ratio() -> None:
    """The real class counts, carved as the rule says, give PublicTest its real size to 1 in 500."""
    merged = [4462, 492, 4593, 8110, 5483, 3586, 5572]  # Training + PublicTest of FER-2013
    carved = sum(round(number * folder_source.CARVED[emotions.PUBLIC_TEST]) for number in merged)
    assert abs(carved - 3589) <= 7


def test_other_sizes_are_resized_counted_and_told(tmp_path: Path) -> None:
    gradient = np.tile(np.linspace(0, 255, 96).astype(np.uint8), (96, 1))
    files = dict(FILES)
    names = list(files)
    files[names[0]] = jpeg(gradient, "PNG")
    files[names[1]] = jpeg(gradient[:60], "PNG")
    dataset = import_dataset(write_folder(tmp_path / "src", files), tmp_path / "out")
    assert "2 of 42 pictures were not 48×48 pixels and were resized; 1 of them were not square and are distorted." in (
        dataset.info.notes
    )
    row = list(dataset.faces()["source_name"]).index(names[0])
    assert np.abs(dataset.images[row].astype(int) - np.linspace(0, 255, 48)).max() < 6, "a gradient stays one"


def test_colour_depth_and_exif(tmp_path: Path) -> None:
    """Colour by ITU-R 601, 16 bits scaled to 8, upright by the EXIF mark: phone pictures used to lie on their side."""
    red = np.zeros((48, 48, 3), np.uint8)
    red[..., 0] = 200
    deep = (np.arange(48 * 48, dtype=np.uint16) * 28).reshape(48, 48)
    buffer = io.BytesIO()
    Image.fromarray(deep).save(buffer, "PNG")
    upright = np.zeros((48, 48), np.uint8)
    upright[:8] = 255
    turned = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(upright).save(turned, "JPEG", exif=exif)
    files = dict(FILES)
    a, b, c = list(files)[:3]
    files[a], files[b] = jpeg(red, "PNG"), buffer.getvalue()
    del files[c]
    c = c.replace(".png", ".JPEG")
    files[c] = turned.getvalue()
    dataset = import_dataset(write_folder(tmp_path / "src", files), tmp_path / "out")
    names = list(dataset.faces()["source_name"])
    assert np.abs(dataset.images[names.index(a)].astype(int) - round(0.299 * 200)).max() <= 1
    assert np.array_equal(dataset.images[names.index(b)], (deep >> 8).astype(np.uint8))
    assert np.abs(dataset.images[names.index(c)].astype(int) - np.rot90(upright, -1)).max() < 40
    assert "1 of 42 pictures were in colour and were turned to grey." in dataset.info.notes


def test_progress_counts_faces(tmp_path: Path) -> None:
    seen: list[Progress] = []
    import_dataset(write_folder(tmp_path / "src", FILES), tmp_path / "out", progress=seen.append)
    assert (seen[-1].done, seen[-1].total, seen[-1].unit) == (42, 42, "faces")


def test_pictures_elsewhere_are_told(tmp_path: Path) -> None:
    files = FILES | {"cover.png": b"x", "notes.txt": b"x", "train/happy/more/x.png": FILES[next(iter(FILES))]}
    info = import_dataset(write_folder(tmp_path / "src", files), tmp_path / "out").info
    assert info.faces == 43, "what lies below a class's folder belongs to the class"
    assert {(one.kind, one.count, one.examples) for one in info.left_out} == {
        ("pictures outside the class folders", 1, ("cover.png",)),
        ("files that are no pictures", 1, ("notes.txt",)),
    }
    assert any("pictures outside the class folders: 1" in note for note in info.notes)


def refused(folder: Path, files: dict[str, bytes], *fragments: str) -> None:
    for packed in (False, True):
        place = folder / ("zip" if packed else "folder")
        place.mkdir()
        source = write_zip(place / "src.zip", files) if packed else write_folder(place / "src", files)
        with pytest.raises(DataError) as caught:
            import_dataset(source, place / "out")
        for fragment in (str(source), *fragments):
            assert fragment in str(caught.value)
        assert left_behind(place, {source.name}) == []


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        (b"", "empty"),
        (b"this is text", "no pictures"),
        (b"GIF89a" + bytes(20), "no pictures"),
        (jpeg(FACES.images[0])[:300], "damaged"),
        (FILES[next(iter(FILES))][:-1200], "damaged"),
    ],
)
@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_a_file_that_is_no_readable_picture_is_skipped_and_listed(
    wrong: bytes, kind: str, packed: bool, tmp_path: Path
) -> None:
    """One broken file used to end the import of all others."""
    name = list(FILES)[5]
    files = FILES | {name: wrong}
    source = write_zip(tmp_path / "src.zip", files) if packed else write_folder(tmp_path / "src", files)
    dataset = import_dataset(source, tmp_path / "out")
    assert len(dataset) == 41
    assert content(dataset) == {pixels: known for i, (pixels, known) in enumerate(EXPECTED.items()) if i != 5}
    (left,) = dataset.info.left_out
    assert kind in left.kind
    assert left.examples == (name,)


def test_where_most_files_are_broken_the_import_fails_and_says_how_many_of_what(tmp_path: Path) -> None:
    files = dict(FILES)
    for name in list(FILES)[:20]:
        files[name] = b""
    for name in list(FILES)[20:25]:
        files[name] = b"text"
    refused(tmp_path, files, "25 of 42 pictures", "20 empty files", "5 files that are no pictures")


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header promises many pixels: a picture bomb needs no more than that."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [7000, 10_000, 30_000])
def test_a_picture_bomb_is_left_out_undecoded(side: int, tmp_path: Path) -> None:
    files = FILES | {list(FILES)[5]: png_claiming(side, side)}
    info = import_dataset(write_folder(tmp_path / "src", files), tmp_path / "out").info
    assert [(one.kind, one.count) for one in info.left_out] == [("pictures with too many pixels", 1)]


def test_a_huge_file_is_left_out_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fer_core.data.folder_or_zip.MAX_FILE_BYTES", 1_000_000)
    files = FILES | {list(FILES)[5]: bytes(2_000_000)}
    info = import_dataset(write_folder(tmp_path / "src", files), tmp_path / "out").info
    assert [one.count for one in info.left_out if "MB" in one.kind] == [1]


def test_an_unknown_class_is_asked_for_with_what_answers(tmp_path: Path) -> None:
    refused(tmp_path, FILES | {"train/snoozing/x.png": b"x"}, "snoozing", "angry, disgust, fear", "--drop snoozing")


def test_what_is_dropped_or_said_is_not_asked_for(tmp_path: Path) -> None:
    picture = FILES[next(iter(FILES))]
    source = write_folder(tmp_path / "src", FILES | {"train/snoozing/x.png": picture})
    dropped = import_dataset(source, tmp_path / "a", said=Corrections.parse(drop="snoozing"))
    assert len(dropped) == 42
    assert [one.count for one in dropped.info.left_out] == [1]
    said = import_dataset(source, tmp_path / "b", said=Corrections.parse("neutral=snoozing"))
    assert len(said) == 43
    assert said.info.counts["Training"][6] == 3


def test_a_class_may_be_missing(tmp_path: Path) -> None:
    """Foreign test sets often lack one; that used to end the import."""
    files = {name: data for name, data in FILES.items() if "/fear/" not in name}
    info = import_dataset(write_folder(tmp_path / "src", files), tmp_path / "out").info
    assert info.classes == tuple(name for name in emotions.NAMES if name != "fear")
    assert any("no face of fear" in note and "training needs" in note for note in info.notes)


def test_several_sets(tmp_path: Path) -> None:
    files = {f"{root}/{name}": data for root in ("a", "b") for name, data in FILES.items()}
    refused(tmp_path, files, "several sets", "a, b")


def test_no_layout_at_all(tmp_path: Path) -> None:
    refused(tmp_path, {"x.png": b"x", "y.png": b"y"}, "neither a CSV file nor", "train/<class>/")


def test_of_train_alone_both_other_splits_are_drawn(tmp_path: Path) -> None:
    files = {name: data for name, data in plain_names(10).items() if name.startswith("train/")}
    info = import_dataset(write_folder(tmp_path / "src", files), tmp_path / "out").info
    assert {split: info.split_size(split) for split in emotions.SPLITS} == {
        "Training": 56,
        "PublicTest": 7,
        "PrivateTest": 7,
    }


def test_train_and_validation_say_that_there_is_no_final_score(tmp_path: Path) -> None:
    files = {name.replace("test/", "validation/"): data for name, data in plain_names(3).items()}
    info = import_dataset(write_folder(tmp_path / "src", files), tmp_path / "out").info
    assert info.splits == ("Training", "PublicTest")
    assert any("no face in PrivateTest" in note for note in info.notes)


def test_archives_in_a_folder_are_named(tmp_path: Path) -> None:
    refused(tmp_path, {"faces.rar": b"Rar!", "readme.txt": b"x"}, "1 archive", "faces.rar", "unpack")


@pytest.mark.parametrize(("head", "kind"), [(b"Rar!\x1a\x07\x01\x00", "RAR"), (b"7z\xbc\xaf\x27\x1c\0\4", "7-Zip")])
def test_rar_and_7z_are_named_and_refused(head: bytes, kind: str, tmp_path: Path) -> None:
    source = tmp_path / "fer2013.zip"
    source.write_bytes(head + bytes(100))
    with pytest.raises(DataError, match=f"{kind}.*Unpack it"):
        import_dataset(source, tmp_path / "out")


def test_a_zip_of_windows_with_backslashes(tmp_path: Path) -> None:
    files = {f"data/{name}".replace("/", "\\"): data for name, data in FILES.items()}
    assert content(import_dataset(write_zip(tmp_path / "src.zip", files), tmp_path / "out")) == EXPECTED


@pytest.mark.parametrize("kind", ["BMP", "WEBP", "TIFF", "GIF"])
def test_every_kind_of_picture_that_photo_reads(kind: str, tmp_path: Path) -> None:
    files = {}
    for name, data in FILES.items():
        buffer = io.BytesIO()
        options = {"lossless": True} if kind == "WEBP" else {}
        Image.open(io.BytesIO(data)).save(buffer, kind, **options)
        files[name.replace(".png", f".{kind.lower()}")] = buffer.getvalue()
    assert content(import_dataset(write_folder(tmp_path / "src", files), tmp_path / "out")) == EXPECTED


def test_a_dataset_folder_is_not_imported_again(tmp_path: Path) -> None:
    import_dataset(write_folder(tmp_path / "src", FILES), tmp_path / "out")
    with pytest.raises(DataError, match="is a dataset folder already"):
        import_dataset(tmp_path / "out", tmp_path / "again")
    assert left_behind(tmp_path, {"src", "out"}) == []


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    write_folder(tmp_path / "elsewhere", {"Training_9.png": FILES[next(iter(FILES))]})
    source = write_folder(tmp_path / "src", FILES)
    (source / "train" / "loop").symlink_to(source)
    assert len(import_dataset(source, tmp_path / "out")) == 42


def test_endless_names_leave_a_dataset_that_can_be_read(tmp_path: Path) -> None:
    """A class of 60,000 letters fits into a zip, and not into a sentence."""
    files = FILES | {f"train/contempt {'x ' * 100}/{i:03}{'y' * 90}.png": b"x" for i in range(3)}
    files |= {f"train/{number} contempt/a.png": b"x" for number in range(2000)}
    source = write_zip(tmp_path / "src.zip", files)
    said = Corrections.parse(drop=f"contempt {'x ' * 100}".strip())
    info = import_dataset(source, tmp_path / "out", said=said).info
    assert info.faces == 42
    assert sum(one.count for one in info.left_out) == 2003
