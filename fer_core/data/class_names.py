"""What files call the seven classes: spellings, languages, numbers; nothing is guessed in silence.

A word means one of the seven, or something that is left out by name (contempt), or it is doubtful: then whoever
imports is asked, and told the nearest. Numbers mean something only together: see :func:`numbering_of`.
"""

from __future__ import annotations

import difflib
import enum
import json
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path

from fer_core import emotions
from fer_core.errors import DataError

LEFT_OUT = "left out"
"""What stands for a class in place of one of the seven where its faces are not to be imported."""
NOISE = frozenset(
    (
        "class",
        "classes",
        "emotion",
        "emotions",
        "expression",
        "face",
        "faces",
        "image",
        "images",
        "img",
        "label",
        "labels",
    )
)
"""Words that say no more than that it is a class of faces."""
_AFFECTNET = (
    "neutral",
    "happy",
    "sad",
    "surprise",
    "fear",
    "disgust",
    "angry",
    "contempt",
    "none",
    "uncertain",
    "no face",
)
_CK_PLUS = ("neutral", "angry", "contempt", "disgust", "fear", "happy", "sad", "surprise")
_RAF_DB = ("", "surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")


class Numbering(enum.Enum):
    """Whose numbers stand for the classes. ``value``: what it is called, by people and after ``--classes``."""

    FER_2013 = "FER-2013"
    RAF_DB = "RAF-DB"
    AFFECTNET = "AffectNet"
    CK_PLUS = "CK+"

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each number, from 0; an empty one where there is no such class."""
        match self:
            case Numbering.FER_2013:
                return (*emotions.NAMES, "contempt")
            case Numbering.RAF_DB:
                return _RAF_DB
            case Numbering.AFFECTNET:
                return _AFFECTNET
            case Numbering.CK_PLUS:
                return _CK_PLUS


@dataclass(frozen=True)
class Meaning:
    """What a source's word for a class means.

    ``label`` is 0..6, or None where the class is left out or doubtful. ``why`` says in a few words how the meaning came
    about, empty where the word is the class's own name. ``suggestion`` is the nearest of the seven, for a doubtful one.
    """

    word: str
    label: int | None = None
    left_out: bool = False
    why: str = ""
    suggestion: str | None = None

    @property
    def doubtful(self) -> bool:
        """Whether somebody has to say what it means."""
        return self.label is None and not self.left_out

    @property
    def name(self) -> str:
        """One of the seven, ``left out``, or an empty string for a doubtful one."""
        if self.label is not None:
            return emotions.NAMES[self.label]
        return LEFT_OUT if self.left_out else ""


def meaning_of(word: str) -> Meaning:
    """What one word means by itself: ``Happiness``, ``0_angry``, ``suprise``, ``Freude``. A bare number is doubtful."""
    plain, known = _plain(word), _lookup(word)
    if plain in emotions.NAMES:
        return Meaning(word, emotions.index_of(plain), why="" if word.strip().lower() == plain else "by its name")
    if known == LEFT_OUT:
        return Meaning(word, left_out=True, why="not one of the seven")
    if known is not None:
        return Meaning(word, emotions.index_of(known), why="another word for it")
    near = difflib.get_close_matches(plain, list(_known()), n=1, cutoff=0.65) if len(plain) > 2 else []
    nearest = _known()[near[0]] if near else None
    return Meaning(word, suggestion=None if nearest == LEFT_OUT else nearest)


@lru_cache(maxsize=20_000)
def is_known(word: str) -> bool:
    """Whether a word by itself means a class or something that is left out; cheap, for very many words."""
    return _lookup(word) is not None


def meanings(
    words: Collection[str],
    *,
    hint: str = "",
    numbering: Numbering | None = None,
    chosen: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
    named_by: str = "",
) -> dict[str, Meaning]:
    """What all words of a source mean together.

    ``hint``: what else the source says about whose it is (its path, names of its folders). ``numbering``: where the
    source's form leaves no doubt. ``names``: what the source itself calls its numbers, by word, in the file
    ``named_by``; a ``numbering`` counts above it. ``chosen``: what somebody said, by word, one of the seven or ``left
    out`` (see :func:`choices`); it counts above all else, compared without regard to case.
    """
    said = {key.strip().casefold(): value for key, value in (chosen or {}).items()}
    found = {word: meaning_of(word) for word in words}
    numbers = {word: number for word in words if (number := number_of(word)) is not None}
    if numbering is None and names:
        found.update(
            {
                word: replace(meaning_of(name), word=word, why=f"as {named_by} calls them")
                for word, name in names.items()
            }
        )
        numbers = {word: number for word, number in numbers.items() if word not in names}
    if numbering is None:
        unsaid = {number for word, number in numbers.items() if word.strip().casefold() not in said}
        numbering = numbering_of(unsaid, hint) if unsaid else None
    for word, number in numbers.items():
        if numbering is not None:
            found[word] = _numbered(word, number, numbering)
    for word in words:
        answer = said.get(word.strip().casefold())
        if answer is not None:
            label = None if answer == LEFT_OUT else emotions.index_of(answer)
            found[word] = Meaning(word, label, left_out=label is None, why="as you say")
    return found


def number_of(word: str) -> int | None:
    """The number that a word is, as in ``3``, ``03``, ``3.0``, ``class 3`` or ``emotion_3``; None for all others."""
    match = re.fullmatch(r"(?:[a-z]+[\s_-]*)?(\d{1,2})(?:\.0+)?", word.strip().lower())
    if match is None:
        return None
    letters = re.sub(r"[^a-z]", "", word.lower())
    return int(match[1]) if not letters or letters in NOISE else None


def numbering_of(numbers: Collection[int], hint: str = "") -> Numbering | None:
    """Whose numbers these are, where that is evident; else None, and somebody has to be asked.

    0 and 6, and none above: FER-2013's order. 1 and 7, and none below or above: RAF-DB's. Fewer classes, or more, can
    be anybody's: then only a name in ``hint`` tells. AffectNet, FER+ and CK+ number their eight classes in three ways.
    """
    low, high = min(numbers, default=0), max(numbers, default=-1)
    text = re.sub(r"[\s_-]+", "", hint.lower())
    if "affectnet" in text:
        return Numbering.AFFECTNET if high < len(_AFFECTNET) else None
    if (
        re.search(r"(?<![a-z])raf(?![a-z])|rafdb", hint.lower().replace("-", "").replace("_", " "))
        and low >= 1
        and high <= 7
    ):
        return Numbering.RAF_DB
    if re.search(r"fer2013|publictest|privatetest", text):
        # 1 to 7: counted from 1, or RAF-DB's, or without an angry face and with contempt.
        return Numbering.FER_2013 if low >= 0 and high <= 6 else None
    if "ck+" in text or "ckplus" in text or "ferplus" in text or "fer+" in text:
        return None
    if low == 0 and high == 6:
        return Numbering.FER_2013
    return Numbering.RAF_DB if low == 1 and high == 7 else None


def doubt(found: Mapping[str, Meaning]) -> str | None:
    """What to ask about the doubtful words, with the option that answers; None where there are none."""
    open_words = [meaning for meaning in found.values() if meaning.doubtful]
    if not open_words:
        return None
    if all(number_of(meaning.word) is not None for meaning in open_words):
        listed = ", ".join(sorted((meaning.word for meaning in open_words), key=lambda word: number_of(word) or 0))
        return (
            f"The classes are numbers ({listed}), and it is not evident whose. Say it with --classes: one of "
            f"{', '.join(one.value for one in Numbering)}, or your own order, such as --classes angry=0,happy=1,…"
        )
    first = open_words[0]
    listed = ", ".join(
        f"{meaning.word[:60]} (perhaps {meaning.suggestion})" if meaning.suggestion else meaning.word[:60]
        for meaning in open_words[:8]
    )
    more = f" and {len(open_words) - 8} more" if len(open_words) > 8 else ""
    return (
        f"It is not known what class is meant by {listed}{more}. The classes are {', '.join(emotions.NAMES)}. Say it "
        f"with --classes {first.suggestion or emotions.NAMES[0]}={first.word}, or leave it out with --drop {first.word}"
    )


def choices(text: str) -> tuple[dict[str, str], Numbering | None]:
    """What ``--classes`` says: meanings by word, and a numbering.

    ``angry=anger,happy=joy`` (a class of ours, then the source's word; the other way round where only that makes
    sense), ``surprise,fear,…`` (names of the numbers from 0), or ``RAF-DB``, ``FER-2013``, ``AffectNet``. Raises
    ``DataError`` for anything else.
    """
    for one in Numbering:
        if _plain(text) == _plain(one.value) and _digits(text) == _digits(one.value):
            return {}, one
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise DataError("--classes is empty. Give pairs such as angry=anger,happy=joy.")
    if not any("=" in part for part in parts):
        return {str(number): _class(part) for number, part in enumerate(parts)}, None
    chosen: dict[str, str] = {}
    for part in parts:
        left, sign, right = (piece.strip() for piece in part.partition("="))
        if not (left and sign and right):
            raise DataError(f"--classes: {part!r} is no pair. Give pairs such as angry=anger,happy=joy.")
        ours, word = (left, right) if _is_class(left) else (right, left)
        chosen[word] = _class(ours)
    return chosen, None


def _numbered(word: str, number: int, numbering: Numbering) -> Meaning:
    names: Sequence[str] = numbering.names
    name = names[number] if number < len(names) else ""
    why = f"as {numbering.value} numbers them"
    if name in emotions.NAMES:
        return Meaning(word, emotions.index_of(name), why=why)
    return Meaning(word, left_out=bool(name), why=f"{name}, {why}" if name else "")


def _is_class(name: str) -> bool:
    return name.strip().lower() in (*emotions.NAMES, LEFT_OUT, "drop")


def _class(name: str) -> str:
    meaning = meaning_of(name)
    if name.strip().lower() in (LEFT_OUT, "drop") or meaning.left_out:
        return LEFT_OUT
    if meaning.label is None:
        near = f" Did you mean {meaning.suggestion}?" if meaning.suggestion else ""
        raise DataError(f"--classes: {name!r} is none of {', '.join(emotions.NAMES)}.{near}")
    return emotions.NAMES[meaning.label]


def _plain(word: str) -> str:
    """A word in small letters without accents, numbers, signs, and what says only that it is a class of faces."""
    pieces = pieces_of(word)
    kept = [piece for piece in pieces if piece not in NOISE]
    return "".join(kept or pieces)


def pieces_of(word: str) -> list[str]:
    """The runs of letters in a word, small and without accents."""
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    # Marks, too, that do not combine: Hindi writes its vowels so.
    text = "".join(sign for sign in decomposed if not unicodedata.category(sign).startswith("M"))
    return re.findall(r"[^\W\d_]+", text)


def _lookup(word: str) -> str | None:
    plain = _plain(word)
    # Two letters are a code only where they stand alone: KDEF's people are called AF01. Elsewhere they may be a word.
    alone = word.strip().casefold() == plain
    return _known().get(plain) if len(plain) > 2 or alone or not plain.isascii() else None


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


@cache
def _known() -> dict[str, str]:
    """Class, or ``left out``, by every word we know, as :func:`_plain` writes it."""
    table: dict[str, list[str]] = json.loads(Path(__file__).with_name("class_words.json").read_text(encoding="utf-8"))
    return {_plain(word): name for name, listed in table.items() for word in listed}
