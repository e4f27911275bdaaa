"""Where a run is weakest: its class, its mistake, what breaks it; on its card, and true of what ships."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from edited_runs import measured_on, reseal_evaluation
from factories import make_run

from fer_core.corruptions.measurement import read_corruptions
from fer_core.emotions import COUNT, NAMES, PUBLIC_TEST
from fer_core.runs.card import card_of
from fer_core.runs.folder import RunFolder
from fer_core.runs.listing import list_runs
from fer_core.runs.measurements import PARQUET_KEY
from fer_core.runs.weakest import breaks_most, commonest_mistake, weakest_class, weakest_lines

ANGRY, DISGUST, HAPPY, SAD = (NAMES.index(name) for name in ("angry", "disgust", "happy", "sad"))


def confusion(**cells: int) -> list[list[int]]:
    counts = np.zeros((COUNT, COUNT), int)
    for pair, count in cells.items():
        true, said = pair.split("_")
        counts[NAMES.index(true), NAMES.index(said)] = count
    return counts.tolist()  # type: ignore[no-any-return]


def test_the_weakest_class_is_the_one_found_least_often_and_not_one_of_a_few_faces() -> None:
    table = confusion(angry_angry=40, angry_sad=10, happy_happy=60, happy_sad=40, fear_sad=19)
    weak = weakest_class(table)
    assert weak is not None
    assert (weak.emotion, weak.found, weak.n) == ("happy", 60, 100)
    assert 0.45 < weak.low < 0.6 < weak.high < 0.75
    assert weakest_class(confusion(fear_sad=19)) is None


def test_a_class_of_a_few_faces_that_is_never_found_is_told(tmp_path: Path) -> None:
    """The card called neutral the weakest, while no face of disgust was found."""
    run = make_run(tmp_path / "run")
    metrics = measured_on(run).metrics()
    scores = metrics["splits"]["PrivateTest"]
    scores.pop("without_near_duplicates", None)
    scores["confusion"] = confusion(happy_happy=80, neutral_neutral=14, neutral_sad=11, disgust_angry=7, fear_fear=19)
    [weakest] = [line for line in weakest_lines(metrics) if "Weakest" in line]
    assert "neutral" in weakest
    assert "fewer than 20 faces are not judged" in weakest
    assert "disgust (none of 7 found)" in weakest
    assert "fear (19 of 19 found)" in weakest
    scores["confusion"] = confusion(happy_happy=80, neutral_neutral=14, neutral_sad=11)
    assert "not judged" not in " ".join(weakest_lines(metrics))
    scores["confusion"] = confusion(fear_fear=19)
    assert "none is named" in " ".join(weakest_lines(metrics))


def test_the_commonest_mistake_goes_one_way() -> None:
    mistake = commonest_mistake(confusion(sad_neutral=12, neutral_sad=11, sad_sad=30, neutral_neutral=90))
    assert mistake is not None
    assert (mistake.true, mistake.said, mistake.count, mistake.n) == ("sad", "neutral", 12, 42)
    assert commonest_mistake(confusion(sad_sad=30)) is None


def with_corruptions(run: RunFolder) -> None:
    labels = np.array([SAD, SAD, HAPPY, HAPPY], np.int8)
    wrong = np.full(4, ANGRY, np.int8)
    columns = {"row": np.arange(4), "label": labels, "clean": labels, "noise_1": labels, "noise_2": labels}
    columns |= {"jpeg_1": labels, "jpeg_2": wrong}
    told = {"strengths": {"noise": [1, 2], "jpeg": [60, 35]}}
    table = pa.table(columns).replace_schema_metadata({PARQUET_KEY: json.dumps(told).encode()})
    reseal_evaluation(run, lambda found: pq.write_table(table, found.corruptions_path))


def test_what_breaks_it_most_is_the_mean_over_the_strengths(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    assert breaks_most(measured_on(run)) is None
    with_corruptions(run)
    breaks = breaks_most(measured_on(run))
    assert breaks is not None
    assert (breaks.corruption, breaks.accuracy, breaks.clean, breaks.n) == ("jpeg", 0.5, 1.0, 4)
    limits = card_of(run).partition("## Limits")[2]
    assert "JPEG compression: right on 50 %" in limits
    assert "Weakest class" in limits


def test_a_damaged_measurement_is_said_on_the_card_and_the_rest_stands(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    with_corruptions(run)
    reseal_evaluation(run, lambda found: found.corruptions_path.write_bytes(b"nothing"))
    card = card_of(run)
    assert "**Left out here:**" in card
    assert "Weakest class" in card
    assert "Breaks most" not in card
    assert "does not know what anybody feels" in card


@pytest.mark.parametrize("info", [info for info in list_runs() if info.shipped], ids=lambda info: info.name)
def test_the_shipped_cards_say_what_the_whole_measurement_says(info) -> None:  # type: ignore[no-untyped-def]
    breaks, whole = breaks_most(measured_on(info.folder)), read_corruptions(info.folder)
    assert breaks is not None
    assert whole is not None
    means = whole.robustness.accuracy()[0].mean(axis=1)
    assert breaks.corruption == whole.robustness.names[int(means.argmin())]
    assert breaks.accuracy == pytest.approx(float(means.min()))
    assert (breaks.clean, whole.about.split) == (pytest.approx(whole.robustness.clean_accuracy), PUBLIC_TEST)
    assert (info.path / "CARD.md").read_text(encoding="utf-8") == card_of(info.folder)
