"""``faithfulness.json``: verdicts on a model made by hand, what is kept, and the document made of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from edited_runs import measured_on, reseal_evaluation
from factories import make_run, make_vote
from made_up_faces import make_noise

from fer_core.cli import build_parser, main
from fer_core.data.dataset import Dataset
from fer_core.emotions import COUNT
from fer_core.errors import ExplainError, RunError
from fer_core.explain import faithfulness_report as words
from fer_core.explain.base import Faces
from fer_core.explain.batch_maps import FINE, FaithfulnessPlan, by_grid, maps_of
from fer_core.explain.faithfulness_study import FILE, Explained, measure_faithfulness, read_faithfulness
from fer_core.explain.methods import METHODS, RISE
from fer_core.explain.worker.messages import Map, MapRequest
from fer_core.files import sha256_of
from fer_core.inference.predictor import Predictor
from fer_core.runs.folder import RunFolder
from fer_core.runs.measurements import there
from fer_core.settings import PROJECT_ROOT

MOUTH = (slice(24, 40), slice(16, 32))
"""What the model made by hand looks at: four cells of a 6×6 grid."""
CELLS = (slice(3, 5), slice(2, 4))
LABEL = 3


class ByHand:
    """Says happy, the surer the more contrast there is around the mouth; its class map is whatever it is given."""

    map_grid = (6, 6)

    def __init__(self, class_map: np.ndarray) -> None:
        self.class_map = class_map
        self.asked = 0

    def predict(self, faces: Faces) -> np.ndarray:
        self.asked += len(faces)
        contrast = faces[:, *MOUTH].std(axis=(1, 2)) / 80
        sure = np.clip(0.2 + 0.7 * contrast, 0, 0.95)
        answer = np.repeat((1 - sure)[:, None] / (COUNT - 1), COUNT, axis=1)
        answer[:, LABEL] = sure
        return answer.astype(np.float32)

    def explain(self, faces: Faces) -> tuple[np.ndarray, np.ndarray]:
        maps = np.repeat(np.repeat(self.class_map[None, None], COUNT, axis=1), len(faces), axis=0)
        return self.predict(faces), maps.astype(np.float32)


def right_map() -> np.ndarray:
    found = np.zeros((6, 6))
    found[CELLS] = 1
    return found


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return make_noise(tmp_path / "data")


@pytest.fixture
def run(home: Path, dataset: Dataset) -> RunFolder:
    return make_run(home / "runs" / "mine", data=dataset.info.record())


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> ByHand:
    model = ByHand(right_map())
    monkeypatch.setattr("fer_core.inference.models.load_model", lambda *_args, **_options: model)
    return model


PLAN = FaithfulnessPlan(n=14, masks=80)


def gains(explained: Explained, name: str) -> tuple[float, float]:
    row = explained.methods[name].summary.rows[0]
    assert row.baseline == "random"
    return row.deletion.value, row.insertion.value


def test_maps_of_what_the_model_uses_are_trusted(run: RunFolder, dataset: Dataset, by_hand: ByHand) -> None:
    explained = measure_faithfulness(run, dataset, plan=PLAN)
    assert list(explained.methods) == ["class_map", "occlusion", "rise"]
    assert {name: one.summary.verdict for name, one in explained.methods.items()} == dict.fromkeys(
        explained.methods, "trust"
    )
    for name in explained.methods:
        deletion, insertion = gains(explained, name)
        assert deletion < -0.05
        assert insertion > 0.05
    assert explained.faces == explained.methods["rise"].summary.n == 14


def test_a_map_of_what_it_does_not_use_is_not(run: RunFolder, dataset: Dataset, by_hand: ByHand) -> None:
    by_hand.class_map = 1 - right_map()
    explained = measure_faithfulness(run, dataset, ["class_map"], plan=PLAN)
    assert explained.methods["class_map"].summary.verdict == "no"
    deletion, insertion = gains(explained, "class_map")
    assert deletion > 0 > insertion


def silence(model: ByHand, first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The maps of that many faces, the first, say nothing."""
    plain = model.explain

    def explain(faces: Faces) -> tuple[np.ndarray, np.ndarray]:
        probabilities, maps = plain(faces)
        maps[:first] = 0
        return probabilities, maps

    monkeypatch.setattr(model, "explain", explain)


