"""Too little memory or disk is told before a training starts."""

from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from fer_core import memory
from fer_core.errors import RunError
from fer_core.runs.recipe import Recipe
from fer_core.training import jobs, resources

Memory = namedtuple("Memory", "available")
Disk = namedtuple("Disk", "free")


def test_an_ordinary_training_fits(data: Path) -> None:
    assert resources.check_resources(Recipe("custom_cnn"), data) == []


def test_too_little_memory_is_told_with_figures_and_nothing_starts(
    data: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: Memory(500e6))
    problems = resources.check_resources(Recipe("custom_cnn"), data)
    assert len(problems) == 1
    assert "0.5 GB are free" in problems[0]
    assert "smaller batch size" in problems[0]
    with pytest.raises(RunError, match="of memory"):
        jobs.start(Recipe("custom_cnn"), data)
    assert not (home / "runs").exists()


def test_too_little_disk_is_told(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources.shutil, "disk_usage", lambda _: Disk(10e6))
    problems = resources.check_resources(Recipe("custom_cnn"), data)
    assert len(problems) == 1
    assert "10 MB are free" in problems[0]


def test_a_larger_batch_input_or_network_needs_more() -> None:
    small = resources.estimate_memory(Recipe("custom_cnn", batch_size=32), 1000)
    assert resources.estimate_memory(Recipe("custom_cnn", batch_size=256), 1000) > small
    vgg = Recipe("vgg16", batch_size=32, input_size=48)
    assert resources.estimate_memory(vgg, 1000) > small
    assert resources.estimate_memory(replace(vgg, input_size=96), 1000) > resources.estimate_memory(vgg, 1000)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({}, ["Training faces;", "PublicTest faces"]),
        ({"Training": (1,) * 7}, ["PublicTest faces"]),
        ({"Training": (1, 0, 1, 1, 1, 1, 0), "PublicTest": (0, 0, 0, 1, 0, 0, 0)}, ["disgust and neutral"]),
        ({"PrivateTest": (1,) * 7}, ["Training faces;", "PublicTest faces"]),
    ],
)
def test_what_faces_lack_to_be_trained_on_is_one_sentence(counts: dict[str, tuple[int, ...]], words: list[str]) -> None:
    said = resources.lacking_for_training(counts)
    assert said.startswith("To train on these data, they need ")
    assert all(word in said for word in words)


def test_a_few_faces_of_every_class_and_some_of_public_test_are_enough() -> None:
    assert resources.lacking_for_training({"Training": (1,) * 7, "PublicTest": (0, 0, 0, 1, 0, 0, 0)}) == ""
