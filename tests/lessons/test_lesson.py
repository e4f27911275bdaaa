"""Lessons are read from plain files; what is wrong in one is said with its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fer_core.emotions import NAMES, PRIVATE_TEST
from fer_core.lessons.lesson import LessonError, parse_lesson
from fer_core.lessons.shelf import lesson_files, read_lessons
from fer_core.runs.folder import RunFolder
from fer_core.settings import PROJECT_ROOT

PAGES = ("home", "compare", "mistakes")
TEXT = """# Is 70 % good?

minutes: 3

You find out what an accuracy is worth.

## Somebody who guesses

go: compare?data=fer2013&view=Classes
predict: first
shows: Who wins what | 14 %

Seven expressions: how often is a **guess** right?

- [ ] half of the time
- [x] one time in seven

> One in seven is 14 %.
> The rest was learnt.

## Look

go: https://fer.example.org/mistakes?data=fer2013&lesson=old&step=3

Just look.
"""


def test_a_lesson_is_read() -> None:
    lesson = parse_lesson("1-good", TEXT, PAGES)
    assert (lesson.name, lesson.title, lesson.minutes) == ("1-good", "Is 70 % good?", 3)
    assert lesson.lead == "You find out what an accuracy is worth."
    asked, shown = lesson.steps
    assert (asked.page, asked.query) == ("compare", {"data": ["fer2013"], "view": ["Classes"]})
    assert asked.options[asked.right] == "one time in seven"
    assert asked.reveal == "One in seven is 14 %.\nThe rest was learnt."
    assert asked.shows == ("Who wins what", "14 %")
    assert (asked.predict_first, shown.predict_first) == (True, False)
    assert (shown.page, shown.query, shown.options, shown.right) == ("mistakes", {"data": ["fer2013"]}, (), -1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("# Is 70 % good?", "Is 70 % good?"), "title"),
        (("minutes: 3", ""), "how long"),
        (("minutes: 3", "minutes: ³"), "how long"),
        (("go: compare?", "go: nowhere?"), "Line 7.*which page.*compare, home, mistakes"),
        (("go: compare?data=fer2013&view=Classes\n", ""), "Line 7.*which page"),
        (("- [x]", "- [ ]"), "Line 7.*just one of them"),
        (("> One in seven is 14 %.\n> The rest was learnt.\n", ""), "Line 7.*below them what is true"),
        (("half of the time", "one time in seven"), "the same"),
        (("Just look.", ""), "Line 21.*what to look at"),
        (("Just look.", "Just look.\n\n> So it is."), "Line 21.*no answers"),
        (("## Look", "# Look"), "Line 21.*one title"),
        (("go: https", "minutes: 2\ngo: https"), "Line 21.*minutes"),
        (("go: https://fer", "go: https://[fer"), "no address"),
        (("predict: first", "predict: last"), 'Line 7.*only say "first"'),
        (("go: https", "predict: first\ngo: https"), "Line 21.*only in a step that asks"),
    ],
)
def test_what_is_wrong_in_a_lesson_is_said_with_its_line(change: tuple[str, str], words: str) -> None:
    assert change[0] in TEXT
    with pytest.raises(LessonError, match=words):
        parse_lesson("x", TEXT.replace(*change), PAGES)


def test_a_lesson_without_steps_or_with_too_many_is_refused() -> None:
    head, step = TEXT.split("## Somebody")[0], "## Look\n\ngo: compare\n\nLook.\n\n"
    for steps in (0, 21):
        with pytest.raises(LessonError, match=f"{steps} steps"):
            parse_lesson("x", head + steps * step, PAGES)


def test_a_teachers_lessons_stand_beside_ours_and_may_replace_them(home: Path) -> None:
    shipped = [path.stem for path in lesson_files()]
    folder = home / "lessons"
    folder.mkdir()
    (folder / f"{shipped[0]}.md").write_text(TEXT)
    (folder / "mine.md").write_text(TEXT.replace("70 %", "80 %"))
    (folder / "broken.md").write_text("nothing")
    (folder / "binary.md").write_bytes(b"# \xff")
    (folder / "large.md").write_text("x" * 200_000)
    (folder / "*star*.md").write_text(TEXT)
    shelf = read_lessons([path for path in lesson_files() if path.parent == folder], PAGES)
    assert [one.name for one in shelf.lessons] == [shipped[0], "mine"]
    assert shelf.find("mine") == shelf.lessons[1]
    assert shelf.find("no such lesson") is None
    assert len(shelf.damaged) == 4
    for name, why in {"broken": "title", "binary": "UTF-8", "large": "larger", "star": "Rename"}.items():
        assert any(name in sentence and why in sentence for sentence in shelf.damaged)
    assert [path.stem for path in lesson_files() if path.stem in shipped] == shipped


@pytest.mark.parametrize("model", ["resnet50", "vgg16", "custom_cnn", "custom_cnn_augmented", "tiny", "vote"])
def test_what_lesson_2_calls_found_least_is_so_beside_disgust(model: str) -> None:
    """It said that fear is found least, where Limits and lesson 1 name disgust."""
    metrics = RunFolder(PROJECT_ROOT / "models" / model).metrics()
    assert metrics is not None
    classes = metrics["splits"][PRIVATE_TEST]["per_class"]
    found = {name: one["recall"] for name, one in zip(NAMES, classes, strict=True)}
    [lesson] = [one for one in lesson_files() if one.stem.startswith("2-")]
    lead = lesson.read_text(encoding="utf-8").split("\n## ")[0]
    if "disgust" in lead:
        del found["disgust"]
    assert "fear is found least" in lead
    assert min(found, key=lambda name: found[name]) == "fear"


PAGES_OF_APP = {path.stem for path in (PROJECT_ROOT / "pages").glob("*.py")}


def test_a_step_over_any_faces_says_whose_faces_people_named() -> None:
    """“Ten people named 458 such faces” stood above drawn faces."""
    steps = [step for lesson in read_lessons(lesson_files(), PAGES_OF_APP).lessons for step in lesson.steps]
    counted = [
        found[0]
        for step in steps
        if step.query.get("data") == ["faces"]
        for found in re.finditer(r"people named \d+[^.?]*", step.text)
    ]
    assert counted
    assert [words for words in counted if "faces of FER-2013" not in words] == []


def test_what_a_face_says_that_somebody_chooses_is_supposed() -> None:
    """“Open one … It says 82 of 100”: of the face that came first with one table, and of none with other data."""
    steps = [step for lesson in read_lessons(lesson_files(), PAGES_OF_APP).lessons for step in lesson.steps]
    told = [found[0] for step in steps for found in re.finditer(r"(?:\w+\s+)?it says \d+", step.text, re.IGNORECASE)]
    assert told == ["Suppose it says 82"]


def test_steps_whose_figures_are_of_runs_that_ones_own_may_displace_name_their_runs() -> None:
    """Whoever has trained sees their own runs in the last places of Compare and Mistakes, where VGG16 stood."""
    steps = [step for lesson in read_lessons(lesson_files(), PAGES_OF_APP).lessons for step in lesson.steps]
    about = [
        step
        for step in steps
        if step.page in ("compare", "mistakes")
        and ("VGG16" in step.text + step.reveal or step.query.get("sort") == ["Label doubt"])
    ]
    assert len(about) >= 5
    assert [step.title for step in about if "vgg16" not in step.query.get("runs", [])] == []


def test_steps_whose_answer_stands_on_the_page_are_predicted_first() -> None:
    """“How often did people agree?” stood above “people 65 %”, and “Is ResNet50 better?” above the test's answer."""
    steps = [step for lesson in read_lessons(lesson_files(), PAGES_OF_APP).lessons for step in lesson.steps]
    views = ["Difference", "Classes", "Learning", "Robustness"]
    about = [
        step
        for step in steps
        if step.page == "leaderboard"
        or "who guesses" in step.text
        or "explain.many" in step.query
        or {*step.query.get("view", []), *step.query.get("explain.view", [])} & {*views}
    ]
    assert len(about) == 9
    assert [step.title for step in about if not step.predict_first] == []
    # Who is to look at something must see it.
    looks = [step for step in steps if re.search(r"\b(Look|Open|Choose)\b", step.text)]
    assert len(looks) >= 5
    assert [step.title for step in looks if step.predict_first] == []