def test_maps_that_say_nothing_are_left_out_and_counted(
    run: RunFolder, dataset: Dataset, by_hand: ByHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    silence(by_hand, 5, monkeypatch)
    one = measure_faithfulness(run, dataset, ["class_map"], plan=PLAN).methods["class_map"]
    assert one.blank == 5
    assert one.summary.n == 9
    assert one.summary.verdict == "trust"
    monkeypatch.setattr(by_hand, "class_map", np.zeros((6, 6)))
    one = measure_faithfulness(run, dataset, ["class_map"], plan=PLAN, again=True).methods["class_map"]
    assert (one.blank, one.summary.n, one.summary.verdict) == (14, 0, "untestable")


def test_one_face_that_is_left_out_is_no_faces(
    run: RunFolder, dataset: Dataset, by_hand: ByHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    silence(by_hand, 1, monkeypatch)
    text = words.text("net", measure_faithfulness(run, dataset, ["class_map"], plan=PLAN))
    assert "1 face left out" in text


def test_it_is_kept_listed_and_not_measured_again(run: RunFolder, dataset: Dataset, by_hand: ByHand) -> None:
    first = measure_faithfulness(run, dataset, ["class_map"], plan=PLAN)
    assert read_faithfulness(run) == first
    assert measured_on(run).has(FILE)
    by_hand.asked = 0
    assert measure_faithfulness(run, dataset, ["class_map"], plan=PLAN) == first
    assert by_hand.asked == 0
    both = measure_faithfulness(run, dataset, ["occlusion"], plan=PLAN)
    assert list(both.methods) == ["class_map", "occlusion"], "what was measured in the same way stays"
    assert both.methods["class_map"] == first.methods["class_map"]
    by_hand.asked = 0
    measure_faithfulness(run, dataset, ["class_map"], plan=PLAN, again=True)
    assert by_hand.asked > 0
    other = measure_faithfulness(run, dataset, ["class_map"], plan=FaithfulnessPlan(n=21, masks=80))
    assert list(other.methods) == ["class_map"], "another plan starts anew"
    assert other.faces == 21


def test_gradient_methods_come_from_the_worker_with_fine_random_orders(
    run: RunFolder, dataset: Dataset, by_hand: ByHand
) -> None:
    asked: list[MapRequest] = []

    class Worker:
        def run(self, request: MapRequest) -> Map:
            asked.append(request)
            fine = np.zeros((48, 48), dtype=np.float32)
            fine[MOUTH] = 1
            return Map(fine, np.zeros(7, np.float32), 0.1)

    explained = measure_faithfulness(run, dataset, ["saliency"], plan=PLAN, worker=Worker())  # type: ignore[arg-type]
    assert explained.methods["saliency"].summary.verdict == "trust"
    assert explained.methods["saliency"].grid == FINE
    assert {(one.method, one.label) for one in asked} == {("saliency", LABEL)}
    assert len({one.face for one in asked}) == 14
    groups = by_grid(["class_map", "saliency", "gradcam", "occlusion", "smoothgrad"], by_hand)  # type: ignore[arg-type]
    assert groups == {(6, 6): ["class_map", "gradcam", "occlusion"], FINE: ["saliency", "smoothgrad"]}


@pytest.mark.slow
def test_the_real_worker_draws_for_it(run: RunFolder, dataset: Dataset) -> None:
    explained = measure_faithfulness(run, dataset, ["class_map", "saliency"], plan=FaithfulnessPlan(n=7))
    assert list(explained.methods) == ["class_map", "saliency"]
    assert explained.methods["saliency"].summary.n + explained.methods["saliency"].blank <= 7


def test_a_changed_model_or_a_damaged_file_is_refused(run: RunFolder, dataset: Dataset, by_hand: ByHand) -> None:
    measure_faithfulness(run, dataset, ["class_map"], plan=PLAN)
    path = measured_on(run).faithfulness_path
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"trust"', '"no"'), encoding="utf-8")
    with pytest.raises(RunError, match="not what its manifest promises"):
        read_faithfulness(run)
    path.write_text(text.replace(sha256_of(run.tflite_path), "e" * 64), encoding="utf-8")
    with pytest.raises(RunError, match=r"another model file.*explain faithfulness"):
        read_faithfulness(run)
    path.write_text(text[:-40], encoding="utf-8")
    with pytest.raises(RunError, match="damaged"):
        read_faithfulness(run)
    measure_faithfulness(run, dataset, ["class_map"], plan=PLAN)
    assert read_faithfulness(run) is not None, "a damaged one is measured anew"
    assert there(run) == (("Noise", FILE),)
    reseal_evaluation(run, lambda one: one.faithfulness_path.unlink())
    assert there(run) == ()


def test_the_document_is_made_of_what_was_measured(run: RunFolder, dataset: Dataset, by_hand: ByHand) -> None:
    explained = measure_faithfulness(run, dataset, plan=PLAN)
    document = words.report_markdown({"mine": explained})
    deletion, insertion = gains(explained, "class_map")
    cell = f"yes: deletion {deletion:+.3f}, insertion {insertion:+.3f}".replace("-", "−")
    assert f"| Class map | {cell} |" in document
    assert "14 of the 140 PublicTest faces of Noise" in document
    assert "--n 14 --data" in document
    lines = [line for line in document.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines if "blob" in line or line.startswith("| RISE | yes |")}) == 1
    (record,) = [one for one in words.records({"mine": explained}) if one["Method"] == "Occlusion"]
    assert record["May be trusted"] == "yes"
    assert record["Faces"] == 14
    short = words.in_short({"mine": explained})
    assert "for every model" in short
    assert "Occlusion" in short
    assert ("for none" in short) == any(one["May be trusted"] != "yes" for one in words.records({"mine": explained}))
    other = measure_faithfulness(run, dataset, ["class_map"], plan=FaithfulnessPlan(n=21))
    with pytest.raises(ValueError, match="same plan"):
        words.report_markdown({"mine": explained, "other": other})


def test_in_short_it_is_said_which_maps_do_not_beat_a_blob() -> None:
    """“You may trust the maps of Class map … for every model”, where a blob does as well as four of these five."""
    shipped = [RunFolder(path.parent) for path in sorted((PROJECT_ROOT / "models").glob("*/run.json"))]
    found = {folder.name: one for folder in shipped if (one := read_faithfulness(folder)) is not None}
    assert "trust" not in words.in_short(found)
    random, blob = words.in_short(found).split(". ")
    assert "random orders" in random
    assert "Occlusion and RISE for every model" in random
    better = [one for one in words.records(found) if one["May be trusted"] == "yes"]
    maps = [one for one in better if one["Method"] == "Class map"]
    assert f"Class map for {len(maps)} of {len(found)} models" in random
    beaten = [one for one in better if one["Better than the blob"] in ("at insertion", "at neither")]
    assert {one["Method"] for one in beaten} == {"Class map"}
    assert f"blob in the middle at deletion: Class map for {len(beaten)} of {len(found)} models" in blob
    sure = {name: one for name, one in found.items() if name == "resnet50"}
    assert "blob" not in words.in_short(sure)


def test_the_committed_document_says_what_the_shipped_runs_say() -> None:
    shipped = [RunFolder(path.parent) for path in sorted((PROJECT_ROOT / "models").glob("*/run.json"))]
    found = {folder.name: one for folder in shipped if (one := read_faithfulness(folder)) is not None}
    page = PROJECT_ROOT / "docs" / "explanations.md"
    assert page.exists() == bool(found)
    if found:
        text = page.read_text(encoding="utf-8")
        for name, one in found.items():
            assert words.markdown(words.figures_table(one)) in text, f"write it anew: {name} was measured since"


# --- The command


def faithfulness(dataset: Dataset, *options: str) -> list[str]:
    return ["explain", "faithfulness", "--data", str(dataset.info.path), *options]


def test_the_command_measures_as_the_plan_says() -> None:
    """Its own 500 faces and 200 masks would have gone on where the plan's were changed."""
    usual = FaithfulnessPlan()
    asked = build_parser().parse_args(["explain", "faithfulness", "--data", "x"])
    assert (asked.n, asked.masks) == (usual.n, usual.masks)


def test_the_command_prints_tables_and_writes_the_document(
    tmp_path: Path, run: RunFolder, dataset: Dataset, by_hand: ByHand, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "explanations.md"
    options = ("--n", "14", "--masks", "80", "--methods", "class_map", "occlusion", "--write", str(out))
    assert main(faithfulness(dataset, *options)) == 0
    printed = capsys.readouterr()
    assert "mine: 14 of the 140 PublicTest faces of Noise" in printed.out
    assert "| method | mine |" in printed.out
    assert "mine, Occlusion" in printed.err
    assert "# Do the explanations mark what the models use?" in out.read_text(encoding="utf-8")
    assert main([*faithfulness(dataset, "--n", "14", "--masks", "80", "--methods", "class_map"), "--json"]) == 0
    output: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert output["models"]["mine"]["methods"]["class_map"]["verdict"] == "trust"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--models", "nobody"), "no run called 'nobody'"),
        (("--models", "both", "--methods", "class_map", "saliency"), "is a vote and has no gradients"),
    ],
)
def test_what_cannot_be_measured_is_said(
    home: Path, run: RunFolder, dataset: Dataset, capsys: pytest.CaptureFixture[str], options, message: str
) -> None:
    other = make_run(home / "runs" / "other", seed=1, data=dataset.info.record())
    make_vote(home / "runs" / "both", [run, other])
    assert main(faithfulness(dataset, *options)) == 2
    assert message in capsys.readouterr().err


