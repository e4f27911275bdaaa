"""Words and numbers of files for classes and splits: what is known, what is left out, and what has to be asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fer_core import emotions
from fer_core.data import class_names
from fer_core.data.class_names import LEFT_OUT, Numbering, choices, doubt, meaning_of, meanings, numbering_of
from fer_core.data.understanding import Corrections
from fer_core.errors import DataError


@pytest.mark.parametrize(
    ("word", "name"),
    [
        *((name, name) for name in emotions.NAMES),
        ("Anger", "angry"),
        ("DISGUSTED", "disgust"),
        ("Fearful", "fear"),
        ("happiness", "happy"),
        ("Sadness", "sad"),
        ("suprise", "surprise"),
        ("0_angry", "angry"),
        ("6 - Neutral", "neutral"),
        ("happy_faces", "happy"),
        ("Überraschung", "surprise"),
        ("dégoût", "disgust"),
        ("高兴", "happy"),
        ("HA", "happy"),
        ("حزن", "sad"),
        ("खुशी", "happy"),
        ("Ngạc nhiên", "surprise"),
    ],
)
def test_spellings_and_languages(word: str, name: str) -> None:
    assert meaning_of(word).name == name


@pytest.mark.parametrize("word", ["contempt", "7_Contempt", "other", "Unknown", "bored"])
def test_more_than_the_seven_is_left_out_by_name(word: str) -> None:
    meaning = meaning_of(word)
    assert meaning.left_out
    assert not meaning.doubtful


def test_no_word_means_two_classes() -> None:
    seen: dict[str, str] = {}
    for name, words in json.loads(Path(class_names.__file__).with_name("class_words.json").read_text("utf-8")).items():
        for word in words:
            assert seen.setdefault(class_names._plain(word), name) == name, word
            assert class_names._plain(word), word


def test_the_nearest_is_suggested_and_never_taken() -> None:
    found = meanings(["happpines", "angry", "xyz"])
    assert found["happpines"].doubtful
    assert found["happpines"].suggestion == "happy"
    asked = doubt(found)
    assert asked is not None
    assert "perhaps happy" in asked
    assert "--classes happy=happpines" in asked
    assert "--drop" in asked


@pytest.mark.parametrize(
    ("numbers", "hint", "whose"),
    [
        (range(7), "", Numbering.FER_2013),
        ({0, 2, 6}, "", Numbering.FER_2013),
        (range(1, 8), "", Numbering.RAF_DB),
        ({2, 3, 4}, "downloads/raf-db/train", Numbering.RAF_DB),
        ({2, 3}, "data/PublicTest", Numbering.FER_2013),
        (range(1, 8), "mine.csv Training PublicTest", None),
        (range(8), "", None),
        (range(8), "AffectNet/val", Numbering.AFFECTNET),
        (range(8), "CK+48", None),
        (range(7), "CK+", None),
        (range(6), "", None),
        ({1, 2, 3}, "", None),
        (range(7), "graffiti", Numbering.FER_2013),
    ],
)
def test_whose_numbers(numbers: range, hint: str, whose: Numbering | None) -> None:
    assert numbering_of(numbers, hint) is whose


def test_numbers_become_classes_only_where_it_is_evident() -> None:
    rafdb = meanings([str(number) for number in range(1, 8)])
    assert [rafdb[str(n)].name for n in range(1, 8)] == [
        *("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")
    ]
    affectnet = meanings([str(number) for number in range(8)], hint="AffectNet")
    assert [affectnet[str(n)].name for n in (0, 1, 6, 7)] == ["neutral", "happy", "angry", LEFT_OUT]
    unknown = meanings([str(number) for number in range(8)])
    assert all(meaning.doubtful for meaning in unknown.values())
    asked = doubt(unknown)
    assert asked is not None
    assert "AffectNet" in asked
    assert "--classes" in asked


def test_a_csv_of_fer2013s_form_numbers_contempt_seven() -> None:
    found = meanings([str(number) for number in range(8)], hint="ckextended.csv", numbering=Numbering.FER_2013)
    assert found["0"].name == "angry"
    assert found["7"].left_out
    assert "contempt" in found["7"].why


def test_what_somebody_says_counts_above_all() -> None:
    chosen, numbering = choices("angry=0,1=happy,left out=2")
    assert numbering is None
    found = meanings(["0", "1", "2"], chosen=chosen)
    assert [found[word].name for word in "012"] == ["angry", "happy", LEFT_OUT]
    assert meanings(["Anger"], chosen={"anger": "sad"})["Anger"].name == "sad"


@pytest.mark.parametrize("text", ["RAF-DB", "rafdb", "AffectNet", "fer2013", "FER-2013"])
def test_a_numbering_is_said_by_name(text: str) -> None:
    assert choices(text)[1] is not None


def test_an_order_is_said_by_names() -> None:
    assert choices("neutral,happy,contempt")[0] == {"0": "neutral", "1": "happy", "2": LEFT_OUT}


@pytest.mark.parametrize("text", ["", "angry=", "wut=hungry", "angry,hungry"])
def test_what_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="--classes"):
        choices(text)


def test_corrections_are_read_from_what_is_typed() -> None:
    said = Corrections.parse("angry=Zorn", "all=test", "misc, Extra", already_cut=True)
    assert said.classes == {"Zorn": "angry"}
    assert said.splits == {"all": "PrivateTest"}
    assert said.drops("MISC")
    assert said.drops("extra")
    assert not said.drops("happy")
