"""Explain: the face to begin with, the grid of maps, their tests, what the address says, ways to the page."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest
from factories import make_evaluated_run, make_vote
from streamlit.testing.v1 import AppTest

from fer_core.data.dataset import Dataset, load_dataset, write_dataset
from fer_core.emotions import NAMES, PRIVATE_TEST
from fer_core.evaluation.aligned_predictions import align, any_wrong, most_disputed
from fer_core.explain.background import Background
from fer_core.explain.trust import LUCK, WORSE, ComparedArea, Judgement
from fer_core.inference.models import load_model
from fer_core.runs.folder import RunFolder
from pages.parts.chosen_face import ChosenFace
from pages.parts.explain import cells, testing, trust
from pages.parts.explain.cells import Shown, maps_to_show, top_of
from pages.parts.explain.trust import badge, pointed
from pages.parts.face_answers import Answer
from pages.parts.result_cache import ResultCache

OpenApp = Callable[..., AppTest]
FEAR, HAPPY, SAD = 2, 3, 4


@pytest.fixture
def dataset(sample: Path) -> Dataset:
    return load_dataset(sample)


@pytest.fixture
def runs(home: Path, dataset: Dataset) -> list[RunFolder]:
    """``one`` and ``two``, measured on the drawn sample, and a vote of both."""
    made = [make_evaluated_run(home / "runs" / name, dataset, seed=seed) for seed, name in enumerate(("one", "two"))]
    make_vote(home / "runs" / "both", made)
    return made


def rows_of(app: AppTest) -> list[str]:
    """The words of each model's row of maps, without the pictures."""
    bodies = " ".join(element.proto.body for element in app.get("html"))
    sections = re.findall("<section.*?</section>", bodies, re.DOTALL)
    return [" ".join(re.sub("<[^>]*>", " ", body).split()) for body in sections]


def with_verdicts(app: AppTest) -> AppTest:
    """The page once all its maps are tested, as the fragment draws it anew."""
    until = time.monotonic() + 120
    while any("Testing …" in words for words in rows_of(app)):
        assert time.monotonic() < until, "the tests are not done within two minutes"
        time.sleep(0.05)
        app.run()
    return app


def answer(probabilities: list[float], maps: np.ndarray) -> Answer:
    """An answer without a model; only what needs none may be asked."""
    return Answer(None, np.array(probabilities, dtype=np.float32), maps.astype(np.float32))  # type: ignore[arg-type]


def test_without_models_the_page_leads_to_training(open_app: OpenApp, sample: Path) -> None:
    app = open_app("explain")
    assert not app.exception
    assert "There is no model yet" in app.info[0].value


def test_it_begins_with_the_face_that_models_disagree_on_most(
    open_app: OpenApp, runs: list[RunFolder], dataset: Dataset
) -> None:
    aligned = align(runs, PRIVATE_TEST)
    at = most_disputed(aligned)
    assert at is not None
    app = open_app("explain")
    assert not app.exception
    assert app.number_input(key="explain.row").value == aligned.rows[at]
    assert app.run().query_params["explain.row"] == str(aligned.rows[at])


def test_a_random_mistake_is_one(open_app: OpenApp, runs: list[RunFolder], dataset: Dataset) -> None:
    app = open_app("explain")
    before = app.number_input(key="explain.row").value
    rows = {before}
    for _ in range(3):
        app.button(key="explain-shuffle").click().run()
        assert not app.exception
        rows.add(app.number_input(key="explain.row").value)
    assert len(rows) > 1
    assert rows <= set(any_wrong(align(runs, PRIVATE_TEST)).tolist())


