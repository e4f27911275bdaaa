"""How folders, names of files and lists are understood, without a picture being opened."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence

import numpy as np
import pytest

from fer_core import emotions
from fer_core.data.folder_source import ImportPlan, plan_import
from fer_core.data.understanding import Corrections
from fer_core.errors import DataError


class Names:
    """A tree of names; ``texts`` are those files that may be read."""

    left_out = 0

    def __init__(self, names: Sequence[str], label: str = "src", **texts: str | bytes) -> None:
        self.label = label
        self._texts = {name.replace("__", "."): text for name, text in texts.items()}
        self._names = sorted([*names, *self._texts])

    def names(self) -> list[str]:
        return self._names

    def stored(self, name: str) -> str:
        return name

    def read(self, name: str) -> bytes:
        text = self._texts[name]
        return text if isinstance(text, bytes) else text.encode()


def plan(
    names: Sequence[str], said: Corrections | None = None, label: str = "src", **texts: str | bytes
) -> ImportPlan | None:
    tree = Names(names, label, **texts)
    return plan_import(tree, tree.names(), said)


def found(
    names: Sequence[str], said: Corrections | None = None, label: str = "src", **texts: str | bytes
) -> dict[str, str]:
    """What each picture was understood as: ``class split``."""
    planned = plan(names, said, label, **texts)
    assert planned is not None
    assert planned.understanding().question is None, planned.understanding().question
    return {face.name: f"{emotions.NAMES[face.label]} {face.split}".strip() for face in planned.faces}


@pytest.mark.parametrize(
    "pattern",
    [
        "{split}/{word}/{n}.png",
        "{word}/{split}/{n}.png",
        "data/{split}/{word}/{n}.png",
        "a/b/{word}/c/{split}/{n}.png",
        "{split}/{word}/person7/{n}.png",
    ],
)
def test_split_and_class_nest_in_any_order(pattern: str) -> None:
    names = [
        pattern.format(split=split, word=word, n=n)
        for split in ("Train", "val", "testing")
        for word in ("Anger", "joy")
        for n in range(2)
    ]
    understood = found(names)
    assert len(understood) == 12
    for name, meaning in understood.items():
        split = "Training" if "Train" in name else "PublicTest" if "val" in name else "PrivateTest"
        assert meaning == f"{'angry' if 'Anger' in name else 'happy'} {split}"


def test_people_below_or_around_the_classes_are_no_classes() -> None:
    names = [f"S{person:03}/{word}/01/{n}.png" for person in range(30) for word in ("happy", "sad") for n in range(2)]
    assert set(found(names).values()) == {"happy", "sad"}


def test_a_folder_around_all_others_is_no_class_whatever_it_is_called() -> None:
    names = [f"Natural faces/{word}/{n}.png" for word in ("happy", "sad") for n in range(3)]
    assert set(found(names).values()) == {"happy", "sad"}
    assert set(found(["neutral/1.png", "neutral/2.png"]).values()) == {"neutral"}


@pytest.mark.parametrize(
    ("names", "meaning"),
    [
        (["angry_001.jpg", "happy_002.jpg", "Sadness-3.jpg"], ["angry", "happy", "sad"]),
        (["KA.AN1.39.tiff", "KA.HA2.30.tiff", "YM.SU1.58.tiff"], ["angry", "happy", "surprise"]),
        (["AF01/AF01AFS.JPG", "AF01/AF01NES.JPG", "AM02/AM02DIHL.JPG"], ["fear", "neutral", "disgust"]),
    ],
    ids=["prefix", "JAFFE", "KDEF"],
)
def test_names_of_files_tell_classes_where_folders_do_not(names: list[str], meaning: list[str]) -> None:
    understood = found(names)
    assert [understood[name] for name in names] == meaning


@pytest.mark.parametrize(
    ("numbers", "label", "words"),
    [
        (range(1, 8), "downloads", ["surprise", "fear", "disgust", "happy", "sad", "angry", "neutral"]),
        (range(7), "downloads", list(emotions.NAMES)),
        (range(8), "AffectNet", ["neutral", "happy", "sad", "surprise", "fear", "disgust", "angry"]),
    ],
)
def test_numbered_folders(numbers: range, label: str, words: list[str]) -> None:
    understood = found([f"train/{number}/{number}.jpg" for number in numbers], label=label)
    assert [understood[f"train/{number}/{number}.jpg"] for number in list(numbers)[:7]] == words


def test_eight_numbers_of_nobody_are_asked_for() -> None:
    planned = plan([f"train/{number}/x.jpg" for number in range(8)])
    assert planned is not None
    assert planned.faces == []
    question = planned.understanding().question
    assert question is not None
    assert "--classes" in question
    assert found([f"train/{n}/x.jpg" for n in range(8)], Corrections.parse("AffectNet"))["train/0/x.jpg"] == "neutral"


ALPHABETICAL = sorted(emotions.NAMES)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("classes__txt", "\n".join(ALPHABETICAL)),
        ("labels__txt", "\n".join(f"{number} {name.title()}" for number, name in enumerate(ALPHABETICAL))),
        ("class_indices__json", json.dumps({name: number for number, name in enumerate(ALPHABETICAL)})),
        ("config/id2label__json", json.dumps({str(number): name for number, name in enumerate(ALPHABETICAL)})),
        ("data__yaml", f"train: ../train\nnc: 7\nnames: {ALPHABETICAL}\n"),
        ("data__yaml", "names:\n" + "".join(f"  {n}: {name}\n" for n, name in enumerate(ALPHABETICAL)) + "nc: 7\n"),
    ],
)
def test_what_a_source_itself_calls_its_numbers_is_no_guess(file: str, text: str) -> None:
    """0 to 6 were taken for FER-2013's with a list of other names beside them."""
    planned = plan([f"train/{n}/{n}.jpg" for n in range(7)], **{file: text})
    assert planned is not None
    assert [emotions.NAMES[face.label] for face in planned.faces] == ALPHABETICAL
    assert any(file.replace("__", ".") in note for note in planned.notes)


