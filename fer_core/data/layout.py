"""Which file of a folder or archive is a face of what class and split: told by names alone, no picture is opened.

Folders may nest in any order: ``train/happy/``, ``happy/train/``, ``happy/`` alone, with folders around and below. The
level that names the classes is the one where most pictures are under a word that is known for one
(see :mod:`fer_core.data.class_names`). Where no folder does, file names may (``angry_001.jpg``, the codes of JAFFE and
KDEF).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from fer_core import emotions
from fer_core.data.class_names import LEFT_OUT, is_known, meanings, number_of
from fer_core.data.number_names import NumberNames
from fer_core.data.split_names import split_of
from fer_core.data.understanding import Corrections, FoundClass, LeftOutTally
from fer_core.errors import DataError
from fer_core.file_types import ODD_ENDINGS, PICTURE_ENDINGS

NO_PICTURE = "files that are no pictures"
ODD_PICTURE = "pictures of a kind that is not read"
NO_CLASS = "pictures outside the class folders"
NO_SPLIT = "pictures outside the split folders"
OTHER_CLASS = "pictures of other classes"
IN_DOUBT = "pictures of a class in doubt"
DROPPED = "pictures you left out"

_MOST_UNKNOWN = 40
"""Words for classes of which none is known; more of them are no classes."""
_OFFICIAL = re.compile(r"^(Training|PublicTest|PrivateTest)[_-]", re.IGNORECASE)
_KDEF = re.compile(r"^[AB][FM]\d\d(AF|AN|DI|HA|NE|SA|SU)(S|HL|HR|FL|FR)$", re.IGNORECASE)
_MOST_SPLITS = 4
_NEGATIONS = frozenset(("no", "non", "not", "without", "un", "anti", "fake", "mixed"))
_STEM_WORDS = 4
"""Words at the beginning of a file's name among which its class is looked for."""


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture: its name in the tree, its class in the source's words, and a split, empty where none is named.

    ``official``: its own name tells the split, as FER-2013's do.
    """

    name: str
    word: str
    split: str
    official: bool = False


@dataclass(frozen=True)
class Layout:
    """``sentence``: what was understood. ``files``: every picture that has a class, of whatever meaning. ``notes``:
    what somebody may want otherwise, with the option that says so.
    """

    sentence: str
    files: list[PictureFile]
    notes: tuple[str, ...] = ()


def is_picture(name: str) -> bool:
    """Whether a file's ending is that of a picture that is read."""
    return ending(name) in PICTURE_ENDINGS


def ending(name: str) -> str:
    """A file's ending in small letters, without its dot; empty where it has none."""
    return name.rpartition("/")[2].rpartition(".")[2].lower() if "." in name else ""


def find_layout(label: str, names: Sequence[str], said: Corrections, left_out: LeftOutTally) -> Layout | None:
    """The layout of the pictures among ``names``; None where neither folders nor names of files tell classes.

    ``label`` is what messages call the source. What is no picture, or has no class, goes to ``left_out``. Raises
    ``DataError`` for several sets side by side.
    """
    pictures = [name for name in names if is_picture(name)]
    if not pictures:
        return None
    place = _class_place(pictures, said)
    found = _by_folders(label, pictures, said, left_out, place) if place is not None else None
    found = found or _by_file_names(pictures, said, left_out) or _by_words_of_folders(pictures, said, left_out)
    if found is None and place is None and _folders_may_be_classes(pictures, said):
        # None of the words is known: whoever imports is asked what they mean.
        found = _by_folders(label, pictures, said, left_out, -1)
    if found is None:
        return None
    for name in names:
        if not is_picture(name):
            odd = ending(name)
            left_out.add(f"{ODD_PICTURE} ({odd.upper()})" if odd in ODD_ENDINGS else NO_PICTURE, name)
    return found


def understood_classes(
    files: Iterable[PictureFile], hint: str, said: Corrections, named: NumberNames | None = None
) -> tuple[tuple[FoundClass, ...], dict[str, int | None]]:
    """What the words of ``files`` mean, with counts, in the order of our classes; and the label of each word.

    ``named``: what the source itself calls its numbers.
    """
    named = named or NumberNames()
    tally = Counter(file.word for file in files)
    chosen = dict(said.classes)
    chosen.update({word: LEFT_OUT for word in tally if said.drops(word)})
    found = meanings(
        tally.keys(), hint=hint, numbering=said.numbering, chosen=chosen, names=named.names, named_by=named.file
    )
    order = sorted(found, key=lambda word: (_rank(found[word].label, found[word].doubtful), word))
    return tuple(FoundClass(found[word], tally[word]) for word in order), {word: found[word].label for word in found}