def test_every_model_but_votes_has_its_maps_and_verdicts(
    open_app: OpenApp, runs: list[RunFolder], dataset: Dataset
) -> None:
    row = int(np.flatnonzero(dataset.labels == FEAR)[0])
    app = open_app("explain", **{"explain.row": str(row)})
    assert not app.exception
    # Nobody waits for verdicts: the maps are there before them.
    assert any("Testing the maps of" in caption.value for caption in app.caption)
    found = rows_of(with_verdicts(app))
    assert not app.exception
    assert [words.split()[0] for words in found] == ["one", "two"]
    probabilities, _ = load_model("one").explain(np.asarray(dataset.images[[row]]))
    said = int(probabilities[0].argmax())
    assert f"{NAMES[said]} {100 * probabilities[0, said]:.0f}" in found[0]
    for words in found:
        assert any(word in words for word in trust.WORDS.values())
    said_at_the_end = next(block.value for block in app.markdown if "the test" in block.value)
    passed = sum(trust.WORDS["trust"] in words for words in found)
    assert f"{passed} of 2 maps" in said_at_the_end
    assert "rank correlation" in said_at_the_end
    # Curves and numbers are drawn for who asks for them.
    assert not app.get("plotly_chart")
    assert not app.dataframe
    app = open_app("explain", **{"explain.row": str(row), "explain.proof": "true"})
    assert len(app.get("plotly_chart")) == 2
    assert any("5 random orders, 4 steps" in caption.value for caption in app.caption)
    assert any("Pointing game" in caption.value for caption in app.caption)
    assert any("6×6 cells" in block.value for block in app.markdown)


def test_chosen_expressions_are_shown_too(open_app: OpenApp, runs: list[RunFolder]) -> None:
    app = open_app("explain", **{"explain.row": "5", "explain.classes": ["happy", "sad"], "explain.models": ["two"]})
    (words,) = rows_of(app)
    assert "happy" in words
    assert "sad" in words
    app = open_app("explain", **{"explain.row": "5", "explain.models": ["two"], "explain.curves": "disgust"})
    assert "disgust" in rows_of(app)[0]  # whose curves are asked for, that map is there


def test_a_vote_can_be_explained_when_asked(open_app: OpenApp, runs: list[RunFolder]) -> None:
    app = open_app("explain", **{"explain.row": "5", "explain.models": ["both"]})
    assert not app.exception
    assert rows_of(app)[0].startswith("both ")


