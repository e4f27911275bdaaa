"""A brought model on every page, with class maps and without: like any other, and nothing is drawn that is not so."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from ai_edge_litert.tools import flatbuffer_utils
from factories import TINY_MODEL, make_evaluated_run
from made_up_faces import make_noise
from streamlit.testing.v1 import AppTest

from fer_core.data.dataset import Dataset
from fer_core.emotions import NAMES
from fer_core.evaluation.measure_litert import measure_with_litert
from fer_core.files import write_json
from fer_core.inference.models import load_model
from fer_core.runs.contracts import AdapterRecord, EvidenceRecord, FitRecord, ImportRecord
from fer_core.runs.folder import RunFolder, seal
from fer_core.runs.journal import utc_now
from fer_core.settings import settings
from pages.parts.live import camera, now
from pages.parts.run import card

OpenApp = Callable[..., AppTest]


def without_maps(path: Path) -> None:
    """Take the class maps out of a LiteRT file's outputs."""
    model = flatbuffer_utils.read_model(str(path))
    graph = model.subgraphs[0]
    graph.outputs = [index for index in graph.outputs if len(graph.tensors[int(index)].shape) == 2]
    model.signatureDefs = None
    flatbuffer_utils.write_model(model, str(path))


@pytest.fixture(params=[True, False], ids=["with maps", "without maps"])
def brought(request: pytest.FixtureRequest, home: Path) -> tuple[RunFolder, Dataset]:
    """``theirs``, a brought model, beside ``one``, a trained run; both are measured on noise."""
    data = make_noise(settings().datasets_dir / "noise")
    one = make_evaluated_run(settings().runs_dir / "one", data)
    folder = RunFolder(settings().runs_dir / "theirs")
    folder.path.mkdir()
    shutil.copyfile(TINY_MODEL / "model.tflite", folder.tflite_path)
    shutil.copyfile(TINY_MODEL / "model.keras", folder.keras_path)
    description = one.description().to_dict()
    if not request.param:
        without_maps(folder.tflite_path)
        description = {**description, "map_grid": [0, 0]}
    write_json(folder.architecture_path, description)
    fit = FitRecord(order="alphabetical", classes=sorted(NAMES), accuracy=0.5, low=0.4, high=0.6)
    record = ImportRecord(
        schema=1,
        source="theirs.h5",
        sha256="0" * 64,
        kind="HDF5 file",
        created=utc_now(),
        order="alphabetical",
        classes=sorted(NAMES),
        left_out=[],
        missing=[],
        evidence=EvidenceRecord(
            data=data.info.record(),
            split="PublicTest",
            faces=100,
            most_frequent=0.2,
            fits=[fit],
            chosen_by="owner",
        ),
        adapter=AdapterRecord(
            height=48, width=48, channels=1, scale="unit", pixels="0..1", output="logits", maps=request.param
        ),
    )
    if not request.param:
        # As of a file that computes in whole numbers, which only LiteRT files do.
        record["adapter"]["step"] = 1 / 128
    write_json(folder.import_path, dict(record))
    manifest = {"id": "theirs", "name": "theirs", "title": "Theirs", "architecture": "imported", "created": utc_now()}
    rest = {"state": "done", "data": data.info.record(), "epochs": 0, "best_epoch": None, "versions": {}}
    seal(folder, {**manifest, **rest})
    measure_with_litert(folder, data)
    return folder, data


def words(app: AppTest) -> str:
    kinds = (app.caption, app.markdown, app.info, app.warning)
    return " ".join(str(element.value) for kind in kinds for element in kind)


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("run", {"run": "theirs", **dict.fromkeys(card.SECTIONS, "true")}),
        ("compare", {"data": "noise"}),
        ("compare", {"data": "noise", "view": "Learning"}),
        ("mistakes", {"data": "noise", "face": "7"}),
        ("explain", {"data": "noise", "models": "theirs"}),
        ("explain", {"data": "noise", "models": "theirs", "view": "Methods"}),
        ("poke", {"data": "noise", "poke.models": "theirs"}),
        ("live", {}),
        ("photo", {}),
        ("leaderboard", {}),
        ("home", {}),
    ],
)
def test_every_page_treats_it_well(
    brought: tuple[RunFolder, Dataset],
    open_app: OpenApp,
    page: str,
    address: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(camera, "show", lambda live, facing: None)
    monkeypatch.setattr(camera, "is_trying", lambda camera: False)
    monkeypatch.setattr(now, "connection_status", lambda camera, live: None)
    app = open_app(page, **address)
    assert not app.exception
    assert not app.error, [one.value for one in app.error]
    has_maps = load_model("theirs").has_maps
    if page == "run":
        assert ("class maps for its head" in words(app)) is not has_maps
        assert ("logits come in steps of 0.0078" in words(app)) is not has_maps


def test_it_is_listed_and_read_like_any_other(brought: tuple[RunFolder, Dataset]) -> None:
    folder, data = brought
    assert folder.evaluation_problems() == []
    assert folder.predictions(data.info.fingerprint) is not None