def _rank(label: int | None, doubtful: bool) -> int:
    return label if label is not None else emotions.COUNT + int(doubtful)


def _by_folders(
    label: str, pictures: list[str], said: Corrections, left_out: LeftOutTally, place: int
) -> Layout | None:
    kept: list[PictureFile] = []
    loose: list[str] = []
    roots: set[tuple[str, ...]] = set()
    # Folders are few where files are many.
    known: dict[str, tuple[str, list[str], int | None]] = {}
    for name in pictures:
        if dropped(name, said):
            left_out.add(DROPPED, name)
            continue
        folder, _, own_name = name.rpartition("/")
        if folder not in known:
            known[folder] = _split_part(_parts(folder), said)
        split, inner, at = known[folder]
        if not -len(inner) <= place < len(inner):
            loose.append(name)
            continue
        official = _OFFICIAL.match(own_name)
        own = split_of(official[1]) if official else None
        if at is not None:
            index = place if place >= 0 else len(inner) + place
            roots.add(tuple(inner[: min(index, at)]))
        kept.append(PictureFile(name, inner[place], own or split, official=own is not None))
    if len(roots) > 1:
        listed = ", ".join(sorted("/".join(root) or "." for root in roots)[:5])
        raise DataError(
            f"{label} holds several sets of train and test folders, in {listed}. Import just one: give its folder, or "
            "leave out the others with --drop."
        )
    for name in loose:
        left_out.add(NO_CLASS, name)
    notes = _perhaps_splits(kept)
    kept = _of_one_kind(kept, left_out)
    if not kept:
        return None
    split_words = any(file.split for file in kept)
    return Layout(
        "A folder for each class, inside of or around folders for the splits."
        if split_words
        else "A folder for each class, and no folders for splits.",
        kept,
        notes,
    )


def _perhaps_splits(files: Sequence[PictureFile]) -> tuple[str, ...]:
    """What to ask where a few folders, which are not known for splits, each hold folders for several classes."""
    below: dict[str, set[str]] = {}
    for file in files:
        folders = _parts(file.name.rpartition("/")[0])
        index = folders.index(file.word) if file.word in folders else 0
        if not file.split and index:
            below.setdefault(folders[index - 1], set()).add(file.word)
    named = any(file.split for file in files)
    found = sorted(folder for folder, words in below.items() if len(words) > 1)
    # One around all others says nothing; many are people, say.
    if not int(not named) < len(found) <= _MOST_SPLITS:
        return ()
    listed, options = ", ".join(found), ",".join(f"{folder}=…" for folder in found)
    return (
        f"Left out, since it is not known for which split: {listed}. Say it: --splits {options} (train, validation or "
        "test)."
        if named
        else f"{listed}: perhaps folders for splits. If they are, say so: --splits {options} (train, validation or "
        "test).",
    )


def _by_file_names(pictures: list[str], said: Corrections, left_out: LeftOutTally) -> Layout | None:
    """Classes out of the names of files: the place among a name's words where most of them are known."""
    words = {word.casefold() for word in (*said.classes, *said.drop)}
    at: Counter[int] = Counter()
    for name in pictures:
        for place, word in enumerate(_stem_words(name)):
            if word.casefold() in words or is_known(word):
                at[place] += 1
    place, known = at.most_common(1)[0] if at else (0, 0)
    if known * 2 < len(pictures):
        return None
    kept = []
    for name in pictures:
        found = _stem_words(name)
        if dropped(name, said):
            left_out.add(DROPPED, name)
        elif place < len(found) and (found[place].casefold() in words or is_known(found[place])):
            kept.append(PictureFile(name, found[place].lower(), split_folder(_parts(name.rpartition("/")[0]), said)))
        else:
            left_out.add("pictures whose names tell no class", name)
    return Layout("The names of the files tell the classes.", _of_one_kind(kept, left_out))