def test_a_test_that_fails_is_told_and_not_waited_for(
    open_app: OpenApp, runs: list[RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by hand")

    monkeypatch.setattr(testing, "measure_maps", broken)
    work = Background(10)
    monkeypatch.setattr(testing, "background", lambda: work)
    app = with_verdicts(open_app("explain", **{"explain.row": "5", "explain.models": ["one"]})).run()
    assert not app.exception
    assert any("ZeroDivisionError" in warning.value for warning in app.warning)
    assert " for " in rows_of(app)[0]


def test_a_thorough_test_says_so_and_is_kept(open_app: OpenApp, runs: list[RunFolder]) -> None:
    app = open_app(
        "explain",
        **{"explain.row": "5", "explain.models": ["one"], "explain.test": "thorough", "explain.proof": "true"},
    )
    assert not with_verdicts(app).exception
    assert any("9 random orders, 12 steps" in caption.value for caption in app.caption)


def test_a_brought_face_has_no_label_and_no_known_regions(open_app: OpenApp, runs: list[RunFolder]) -> None:
    app = open_app("explain", **{"explain.from": "Your own pictures"})
    assert not app.exception
    assert any("No face was brought" in info.value for info in app.info)
    image = np.random.default_rng(0).integers(0, 255, (48, 48), dtype=np.uint8)
    app.session_state["_brought_faces"] = {"Me (abcd)": ChosenFace(image, "abcd" * 10, "Me")}
    app.query_params["explain.curves"] = "the label"
    app.run()
    assert not app.exception
    for words in rows_of(app):
        assert "✓" not in words.split(" for ")[0]
    assert any("Nobody gave this face a label" in caption.value for caption in app.caption)


def test_unknown_choices_in_a_link_are_said(open_app: OpenApp, runs: list[RunFolder]) -> None:
    app = open_app("explain", **{"explain.row": "5", "explain.classes": ["bored"], "explain.curves": "tired"})
    assert not app.exception
    said = " ".join(warning.value for warning in app.warning)
    assert "“bored”" in said
    assert "“tired”" in said


def test_a_silent_map_is_words_and_not_a_picture(open_app: OpenApp, runs: list[RunFolder]) -> None:
    maps = np.zeros((7, 6, 6))
    maps[FEAR, 2, 2] = 1

    class Still:
        name, map_grid = "quiet", (6, 6)

    quiet = Answer(Still(), np.eye(7, dtype=np.float32)[FEAR], maps.astype(np.float32))  # type: ignore[arg-type]
    about = ChosenFace(np.zeros((48, 48), dtype=np.uint8), "0" * 40, "a face", SAD)
    look = cells.MapStyle(True, 0.6, cells.OF_MODEL)
    words = cells.model(about, quiet, maps_to_show(quiet, FEAR, SAD, [SAD]), 1.0, look, {})
    assert words.count("<img") == 1
    assert "finds nothing that speaks for sad" in words


def test_maps_shown_are_the_one_asked_for_and_chosen_each_once() -> None:
    found = answer([0, 0, 0.6, 0, 0.4, 0, 0], np.ones((7, 2, 2)))
    assert maps_to_show(found, FEAR, SAD, [HAPPY, FEAR]) == [Shown(FEAR, ("its answer",)), Shown(HAPPY, ())]
    assert maps_to_show(found, SAD, SAD, []) == [Shown(SAD, ("the label",))]
    assert maps_to_show(found, FEAR, FEAR, []) == [Shown(FEAR, ("the label", "its answer"))]
    assert maps_to_show(found, HAPPY, None, []) == [Shown(HAPPY, ())]


def test_the_sentence_says_which_pass_and_where_models_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Answer, "name", property(lambda self: f"net{self.maps.sum():.0f}"))
    left, right = np.zeros((7, 6, 6)), np.zeros((7, 6, 6))
    left[FEAR], right[FEAR] = np.arange(36).reshape(6, 6), np.arange(36).reshape(6, 6)[:, ::-1]
    found = [answer([0, 0, 1, 0, 0, 0, 0], one) for one in (left, left + 0.001, right[:, ::-1])]
    figure = ComparedArea(0.2, 0.3, 0.1, 0.5, True, True, 0.3, 0.3)
    good = Judgement("trust", FEAR, 0.9, figure, figure, ("It is used.",))
    words = trust.sentence(found[:2], [FEAR, FEAR], [good, replace(good, verdict="no")])
    assert words.startswith("**1 of 2 maps passes the test: net630**")
    assert "much the same places (rank correlation 1.00)" in words
    assert "different places" in trust.sentence([found[0], found[2]], [FEAR, FEAR], [None, None])
    assert trust.sentence(found[:1], [FEAR], [None]) == ""
    # "0 of 1 map pass the test."
    assert trust.sentence(found[:1], [FEAR], [replace(good, verdict="no")]) == "**0 of 1 map passes the test**."


def test_scales(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Answer, "name", property(lambda self: str(self.maps.max())))
    weak, strong = (answer([0, 0, 1, 0, 0, 0, 0], np.full((7, 2, 2), size)) for size in (1.0, 5.0))
    shown = {one.name: [Shown(FEAR, ())] for one in (weak, strong)}
    found = [weak, strong]
    assert [top_of(cells.OF_MODEL, one, found, shown) for one in found] == [1, 5]
    assert [top_of(cells.OF_ALL, one, found, shown) for one in found] == [5, 5]
    assert top_of(cells.OF_MAP, weak, found, shown) is None


def test_what_luck_could_do_is_not_called_wrong() -> None:
    figure = ComparedArea(0.2, 0.3, 0.1, 0.5, False, False, 0.3, 0.3)
    lucky = Judgement("no", SAD, 0.9, figure, figure, (LUCK,))
    assert "may be luck" in badge(lucky)
    assert "do not trust" in badge(replace(lucky, sentences=(WORSE,)))
    assert "passes" in badge(replace(lucky, verdict="trust", sentences=("It is used.",)))


def test_pointing_in_words() -> None:
    boxes = {"eyes": (10, 10, 38, 18), "mouth": (14, 34, 34, 42)}
    one_map = np.zeros((48, 48))
    one_map[38, 24] = 1
    assert pointed(one_map, boxes) == "Strongest point: on the mouth."
    one_map[38, 24], one_map[26, 2] = 0, 1
    assert pointed(one_map, boxes) == "Strongest point: outside eyes and mouth."


@pytest.mark.parametrize("row", ["no", "999999", "-1"])
def test_a_row_that_does_not_exist_is_said(open_app: OpenApp, runs: list[RunFolder], row: str) -> None:
    app = open_app("explain", **{"explain.row": row})
    assert not app.exception
    assert any(f"There is no row “{row}”" in warning.value for warning in app.warning)
    assert len(rows_of(app)) == 2


def test_other_data_without_that_row_show_a_face_that_they_have(
    open_app: OpenApp, runs: list[RunFolder], dataset: Dataset
) -> None:
    part = slice(0, 40)
    few = dataset.path.parent / "few"
    write_dataset(few, np.asarray(dataset.images[part]), dataset.labels[part], dataset.splits[part])
    app = open_app("explain")
    app.sidebar.selectbox(key="data").select("sample").run()
    app.number_input(key="explain.row").set_value(1500).run()
    assert len(rows_of(app)) == 2
    app.sidebar.selectbox(key="data").select("few").run()
    assert not app.exception
    row = app.number_input(key="explain.row").value
    assert row < 40
    assert app.button(key="explain-shuffle").disabled  # nobody was measured on these faces
    assert len(rows_of(app)) == 2


def test_an_unknown_model_is_said(open_app: OpenApp, runs: list[RunFolder]) -> None:
    app = open_app("explain", **{"explain.models": ["one", "nobody"]})
    assert any("“nobody”" in warning.value for warning in app.warning)


def test_tables_hold_all_numbers(open_app: OpenApp, runs: list[RunFolder]) -> None:
    app = open_app("explain", **{"explain.row": "5", "explain.proof": "true"})
    tables = [frame.value for frame in with_verdicts(app).dataframe]
    probabilities = next(table for table in tables if "Probability (%)" in table and "one" in table)
    assert list(probabilities["Probability (%)"]) == list(NAMES)
    np.testing.assert_allclose(probabilities["one"].sum(), 100, atol=1e-3)
    maps = next(table for table in tables if "Verdict" in table)
    assert {"Deletion: map", "Insertion: random, low", "Pointing game", "In words"} <= set(maps.columns)
    assert set(maps["Model"]) == {"one", "two"}


def links(app: AppTest, label: str) -> list[dict[str, list[str]]]:
    """The queries of the links to Explain that are called so."""
    found = [link.proto for link in app.get("page_link") if link.proto.label == label]
    assert all(link.page == "explain" for link in found)
    return [parse_qs(link.query_string) for link in found]


def test_mistakes_and_dataset_lead_here(open_app: OpenApp, runs: list[RunFolder], dataset: Dataset) -> None:
    row = int(align(runs, PRIVATE_TEST).rows[0])
    (query,) = links(open_app("mistakes", face=str(row), runs=["two", "both"]), "Explain this face")
    assert query["explain.row"] == [str(row)]
    assert query["explain.models"] == ["two"]  # the vote repeats its members
    (query,) = links(open_app("dataset", face=str(row)), "Explain this face")
    assert query["explain.row"] == [str(row)]
    app = open_app("explain", **query)
    assert app.number_input(key="explain.row").value == row


def test_kept_results_go_when_nobody_asks_for_them() -> None:
    cache: ResultCache[int] = ResultCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert cache.get("b") is None
    assert (cache.get("a"), cache.get("c")) == (1, 3)
