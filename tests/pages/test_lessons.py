"""The page Lessons and the strip that leads over the other pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from apptest import open_app
from factories import make_run
from streamlit.testing.v1 import AppTest

from fer_core.settings import PROJECT_ROOT, settings

pytestmark = pytest.mark.usefixtures("sample_home")
LESSON = """# Mine

minutes: 1

Short.

## First

go: limits

Look.

- [ ] yes
- [x] no

> So it *is*.

## Second

go: limits?data=faces

Look again.

## Third

go: leaderboard

And here.
"""


@pytest.fixture
def sample_home(home: Path, drawn_sample: Path) -> Path:
    (home / "datasets").mkdir(exist_ok=True)
    (home / "datasets" / "sample").symlink_to(drawn_sample)
    (home / "lessons").mkdir()
    (home / "lessons" / "mine.md").write_text(LESSON)
    return home


def words(app: AppTest) -> str:
    return " ".join(str(one.value) for one in [*app.markdown, *app.success, *app.info, *app.warning])


def press(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


def test_a_step_asks_first_and_then_says_what_is_true_and_leads_on() -> None:
    app = open_app("limits", lesson="mine", step="1")
    assert "step 1 of 3" in words(app)
    assert "So it" not in words(app)
    assert "_lesson-next" not in [button.key for button in app.button]
    app.button_group(key="_lesson-mine-1").set_value("yes").run()
    # Unquoted, an answer such as “no, but look” ran into the sentence.
    assert "You said “yes”; it is “no”. So it" in words(app)
    press(app, "_lesson-next")
    assert "step 2 of 3" in words(app)
    assert "Look again" in words(app)
    press(app, "_lesson-next")
    assert [title.value for title in app.title] == ["Leaderboard"]
    press(app, "_lesson-previous")
    assert [title.value for title in app.title] == ["Limits"]
    press(app, "_lesson-previous")
    # What was predicted stays.
    assert "You said “yes”" in words(app)


@pytest.fixture
def predicted_first(sample_home: Path) -> None:
    (sample_home / "lessons" / "mine.md").write_text(
        LESSON.replace("go: limits\n", "go: limits\npredict: first\n", 1).replace("go: limits?", "go: explain?")
    )


def below(app: AppTest) -> list[str]:
    """What the page itself shows."""
    return [*(one.value for one in app.header), *(one.label for one in app.expander)]


@pytest.mark.usefixtures("predicted_first")
def test_the_page_that_gives_the_answer_away_opens_with_the_answer() -> None:
    """The page said in the same view what the step had just asked."""
    app = open_app("limits", lesson="mine", step="1")
    assert below(app) == []
    assert any("Answer first" in one.value for one in app.caption)
    app.button_group(key="_lesson-mine-1").set_value("yes").run()
    assert below(app)
    assert not any("Answer first" in one.value for one in app.caption)
    assert below(open_app("limits", lesson="mine", step="1", predicted="1-1"))


@pytest.mark.usefixtures("predicted_first")
def test_who_skips_the_question_sees_the_page_and_may_go_on_or_answer_still() -> None:
    app = press(open_app("limits", lesson="mine", step="1"), "_lesson-skip")
    assert below(app)
    assert "So it" not in words(app)
    assert not app.button_group(key="_lesson-mine-1").disabled
    press(app, "_lesson-next")
    assert "step 2 of 3" in words(app)
    press(app, "_lesson-previous")
    app.switch_page("pages/limits.py").run()
    assert below(app)
    app.button_group(key="_lesson-mine-1").set_value("no").run()
    assert "You said “no”, and so it is" in words(app)
    # Whoever begins again is asked again.
    press(app, "_lesson-end")
    assert below(press(app, "_lesson-begin-mine")) == []


@pytest.mark.usefixtures("predicted_first")
def test_a_page_that_a_lesson_keeps_closed_is_open_without_it_and_from_other_steps() -> None:
    app = open_app("limits", lesson="mine", step="1")
    app.switch_page("pages/leaderboard.py").run()
    assert "_lesson-back" in [button.key for button in app.button]
    assert below(app)
    app.switch_page("pages/limits.py").run()
    assert below(app) == []
    press(app, "_lesson-end")
    app.switch_page("pages/limits.py").run()
    assert below(app)


def test_a_right_answer_is_quoted() -> None:
    app = open_app("limits", lesson="mine", step="1")
    app.button_group(key="_lesson-mine-1").set_value("no").run()
    assert "You said “no”, and so it is. So it" in words(app)


def test_a_reload_keeps_the_answer_of_the_step() -> None:
    app = open_app("limits", lesson="mine", step="1")
    assert "predicted" not in app.query_params
    app.button_group(key="_lesson-mine-1").set_value("yes").run()
    reloaded = open_app("limits", lesson="mine", step="1", predicted=app.query_params["predicted"])
    assert "You said “yes”; it is “no”" in words(reloaded)
    assert not reloaded.warning
    press(reloaded, "_lesson-next")
    assert "step 2 of 3" in words(reloaded)
    assert "predicted" not in reloaded.query_params


@pytest.mark.parametrize("said", ["1-3", "2-1", "yes"])
def test_an_answer_in_the_address_that_is_none_of_the_step_leaves_it_open(said: str) -> None:
    app = open_app("limits", lesson="mine", step="1", predicted=said)
    assert any("no answer to this step" in one.value for one in app.warning)
    assert "So it" not in words(app)
    assert "predicted" not in app.query_params


@pytest.mark.parametrize(("view", "first"), [("&view=Learning", "tab"), ("", "strip")])
def test_what_a_step_asks_about_comes_first(sample_home: Path, view: str, first: str) -> None:
    """The curves of which a lesson asked lay two screens below the question."""
    make_run(sample_home / "runs" / "one", data={"kind": "csv"})
    (sample_home / "lessons" / "mine.md").write_text(
        LESSON.replace("go: limits\n", f"go: compare?data=faces{view}\n", 1)
    )
    app = open_app("compare", data="made_up", lesson="mine", step="1", **({"view": "Learning"} if view else {}))
    assert not app.exception
    parts = [one for one in app.main if one.type == "tab" or str(getattr(one, "value", "")).startswith("Accuracy on")]
    found = ["tab" if one.type == "tab" else "strip" for one in parts]
    assert found[0] == first
    assert set(found) == {"tab", "strip"}


def test_the_end_leads_to_the_lessons_and_is_remembered() -> None:
    app = open_app("leaderboard", lesson="mine", step="3")
    press(app, "_lesson-done")
    assert [title.value for title in app.title] == ["Lessons"]
    assert [one.value for one in app.header if "Mine" in one.value] == ["Mine :material/check_circle:"]
    assert not app.exception


def test_who_goes_elsewhere_finds_the_way_back_and_may_end_it() -> None:
    app = open_app("limits", lesson="mine", step="2")
    app.switch_page("pages/leaderboard.py").run()
    assert "Look again" not in words(app)
    press(app, "_lesson-back")
    assert [title.value for title in app.title] == ["Limits"]
    assert "Look again" in words(app)
    press(app, "_lesson-end")
    app.switch_page("pages/limits.py").run()
    assert "step 2" not in words(app)


def test_the_example_of_how_to_write_one_shows_the_model_that_it_names_and_no_other(sample_home: Path) -> None:
    """“The faces that your model fails” were those of all models."""
    for at, name in enumerate(["my-net", "other"]):
        make_run(sample_home / "runs" / name, seed=at)
    text = (PROJECT_ROOT / "docs" / "lessons.md").read_text(encoding="utf-8")
    example = text.split("```markdown\n")[1].split("```")[0]
    (sample_home / "lessons" / "example.md").write_text(example.replace("data=my-faces", "data=made_up"))
    app = press(open_app("lessons"), "_lesson-begin-example")
    assert [title.value for title in app.title] == ["Compare"]
    assert app.multiselect(key="compare.runs").value == ["my-net"]
    # AppTest goes on with the page that it opened.
    app.switch_page("pages/compare.py").run()
    app.button_group(key="_lesson-example-1").set_value("sad").run()
    press(app, "_lesson-next")
    assert [title.value for title in app.title] == ["Mistakes"]
    assert app.multiselect(key="runs").value == ["my-net"]
    assert app.selectbox(key="true").value == "disgust"
    assert not app.warning


@pytest.fixture
def two_data(sample_home: Path) -> None:
    """A lesson on figures alone, whose faces are not here."""
    make_run(sample_home / "runs" / "one", data={"kind": "csv"})
    (sample_home / "lessons" / "mine.md").write_text(
        LESSON.replace("go: limits\n", "go: limits?data=made_up\n", 1).replace("data=faces", "data=made_up")
    )


@pytest.mark.usefixtures("two_data")
@pytest.mark.parametrize("end", ["done", "end"])
def test_after_a_lesson_the_data_of_before_it_are_back(end: str) -> None:
    """The whole app stayed on data that nobody had chosen and whose faces are not here."""
    app = press(open_app("lessons", data="sample"), "_lesson-begin-mine")
    assert app.selectbox(key="data").value == "made_up"
    # AppTest goes on with the page that it opened.
    app.switch_page("pages/limits.py").run()
    if end == "done":
        app.button_group(key="_lesson-mine-1").set_value("no").run()
        press(press(app, "_lesson-next"), "_lesson-next")
    press(app, f"_lesson-{end}")
    assert [title.value for title in app.title] == ["Lessons"]
    assert app.selectbox(key="data").value == "sample"
    assert "made_up" not in app.query_params["data"]
    app.switch_page("pages/limits.py").run()
    assert app.selectbox(key="data").value == "sample"


@pytest.mark.usefixtures("two_data")
def test_a_lesson_gives_back_data_that_somebody_chose_even_where_another_follows() -> None:
    app = press(open_app("lessons", data="made_up"), "_lesson-begin-1-is-70-percent-good")
    app.switch_page("pages/lessons.py").run()
    press(app, "_lesson-begin-6-fool-a-model")
    press(app, "_lesson-end")
    assert app.selectbox(key="data").value == "made_up"


@pytest.mark.usefixtures("two_data")
def test_a_lesson_opened_by_a_link_gives_back_the_default() -> None:
    app = open_app("limits", data="made_up", lesson="mine", step="1")
    assert app.selectbox(key="data").value == "made_up"
    press(app, "_lesson-end")
    assert app.selectbox(key="data").value == "sample"


def test_a_link_to_what_is_no_lesson_or_step_says_so() -> None:
    app = open_app("limits", lesson="none")
    assert "none" in words(app)
    assert "step" not in words(app)
    app = open_app("limits", lesson="mine", step="9")
    assert "9" in " ".join(one.value for one in app.warning)
    assert "step 1 of 3" in words(app)


def test_the_page_says_how_to_write_a_lesson_and_the_owner_where_it_goes(
    sample_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It named a document that nobody with the app alone can open, and no folder."""
    app = open_app("lessons")
    [box] = [one for one in app.expander if "your own" in one.label]
    shown = " ".join(one.value for one in box.markdown)
    assert "- [x] angry" in shown
    assert f"the folder is {sample_home / 'lessons'}" in shown.replace("\\", "")
    monkeypatch.setenv("FER_EXPLORER_OWNER", "password")
    settings.cache_clear()
    [box] = [one for one in open_app("lessons").expander if "your own" in one.label]
    shown = " ".join(one.value for one in box.markdown)
    assert "- [x] angry" in shown
    assert str(sample_home) not in shown.replace("\\", "")


def test_only_the_owner_reads_which_files_are_no_lessons(sample_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (sample_home / "lessons" / "broken.md").write_text("nothing")
    assert any("broken" in one.value for one in open_app("lessons").warning)
    monkeypatch.setenv("FER_EXPLORER_OWNER", "password")
    settings.cache_clear()
    app = open_app("lessons")
    assert not app.warning
    assert any("Mine" in one.value for one in app.header)