def _by_words_of_folders(pictures: list[str], said: Corrections, left_out: LeftOutTally) -> Layout | None:
    """Classes out of folders called by more than the class, each of them: ``train_angry``, ``aia_joy``.

    None where a word beside the class may change it, as in ``happily_surprised`` and ``not_happy``.
    """
    folders = {name.rpartition("/")[0] for name in pictures if not dropped(name, said)}
    found: dict[str, tuple[str, str]] = {}
    for folder in folders:
        words = list(_pieces(PurePosixPath(folder).name))
        known = [word for word in words if len(word) > 2 and is_known(word)]
        if len(known) != 1 or any(word.lower() in _NEGATIONS or word.lower().endswith("ly") for word in words):
            return None
        others = [split for word in words if (split := said.splits.get(word.casefold()) or split_of(word))]
        found[folder] = known[0], split_folder(_parts(folder), said) or (others[0] if others else "")
    if len({word.casefold() for word, _ in found.values()}) < 2:
        return None
    kept = []
    for name in pictures:
        if dropped(name, said):
            left_out.add(DROPPED, name)
        else:
            kept.append(PictureFile(name, *found[name.rpartition("/")[0]]))
    return Layout("A folder for each class, called by more than the class.", _of_one_kind(kept, left_out))


def _class_place(pictures: list[str], said: Corrections) -> int | None:
    """Which folder of a path names the class, counted from the outermost (0, 1, …) or the innermost (-1, -2, …)."""
    words = {word.casefold() for word in (*said.classes, *said.drop)}
    score: Counter[int] = Counter()
    seen: dict[int, set[str]] = {}
    for folder, number in Counter(name.rpartition("/")[0] for name in pictures).items():
        inner = _split_part(_parts(folder), said)[1]
        for index, part in enumerate(inner):
            weight = 2 if part.casefold() in words or is_known(part) else int(number_of(part) is not None)
            if weight:
                for place in (index, index - len(inner)):
                    score[place] += weight * number
                    seen.setdefault(place, set()).add(part)
    # A folder around all others is no class, whatever it is called. Of equally good ones the outermost: what lies below
    # a class's folder belongs to it.
    return max(score, key=lambda place: (len(seen[place]) > 1, score[place], place >= 0, -abs(place)), default=None)


def _folders_may_be_classes(pictures: list[str], said: Corrections) -> bool:
    """Whether there are a few folders with pictures, in folders for splits or several of them."""
    found = {name.rpartition("/")[0] for name in pictures}
    parts = [_split_part(_parts(folder), said) for folder in found]
    words = {inner[-1] for _, inner, _ in parts if inner}
    return 0 < len(words) <= _MOST_UNKNOWN and (len(words) > 1 or any(split for split, _, _ in parts))


def _parts(folder: str) -> list[str]:
    return folder.split("/") if folder else []


def _split_part(parts: Sequence[str], said: Corrections) -> tuple[str, list[str], int | None]:
    """The split that the innermost folder for one names, the folders without all such, and where among them it was."""
    if "all" in said.splits:
        return said.splits["all"], [part for part in parts if split_of(part) is None], None
    split, inner, at = "", [], None
    for part in parts:
        found = said.splits.get(part.casefold()) or split_of(part)
        if found is None:
            inner.append(part)
        else:
            split, at = found, len(inner)
    return split, inner, at


def split_folder(folders: Sequence[str], said: Corrections) -> str:
    """The split that the innermost of some folders for splits names; empty where there is none."""
    return _split_part(folders, said)[0]


def dropped(name: str, said: Corrections) -> bool:
    """Whether a file or one of the folders around it is left out, by its name or by its path."""
    if not said.drop:
        return False
    parts = name.split("/")
    return any(said.drops(part) or said.drops("/".join(parts[: end + 1])) for end, part in enumerate(parts))


def _of_one_kind(files: list[PictureFile], left_out: LeftOutTally) -> list[PictureFile]:
    """Where some pictures lie in folders for splits, those beside them are left out: often they are there twice."""
    if not any(file.split for file in files):
        return files
    for file in files:
        if not file.split:
            left_out.add(NO_SPLIT, file.name)
    return [file for file in files if file.split]


def _stem_words(name: str) -> list[str]:
    stem = PurePosixPath(name).stem
    if kdef := _KDEF.match(stem):
        return [kdef[1]]
    return list(_pieces(stem))[:_STEM_WORDS]


def _pieces(stem: str) -> Iterator[str]:
    for match in re.finditer(r"[^\W\d_]+", stem):
        yield match[0]
