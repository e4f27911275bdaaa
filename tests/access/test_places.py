from __future__ import annotations

from pathlib import Path

import pytest

from fer_core.access.places import names_a_place


@pytest.mark.parametrize(
    "words",
    [
        "/etc/passwd", "There is nothing at /home/me/x.csv.", "error:/proc/self/environ", "“/mount/src/x” is damaged",
        "(/x)", "put it into ~/.kaggle/kaggle.json", "~me/x", r"C:\Users\me", "D:/faces", r"\\server\share",
    ],
)  # fmt: skip
def test_a_path_of_the_server_is_found(words: str) -> None:
    assert names_a_place(words)


def test_the_home_is_found_wherever_it_stands(home: Path) -> None:
    assert names_a_place(f"x{home}x")


@pytest.mark.parametrize(
    "words",
    [
        "", "and/or", "96/48 pixels", "n / m", "runs/mine/metrics.json", "train/<class>/*.jpg", "about ~5 s",
        "https://doi.org/10.1177/1529100619832930", "The file fer2013.csv has 3 columns: a, b and c.",
    ],
)  # fmt: skip
def test_an_address_or_a_name_is_no_place(words: str) -> None:
    assert not names_a_place(words)