def test_a_list_of_names_counts_from_1_where_the_folders_do() -> None:
    understood = found([f"train/{n + 1}/{n}.jpg" for n in range(7)], classes__txt="\n".join(ALPHABETICAL))
    assert list(understood.values()) == ALPHABETICAL


def test_lines_of_json_tell_the_classes_of_pictures() -> None:
    lines = [json.dumps({"file_name": f"faces/{n}.jpg", "label": word}) for n, word in enumerate(("anger", "joy"))]
    understood = found(["faces/0.jpg", "faces/1.jpg"], metadata__jsonl="\n".join(lines))
    assert understood == {"faces/0.jpg": "angry", "faces/1.jpg": "happy"}


@pytest.mark.parametrize("text", ["cat\ndog\nhorse\n", "\n".join(ALPHABETICAL[:3]), "{", "[[1]]", ""])
def test_a_file_that_does_not_name_all_the_numbers_counts_for_nothing(text: str) -> None:
    understood = found([f"train/{n}/{n}.jpg" for n in range(7)], classes__txt=text)
    assert understood["train/4/4.jpg"] == "sad"


def test_what_somebody_says_of_the_numbers_counts_above_a_file() -> None:
    names = [f"train/{n}/{n}.jpg" for n in range(7)]
    assert found(names, Corrections.parse("FER-2013"), classes__txt="\n".join(ALPHABETICAL))["train/4/4.jpg"] == "sad"


@pytest.mark.parametrize("pattern", ["{split}/{kind}/{n}.{end}", "{kind}/{split}/{n}.{end}"])
def test_yolo_as_it_comes(pattern: str) -> None:
    boxes, pictures = {}, []
    for n in range(14):
        split = "train" if n % 2 else "val"
        pictures.append(pattern.format(split=split, kind="images", n=n, end="png"))
        boxes[pattern.format(split=split, kind="labels", n=n, end="txt")] = f"{n % 7} 0.5 0.5 1 1\n"
    boxes[pattern.format(split="train", kind="labels", n=1, end="txt")] = "1 0 0 1 1\n2 0 0 1 1\n"
    understood = found(pictures, **boxes, data__yaml=f"names: {ALPHABETICAL}")
    assert len(understood) == 13, "one has two classes"
    for n in (0, *range(2, 14)):
        split, name = ("train", "Training") if n % 2 else ("val", "PublicTest")
        meant = understood[pattern.format(split=split, kind="images", n=n, end="png")]
        assert meant.split()[0] == ALPHABETICAL[n % 7]
        assert meant.endswith(name) or name == "Training", "some of Training are drawn"


