"""The benchmark of scoring: the same pictures for each command, and rates without the start."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from factories import make_run
from PIL import Image

from benchmarks import cluster, trials
from benchmarks.common import spread
from fer_core.cli import build_parser
from fer_core.cli.train import chosen_recipe
from fer_core.errors import FerError
from fer_core.settings import settings

ABOUT = {"processor": "a processor", "cores": 2, "memory_gb": 8.0, "system": "a system", "load": 0.0, "versions": {}}


def test_one_worker_and_predict_read_the_same_pictures(home: Path, tmp_path: Path) -> None:
    make_run(settings().runs_dir / "one")
    (tmp_path / "mine").mkdir()
    Image.new("L", (48, 48), 90).save(tmp_path / "mine" / "face.png")
    cluster.write_pictures(tmp_path / "many", 5, tmp_path / "mine")
    assert len(list((tmp_path / "many").iterdir())) == 5
    for variant in (cluster.PREDICT, cluster.ONE):
        assert cluster.seconds_of(variant, tmp_path / "many", "one") > 0
    with pytest.raises(FerError, match="no model called"):
        cluster.seconds_of(cluster.ONE, tmp_path / "many", "nobody")


def test_what_a_start_takes_is_no_part_of_the_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "write_pictures", lambda folder, number, source: folder.mkdir())
    rates = {cluster.PREDICT: 100.0, cluster.PREDICT_ONE: 60.0, cluster.ONE: 90.0, cluster.TWO: 180.0}

    def seconds_of(variant: str, source: Path, model: str) -> float:
        return 7.0 + (1_600 if source.name == "every" else 200) / rates[variant]

    monkeypatch.setattr(cluster, "seconds_of", seconds_of)
    result = {"machine": ABOUT, **cluster.measure(1_600, None, "one", 2, cluster.VARIANTS)}
    assert result["while_it_works"][cluster.TWO]["median"] == pytest.approx(180)
    assert result["whole_command"][cluster.PREDICT] == spread([1_600 / 23] * 2)
    [line] = [line for line in cluster.report(result).splitlines() if line.startswith("| score, 2 workers")]
    assert line.split("|")[-3:-1] == [
        " 1.80 ".rjust(len(line.split("|")[-3])),
        " 3.00 ".rjust(len(line.split("|")[-2])),
    ]


def test_every_variant_trains_the_same_recipes(tmp_path: Path) -> None:
    parser = build_parser()
    plain = [parser.parse_args(line) for line in trials.commands(trials.PLAIN, 3, 2, tmp_path, 2)]
    assert [args.seed for args in plain] == [0, 1, 2]
    for variant, cpus in ((trials.ONE, 2), (trials.MANY, 1)):
        [args] = [parser.parse_args(line) for line in trials.commands(variant, 3, 2, tmp_path, 2)]
        assert (args.seeds, args.cpus_per_trial) == (3, cpus)
        assert chosen_recipe(args) == replace(chosen_recipe(plain[0]), seed=0)


def test_trials_are_told_beside_plain_trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {trials.PLAIN: 360.0, trials.ONE: 400.0, trials.MANY: 240.0}
    monkeypatch.setattr(trials, "seconds_of", lambda variant, number, epochs: seconds[variant])
    rates = trials.measure(4, 5, 2)
    assert rates[trials.PLAIN]["median"] == pytest.approx(40)
    [line] = [line for line in trials.report(rates).splitlines() if line.startswith("| sweep, one a core")]
    assert "60 (60 to 60)" in line
    assert "1.50" in line
