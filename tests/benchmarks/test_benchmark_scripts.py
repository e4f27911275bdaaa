"""The benchmarks run from start to finish with tiny settings, and say what they measured."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import make_run
from made_up_faces import make_labels

from benchmarks import common, inference, interaction, reproduce, training_throughput
from fer_core.cli import build_parser
from fer_core.data.dataset import write_dataset
from fer_core.emotions import COUNT, PRIVATE_TEST, PUBLIC_TEST, TRAINING
from fer_core.errors import FerError
from fer_core.runs.listing import find_run
from fer_core.settings import PROJECT_ROOT, settings

ABOUT = {
    "processor": "a processor",
    "cores": 2,
    "memory_gb": 8.0,
    "system": "a system",
    "load": 0.0,
    "versions": {"python": "3.11"},
}


def run_script(name: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROJECT_ROOT / "benchmarks" / f"{name}.py"), *options]
    # From elsewhere: a script must find the project by itself.
    return subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=1000, check=False)


def throughput(**speeds: float) -> dict[str, Any]:
    result: dict[str, Any] = {
        "machine": ABOUT,
        "settings": {"data": "fer2013", "batches": 10, "batch_size": 64, "repeats": 2},
        "precision": "mixed_bfloat16",
        "precision_reason": "measured",
        "images_per_second": {
            variant: common.spread([speeds.get(variant, 100.0) - 1, speeds.get(variant, 100.0) + 1])
            for variant in training_throughput.VARIANTS
        },
    }
    result["factor"] = training_throughput.factor(result, "ours", "keras")
    return result


def test_the_training_report_gives_the_factor_and_its_parts() -> None:
    text = training_throughput.report(throughput(ours=900, ours_float32=500, keras=300))
    assert "Ours trains 3.00 times as fast as plain Keras" in text
    assert "out, 1.67 times" in text
    (line,) = [line for line in text.splitlines() if line.startswith("| plain Keras: ImageDataGenerator and fit")]
    assert [cell.strip() for cell in line.split("|")[2:5]] == ["300", "299–301", "1.00"]


def test_a_busy_machine_is_said() -> None:
    assert "do not quote" in common.machine_text({**ABOUT, "load": 1.5})
    assert "do not quote" not in common.machine_text(ABOUT)


def test_the_machine_names_processor_and_versions() -> None:
    about = common.machine()
    assert about["cores"] >= 1
    assert about["processor"]
    assert about["versions"]["keras"].startswith("3.")


def test_the_inference_report_has_a_table_for_each_model() -> None:
    figures = [
        {
            "model": "one",
            "way": implementation,
            "maps": maps,
            "batch": batch,
            "median_ms": number + 1.0,
            "p95_ms": 9.0,
            "calls": 3,
        }
        for maps in (False, True)
        for batch in inference.BATCHES
        for number, implementation in enumerate((inference.LITERT, *inference.KERAS_CALLS))
    ]
    result = {"machine": ABOUT, "settings": {"models": ["one"], "repeats": 3}, "figures": figures}
    text = inference.report(result)
    assert "one: milliseconds per face" in text
    assert text.count("1.00 (9.00) ×1.0") == 4
    assert text.count("4.00 (9.00) ×4.0") == 4


def test_our_files_and_somebody_elses_are_asked_in_turns_and_stand_in_one_table() -> None:
    shipped = common.ROOT / "models" / "custom_cnn" / "model.tflite"
    found = inference._in_turns({"theirs.tflite": str(shipped), "ours": str(shipped)}, 2)
    assert list(found) == ["theirs.tflite", "ours"]
    assert all(0 < figure["least_ms"] <= figure["median_ms"] for figure in found.values())
    result = {"machine": ABOUT, "settings": {"models": [], "repeats": 2}, "figures": [], "in_turns": found}
    [row] = [line for line in inference.report(result).splitlines() if "theirs.tflite" in line]
    assert f"{found['theirs.tflite']['median_ms']:.3f}" in row


def test_a_measurement_that_fails_is_an_error_with_its_reason(tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text("raise SystemExit('no faces here')\n")
    with pytest.raises(FerError, match="no faces here"):
        common.run_child(str(script), {})


def clicks(**medians: float) -> dict[str, Any]:
    figures = {
        action: {"n": 3, "median_ms": medians.get(action, 100.0), "p95_ms": 200.0, "all": []}
        for action in interaction.TITLES
    }
    settings = {"runs": ["one", "other"], "faces": {PRIVATE_TEST: 3589}, "repeats": 3}
    met = all(figure["median_ms"] < interaction.GOAL for figure in figures.values())
    return {"machine": ABOUT, "settings": settings, "goal_ms": interaction.GOAL, "met": met, "figures": figures}


def test_the_interaction_report_says_whether_the_goal_is_met_and_by_what_it_is_missed() -> None:
    text = interaction.report(clicks(sort=499.4))
    assert "2 runs: one, other. PrivateTest 3,589 faces." in text
    (line,) = [line for line in text.splitlines() if line.startswith("| another order")]
    assert [cell.strip() for cell in line.split("|")[2:5]] == ["3", "499", "200"]
    assert "500 ms for every kind of click, is met." in text
    text = interaction.report(clicks(sort=500.0, face=800.0))
    assert "is missed by: another order of the faces (500 ms); opening a face (800 ms)." in text


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("training_throughput", (), "say which faces"),
        ("training_throughput", ("--data", "/nowhere", "--batches", "0"), "must be at least 1"),
        ("inference", ("--repeats", "0"), "must be at least 1"),
        ("inference", ("--fer", "nowhere.tflite"), "there is no file nowhere.tflite"),
        ("inference", ("--models", "nobody"), "there is no run called 'nobody'"),
        ("interaction", ("--repeats", "0"), "must be at least 1"),
        ("interaction", ("--runs", "nobody"), "there is no run called 'nobody'"),
    ],
)
def test_wrong_settings_are_said(name: str, options: tuple[str, ...], message: str) -> None:
    done = run_script(name, *options)
    assert done.returncode == 2
    assert message in done.stderr


def test_reproduce_gives_command_epochs_and_hours_of_every_shipped_run(home: Path) -> None:
    run = make_run(settings().models_dir / "custom_cnn", epochs=5, data={"kind": "csv"})
    (line,) = [line for line in reproduce.runs_table().splitlines() if "custom_cnn" in line]
    seconds = run.history()["seconds"].sum()
    assert "`python -m fer_core train --recipe models/custom_cnn/recipe.json --data datasets/fer2013`" in line
    assert "5 of 5" in line
    assert f"{seconds / 3600:.2f}" in line


def test_seeds_are_summed_up_and_must_be_one_recipe(home: Path) -> None:
    for seed in range(3):
        make_run(settings().runs_dir / f"seed-{seed}", seed=seed, accuracy=0.6 + seed / 20)
    text = reproduce.seeds_table([f"seed-{seed}" for seed in range(3)])
    values = [
        find_run(f"seed-{seed}").metrics()["splits"][PRIVATE_TEST]["accuracy"]  # type: ignore[index]
        for seed in range(3)
    ]
    assert f"{100 * np.mean(values):.1f} ± {100 * np.std(values, ddof=1):.1f}" in text
    make_run(settings().runs_dir / "other", seed=9, epochs=2)
    with pytest.raises(FerError, match="other differs from seed-0 in epochs"):
        reproduce.seeds_table(["seed-0", "other"])
    with pytest.raises(FerError, match="at least two"):
        reproduce.seeds_table(["seed-0"])


def test_the_committed_page_shows_what_the_shipped_runs_say() -> None:
    page = (PROJECT_ROOT / "benchmarks" / "reproduce.md").read_text(encoding="utf-8")
    assert reproduce.with_table(page) == page, "write it anew: python benchmarks/reproduce.py --write"


def test_commands_on_the_pages_are_understood() -> None:
    lines = []
    for page in ("README.md", "reproduce.md"):
        text = (PROJECT_ROOT / "benchmarks" / page).read_text(encoding="utf-8")
        lines += re.findall(r"^python -m fer_core (.+)$", text, flags=re.MULTILINE)
        for script in re.findall(r"^python (benchmarks/\S+)", text, flags=re.MULTILINE):
            assert (PROJECT_ROOT / script).exists()
    assert lines
    parser = build_parser()
    for line in lines:
        parser.parse_args(shlex.split(line))


@pytest.mark.slow
def test_training_throughput_measures_every_variant(tmp_path: Path) -> None:
    labels = np.arange(84) % COUNT
    images = np.random.default_rng(0).integers(0, 256, (84, 48, 48), dtype=np.uint8)
    splits = np.repeat([TRAINING, PUBLIC_TEST, PRIVATE_TEST], 28)
    write_dataset(tmp_path / "faces", images, labels, splits)
    options = ("--data", str(tmp_path / "faces"), "--batches", "2", "--batch-size", "4", "--repeats", "1", "--json")
    done = run_script("training_throughput", *options)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert set(result["images_per_second"]) == set(training_throughput.VARIANTS)
    assert all(speed["median"] > 0 for speed in result["images_per_second"].values())
    assert result["precision"] in ("float32", "mixed_bfloat16")


@pytest.mark.slow
def test_inference_measures_every_way_with_and_without_maps() -> None:
    done = run_script("inference", "--models", "custom_cnn", "--repeats", "2", "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["figures"]
    implementations = (inference.LITERT, *inference.KERAS_CALLS)
    wanted = {
        (implementation, maps, batch)
        for implementation in implementations
        for maps in (False, True)
        for batch in inference.BATCHES
    }
    assert {(figure["way"], figure["maps"], figure["batch"]) for figure in figures} == wanted
    assert all(0 < figure["median_ms"] <= figure["p95_ms"] for figure in figures)


@pytest.mark.slow
def test_interaction_measures_every_kind_of_click(home: Path) -> None:
    labels, splits = make_labels(seed=2013)
    images = np.random.default_rng(0).integers(0, 256, (len(labels), 48, 48), dtype=np.uint8)
    dataset = write_dataset(settings().datasets_dir / "noise", images, labels, splits)
    for seed, name in enumerate(("one", "other")):
        make_run(settings().runs_dir / name, seed=seed, accuracy=0.3, data={"fingerprint": dataset.info.fingerprint})
    done = run_script("interaction", "--runs", "one", "other", "--repeats", "2", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert list(result["figures"]) == list(interaction.TITLES)
    for figure in result["figures"].values():
        assert 1 <= figure["n"] == len(figure["all"]) <= 2
        assert 0 < figure["median_ms"] <= figure["p95_ms"] == pytest.approx(np.percentile(figure["all"], 95))


def test_interaction_needs_the_faces_that_the_runs_were_measured_on(home: Path) -> None:
    for name in ("one", "other"):
        make_run(settings().runs_dir / name)
    with pytest.raises(FerError, match="import the data"):
        interaction.measure(["one", "other"], 1)
