"""What people read in place of a run's folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from factories import make_run

from fer_core.formatting import harmless, is_plain
from fer_core.runs.listing import list_runs
from fer_core.runs.names import LONGEST, Titled, display_names, with_names
from fer_core.settings import settings


def names(*titles: str, shipped: int = 0) -> list[str]:
    runs = [Titled(f"folder-{at}", title, at < shipped) for at, title in enumerate(titles)]
    return list(display_names(runs).values())


def test_a_title_of_its_own_stands_alone() -> None:
    assert names("My CNN 1", "My CNN 2") == ["My CNN 1", "My CNN 2"]


def test_equal_titles_are_followed_by_their_folders() -> None:
    assert names("My CNN", "My CNN", "Other") == ["My CNN (folder-0)", "My CNN (folder-1)", "Other"]


@pytest.mark.parametrize("other", ["my  cnn", "Ｍy CNN", "My\u200b CNN", "My CNN\n"])
def test_titles_that_look_alike_are_equal(other: str) -> None:
    assert all(name.endswith(")") for name in names("My CNN", other))


def test_what_ships_keeps_its_title() -> None:
    assert names("ResNet50", "ResNet50", shipped=1) == ["ResNet50", "ResNet50 (folder-1)"]


def test_a_title_that_imitates_another_run_is_told_apart() -> None:
    found = names("A", "A", "A (folder-0)")
    assert len(set(found)) == 3


@pytest.mark.parametrize(
    "title",
    [
        "**bold** _it_",
        "<script>alert(1)</script>",
        "[x](javascript:1)",
        ":red[y] $z$",
        "![](http://a/b)",
        "1. one",
        "a\nb",
    ],
)
def test_hostile_titles_mean_nothing_anywhere(title: str) -> None:
    (name,) = names(title)
    assert is_plain(name)
    assert "<" not in name
    assert "\n" not in name
    assert harmless(name) == name


def test_emoji_stay_and_long_titles_are_cut() -> None:
    emoji, long = names("Smile 😀 👨‍👩‍👧", "x" * 300)
    assert emoji == "Smile 😀 👨‍👩‍👧"
    assert len(long) == LONGEST


def test_long_titles_that_are_cut_alike_are_told_apart() -> None:
    assert len(set(names("x" * 299 + "a", "x" * 299 + "b"))) == 2


def test_a_run_cannot_be_called_like_another_option() -> None:
    shown = with_names(["all runs", "mine"], {"mine": "All runs"})
    assert shown == {"all runs": "all runs", "mine": "All runs (mine)"}


def test_runs_are_listed_with_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_EXPLORER_HOME", str(tmp_path))
    monkeypatch.setenv("FER_EXPLORER_MODELS", str(tmp_path / "none"))
    settings.cache_clear()
    for folder, title in (("a", "My CNN"), ("b", "My CNN"), ("c", "Mine")):
        make_run(settings().runs_dir / folder, name=title)
    assert {info.name: info.display_name for info in list_runs()} == {"a": "My CNN (a)", "b": "My CNN (b)", "c": "Mine"}
    settings.cache_clear()
