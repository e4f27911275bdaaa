"""Classes of pictures out of a small file for each, as CK+ (``S005_001_00000011_emotion.txt``) and AffectNet have them.

Whose numbers they hold is evident from what the files are called. Those of YOLO (``labels/1.txt`` beside
``images/1.png``) hold anybody's: a ``data.yaml`` names them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from fer_core.data.class_names import Numbering
from fer_core.data.folder_or_zip import Tree
from fer_core.data.layout import NO_PICTURE, Layout, PictureFile, dropped, is_picture, split_folder
from fer_core.data.understanding import Corrections, LeftOutTally
from fer_core.errors import UnusableFileError

ENDINGS = {"_emotion.txt": Numbering.CK_PLUS, "_exp.npy": Numbering.AFFECTNET}
UNLABELLED = "pictures without a file that tells their class"
UNREADABLE = "files that should tell a class and do not"
_MOST_BYTES = 1_000
"""Of a file that holds one number."""


def numbering_beside(names: Sequence[str]) -> Numbering | None:
    """Whose files for labels there are among ``names``; None where there are none."""
    return next((whose for name in names for end, whose in ENDINGS.items() if name.endswith(end)), None)


def find_beside(tree: Tree, names: Sequence[str], said: Corrections, left_out: LeftOutTally) -> Layout | None:
    """The pictures that have such a file, found by their name, with the number in it as their class; None without."""
    whose = numbering_beside(names)
    end = next((end for end, numbering in ENDINGS.items() if numbering is whose), "")
    if whose is None:
        return _yolo(tree, names, said, left_out)
    by_stem = {(_set(name), PurePosixPath(name).stem): name for name in names if is_picture(name)}
    files: dict[str, PictureFile] = {}
    for name in names:
        if not name.endswith(end):
            continue
        picture = by_stem.get((_set(name), PurePosixPath(name).name.removesuffix(end)))
        if picture is None or dropped(picture, said):
            continue
        number = _number(tree, name)
        if number is None:
            left_out.add(UNREADABLE, name)
        else:
            split = split_folder(picture.split("/")[:-1], said)
            files[picture] = PictureFile(picture, str(number), split)
    if not files:
        return None
    for name in names:
        if name not in files and not name.endswith(end):
            left_out.add(UNLABELLED if is_picture(name) else NO_PICTURE, name)
    return Layout(f"Pictures with a file for each that tells its class, as in {whose.value}.", list(files.values()))


def _yolo(tree: Tree, names: Sequence[str], said: Corrections, left_out: LeftOutTally) -> Layout | None:
    """Pictures in folders ``images`` whose boxes stand in folders ``labels``; None where most have none."""
    boxes = {name for name in names if name.endswith(".txt") and "labels" in name.split("/")[:-1]}
    pictures = [name for name in names if is_picture(name) and "images" in name.split("/")[:-1]] if boxes else []
    pairs = {name: beside for name in pictures if (beside := _boxes_of(name)) in boxes and not dropped(name, said)}
    if not pairs or len(pairs) * 2 < len(pictures):
        return None
    files = []
    for picture, beside in pairs.items():
        word = _class_of_boxes(tree, beside)
        if word:
            files.append(PictureFile(picture, word, split_folder(picture.split("/")[:-1], said)))
        else:
            left_out.add(UNREADABLE, beside)
    for name in names:
        if name not in pairs and name not in boxes:
            left_out.add(UNLABELLED if is_picture(name) else NO_PICTURE, name)
    return Layout("Pictures with a file of boxes for each, as in YOLO.", files) if files else None


def _boxes_of(picture: str) -> str:
    """Where the boxes of a picture stand: the innermost folder ``images`` becomes ``labels``."""
    parts = picture.split("/")[:-1]
    at = len(parts) - 1 - parts[::-1].index("images")
    return "/".join([*parts[:at], "labels", *parts[at + 1 :], f"{PurePosixPath(picture).stem}.txt"])


def _class_of_boxes(tree: Tree, name: str) -> str:
    """The class that all boxes of a picture have, as a number; empty where they have several, or none."""
    try:
        lines = tree.read(name).decode("ascii").splitlines()
    except (UnusableFileError, ValueError):
        return ""
    found = {line.split()[0] for line in lines if line.strip()}
    word = found.pop() if len(found) == 1 else ""
    return word if word.isdigit() and len(word) <= 2 else ""


def _set(name: str) -> str:
    """What keeps AffectNet's ``train_set/images/1.jpg`` and ``val_set/images/1.jpg`` apart; empty in CK+."""
    first = name.split("/")[:-1]
    return next((part for part in first if part.endswith("_set")), "")


def _number(tree: Tree, name: str) -> int | None:
    """The whole number that the file holds; None where it holds none."""
    try:
        content = tree.read(name)
        if len(content) > _MOST_BYTES:
            return None
        if name.endswith(".npy"):
            value = float(np.load(io.BytesIO(content), allow_pickle=False).item())
        else:
            value = float(content.decode("ascii"))
    except (UnusableFileError, ValueError, EOFError, OSError):
        return None
    return int(value) if value.is_integer() and 0 <= value < 100 else None
