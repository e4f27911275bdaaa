"""What chose the models: said in one place, wherever PrivateTest's figures stand, and about the models that ship."""

from __future__ import annotations

import pytest

from fer_core.leaderboard.entries import shipped
from fer_core.runs.card import card_of
from fer_core.runs.listing import list_runs
from fer_core.runs.protocol import CHOSEN_IN_VIEW, EXCEPTION, WHAT_CHOSE, footnote
from fer_core.settings import PROJECT_ROOT


def test_the_guide_to_the_models_says_the_same() -> None:
    text = " ".join((PROJECT_ROOT / "docs" / "models.md").read_text(encoding="utf-8").split())
    assert WHAT_CHOSE in text
    assert EXCEPTION in text
    assert "never looks at" not in text


def test_the_two_models_carry_the_footnote_on_card_and_leaderboard() -> None:
    cards = {info.name for info in list_runs() if EXCEPTION in card_of(info.folder)}
    assert cards == set(CHOSEN_IN_VIEW)
    assert {entry.run for entry in shipped() if EXCEPTION in entry.note} == set(CHOSEN_IN_VIEW)


@pytest.mark.parametrize("name", CHOSEN_IN_VIEW)
def test_cards_in_the_folders_are_the_cards_of_now(name: str) -> None:
    assert (PROJECT_ROOT / "models" / name / "CARD.md").read_text(encoding="utf-8") == card_of(
        next(info.folder for info in list_runs() if info.name == name)
    )


def test_the_model_that_ships_is_the_one_that_the_words_are_about() -> None:
    """Another training ships now? Then say what chose it, and mend these words."""
    info = next(info for info in list_runs() if info.name == "custom_cnn_augmented")
    assert info.epochs == 75


def test_a_run_of_yours_with_such_a_name_has_no_footnote() -> None:
    assert footnote("vote", shipped=False) == ""