@pytest.mark.parametrize(
    ("pattern", "split"),
    [("aia/aia_{}/{}.png", ""), ("bonnie_{}_2/{}.png", ""), ("test_{}/{}.png", "PrivateTest")],
)
def test_folders_called_by_more_than_the_class(pattern: str, split: str) -> None:
    names = ["anger", "joy", "sadness"]
    understood = found([pattern.format(name, n) for name in names for n in range(2)])
    assert understood[pattern.format("joy", 1)] == f"happy {split}".strip()


@pytest.mark.parametrize("words", [("happily_surprised", "sadly_angry"), ("not_happy", "not_sad"), ("sad_fear", "joy")])
def test_a_word_that_changes_the_class_is_asked_about(words: tuple[str, str]) -> None:
    planned = plan([f"train/{word}/{n}.png" for word in words for n in range(3)])
    assert planned is not None
    assert planned.understanding().question is not None


def test_two_sets_side_by_side_are_refused_and_one_can_be_dropped() -> None:
    names = [f"{root}train/{word}/x.png" for root in ("", "images/") for word in ("happy", "sad")]
    with pytest.raises(DataError, match="several sets"):
        plan(names)
    assert set(found(names, Corrections.parse(drop="images"))) == {"train/happy/x.png", "train/sad/x.png"}


def test_a_set_for_tests_only_is_said() -> None:
    names = [f"{word}/{n}.png" for word in ("happy", "sad") for n in range(9)]
    assert set(found(names, Corrections.parse(splits="all=test")).values()) == {"happy PrivateTest", "sad PrivateTest"}
    assert set(found(["test/happy/1.png", "test/sad/2.png"]).values()) == {"happy PrivateTest", "sad PrivateTest"}


def test_folds_become_splits_as_they_are_said() -> None:
    names = [f"Fold{fold}/{word}/x.png" for fold in (1, 2) for word in ("happy", "sad")]
    understood = found(names, Corrections.parse(splits="fold1=train,fold2=val"))
    assert understood["Fold2/sad/x.png"] == "sad PublicTest"


PICTURES = [f"faces/{n}.jpg" for n in range(4)]


@pytest.mark.parametrize(
    "text",
    [
        "image,label\nfaces/0.jpg,anger\nfaces/1.jpg,joy\nfaces/2.jpg,sad\n",
        ",pth,label,score\n0,0.jpg,anger,0.3\n1,1.jpg,joy,0.2\n2,2.jpg,sad,0.5\n",
        "C:\\\\me\\\\faces\\\\0.jpg;anger\nD:\\\\faces\\\\1.jpg;joy\n./faces/2.jpg;sad\n",
        "0.jpg anger\n1.jpg joy\n2.jpg sad\n",
        "0\tanger\n1\tjoy\n2\tsad\n",
    ],
    ids=["csv", "index and score", "Windows", "lines", "tabs, no endings"],
)
def test_a_list_tells_the_classes_of_pictures_beside_it(text: str) -> None:
    text = text.encode().decode("unicode_escape").replace("\\\\", "\\")
    understood = found(PICTURES, labels__csv=text)
    assert understood == {"faces/0.jpg": "angry", "faces/1.jpg": "happy", "faces/2.jpg": "sad"}
    planned = plan(PICTURES, labels__csv=text)
    assert planned is not None
    assert [(one.kind, one.count) for one in planned.left_out.result()] == [("pictures that no list names", 1)]


def test_folders_that_may_be_splits_are_asked_about() -> None:
    """Faces of two splits with names of nobody known were drawn anew in silence, or left out."""
    words = ("happy", "sad")
    notes = [
        " ".join(planned.notes)
        for names in (
            [f"{folder}/{word}/x.png" for folder in ("alpha", "beta") for word in words],
            [f"{folder}/{word}/x.png" for folder in ("alpha", "test") for word in words],
            [f"around/{folder}/{word}/x.png" for folder in ("train", "test") for word in words],
            [f"around/{word}/x.png" for word in words],
            [f"person{number}/{word}/x.png" for number in range(5) for word in words],
        )
        if (planned := plan(names))
    ]
    assert ["--splits" in note for note in notes] == [True, True, False, False, False]
    assert "alpha=…,beta=…" in notes[0]
    assert "Left out" in notes[1]
    assert "alpha=… " in notes[1]