def test_a_new_method_is_not_taken_for_rise(run: RunFolder, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "new", replace(METHODS[RISE], name="new"))
    predictor = Predictor(run.tflite_path)
    with pytest.raises(ValueError, match="new"):
        maps_of(
            run, predictor, np.asarray(dataset.images[:1]), np.array([0]), "new", FaithfulnessPlan(masks=1), None, None
        )


def test_all_are_those_that_were_measured_on_the_data(
    home: Path, run: RunFolder, dataset: Dataset, by_hand: ByHand, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(home / "runs" / "foreign")
    make_vote(home / "runs" / "both", [run, make_run(home / "runs" / "other", seed=1, data=dataset.info.record())])
    options = ("--n", "7", "--methods", "class_map", "--json")
    assert main(faithfulness(dataset, *options)) == 0
    assert set(json.loads(capsys.readouterr().out)["models"]) == {"mine", "other"}


def test_without_a_run_or_with_other_faces_it_says_what_to_do(
    home: Path, dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(faithfulness(dataset)) == 2
    assert "there is no complete run yet" in capsys.readouterr().err
    make_run(home / "runs" / "foreign")
    assert main(faithfulness(dataset)) == 2
    assert "no run was measured on the faces" in capsys.readouterr().err
    assert main(faithfulness(dataset, "--models", "foreign")) == 2
    assert "foreign was not measured" in capsys.readouterr().err


def test_an_unknown_method_is_refused(run: RunFolder, dataset: Dataset) -> None:
    with pytest.raises(ExplainError, match="no method called 'magic'"):
        measure_faithfulness(run, dataset, ["magic"])


def test_one_face_as_a_picture(
    tmp_path: Path, run: RunFolder, dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    from PIL import Image

    out = tmp_path / "face.png"
    command = ["explain", "face", "--row", "30", "--data", str(dataset.info.path), "--out", str(out)]
    assert main([*command, "--expression", "fear", "--json"]) == 0
    output = json.loads(capsys.readouterr().out)
    face = np.asarray(dataset.images[30:31])
    probabilities, maps = Predictor(run.tflite_path).explain(face)
    assert list(output["models"]["mine"]["probabilities"].values()) == pytest.approx(probabilities[0].tolist())
    np.testing.assert_allclose(output["models"]["mine"]["map"], maps[0, 2], rtol=1e-6)
    assert output["models"]["mine"]["sentences"]
    assert Image.open(out).size == (480, 240)
    assert main(command) == 0
    assert f"Wrote {out}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("row", "name", "message"),
    [("420", "face.png", "rows run from 0 to 419"), ("1", "face.gif", "must end in"), ("1", "no/face.png", "cannot")],
)
def test_a_face_that_cannot_be_drawn(
    tmp_path: Path, run: RunFolder, dataset: Dataset, capsys, row: str, name: str, message: str
) -> None:
    command = ["explain", "face", "--row", row, "--data", str(dataset.info.path), "--out", str(tmp_path / name)]
    assert main(command) == 2
    assert message in capsys.readouterr().err