def test_a_list_may_have_a_column_for_each_class() -> None:
    """Several such lists, one in each folder for a split, were refused as tables of which one is to be chosen."""
    names = [f"{folder}/{n}.jpg" for folder in ("train", "valid") for n in range(3)]
    text = "filename, Anger, joy, sad\n0.jpg, 1, 0, 0\n1.jpg, 0, 1, 0\n2.jpg, 1, 1, 0\n"
    planned = plan([*names], **{"train/_classes__csv": text, "valid/_classes__csv": text})
    assert planned is not None
    assert [(face.name, face.label, face.split) for face in planned.faces if face.split == "PublicTest"] == [
        ("valid/0.jpg", 0, "PublicTest"),
        ("valid/1.jpg", 3, "PublicTest"),
    ]


def test_bare_names_of_several_pictures_are_told_apart_by_folders() -> None:
    """It was said that the pictures are not there."""
    names = [f"p{person}/{n}.jpg" for person in (1, 2) for n in range(3)]
    with pytest.raises(DataError, match="several are called so"):
        plan(names, labels__csv="image,label\n0.jpg,anger\n1.jpg,joy\n2.jpg,sad\n")


def test_rafdbs_own_list() -> None:
    text = "".join(f"{split}_{n:05}.jpg {n}\n" for split in ("train", "test") for n in range(1, 8))
    names = [f"aligned/{split}_{n:05}_aligned.jpg" for split in ("train", "test") for n in range(1, 8)]
    understood = found(names, list_patition_label__txt=text)
    assert understood["aligned/train_00001_aligned.jpg"] == "surprise", "of train, validation is drawn"
    assert understood["aligned/test_00007_aligned.jpg"] == "neutral PrivateTest"


def test_two_lists_are_two_splits() -> None:
    lists = {
        f"{split}_labels__csv": f"image,label\nfaces/{n}.jpg,1\nfaces/{n + 2}.jpg,7\n"
        for n, split in enumerate(("train", "test"))
    }
    assert found(PICTURES, **lists)["faces/3.jpg"] == "neutral PrivateTest"


def test_a_table_of_pixels_is_no_list() -> None:
    assert (
        plan(PICTURES, fer__csv="emotion,pixels\n3," + "7 " * 2304 + "\n") is None
        or not plan(PICTURES, fer__csv="emotion,pixels\n3," + "7 " * 2304 + "\n").faces
    )  # type: ignore[union-attr]


def test_ckplus_as_it_comes() -> None:
    """A text file for each labelled picture, numbered in an order of its own."""
    names = [f"cohn-kanade-images/S005/001/S005_001_{n:08}.png" for n in range(1, 12)]
    names += ["cohn-kanade-images/S010/002/S010_002_00000014.png", "cohn-kanade-images/S011/001/S011_001_00000002.png"]
    texts = {
        "Emotion/S005/001/S005_001_00000011_emotion__txt": "   3.0000000e+00\n",
        "Emotion/S010/002/S010_002_00000014_emotion__txt": "   7.0000000e+00\n",
        "Emotion/S011/001/S011_001_00000002_emotion__txt": "oops",
    }
    understood = found(names, **texts)
    assert understood == {names[10]: "disgust", names[11]: "surprise"}
    planned = plan(names, **texts)
    assert planned is not None
    assert {one.kind: one.count for one in planned.left_out.result()} == {
        "files that should tell a class and do not": 1,
        "pictures without a file that tells their class": 11,
    }


def test_affectnet_as_it_comes() -> None:
    texts = {}
    for split in ("train_set", "val_set"):
        for number, label in enumerate(("0", "6", "7")):
            buffer = io.BytesIO()
            np.save(buffer, np.array(label))
            texts[f"{split}/annotations/{number}_exp__npy"] = buffer.getvalue()
    names = [f"{split}/images/{n}.jpg" for split in ("train_set", "val_set") for n in range(3)]
    understood = found(names, **texts)
    assert [understood[f"val_set/images/{n}.jpg"] for n in range(2)] == ["neutral PublicTest", "angry PublicTest"]
    assert "val_set/images/2.jpg" not in understood, "contempt"


def test_a_pickle_in_place_of_a_label_is_not_opened() -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.array({"a": 1}, dtype=object), allow_pickle=True)
    texts = {"a/annotations/1_exp__npy": buffer.getvalue(), "a/annotations/2_exp__npy": b"x"}
    assert plan(["a/images/1.jpg", "a/images/2.jpg"], **texts) is None


def test_a_text_file_that_is_made_to_fill_memory_or_break_the_reader_is_no_list() -> None:
    for text in ("\n" * 1_000_000, 'a,"' + "x\n" * 300_000, "a" * 3_000_000):
        assert plan(PICTURES, labels__csv=text) is None
