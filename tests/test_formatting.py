"""Numbers in words."""

from __future__ import annotations

import pytest

from fer_core.formatting import count, duration, interval, moment, ordinal, percent, plain, plural, small


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "0 s"), (0, "0 s"), (89.4, "89 s"), (90, "2 min"), (3570, "1 h"), (4800, "1 h 20 min"), (180_000, "2 d 2 h")],
)
def test_duration(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [(7, "7"), (9_999, "9,999"), (14_710, "14.7 thousand"), (23_500_000, "23.5 million"), (1.2e9, "1.2 billion")],
)
def test_count(number, words):
    assert count(number) == words


def test_the_rest():
    assert percent(0.6128) == "61.3 %"
    assert interval({"accuracy_low": 0.597, "accuracy_high": 0.6291}) == "59.7–62.9 %"
    assert moment("2026-03-01T14:05:59.123+00:00") == "2026-03-01 14:05 UTC"
    assert moment("") == ""
    assert plural(1, "epoch") == "1 epoch"
    assert plural(1200, "epoch") == "1,200 epochs"
    assert plural(2, "mouse", "mice") == "2 mice"
    assert [small(value) for value in (1 / 256, 1 / 32768, 0.25, 1, 12.3)] == [
        "0.0039",
        "0.000031",
        "0.25",
        "1.0",
        "12",
    ]
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 112, 1023)] == [
        *("1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th", "1,023rd")
    ]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("**bold** __x__ _y_", r"\*\*bold\*\* \_\_x\_\_ \_y\_"),
        ("<script>", r"\<script\>"),
        ("![](http://a/b)", r"!\[\](http\://a/b)"),
        (":red[x] :smile:", r"\:red\[x\] \:smile:"),
        ("$x$ ~~y~~ `z` |", r"\$x\$ \~\~y\~\~ \`z\` \|"),
        ("# a\n# b", r"\# a \# b"),
        ("- a", r"\- a"),
        ("1. a", r"1\. a"),
        ("&lt;b", r"\&lt;b"),
        ("www.example.com me@example.com", r"www\.example.com me\@example.com"),
        (r"\*", r"\\\*"),
        ("a_b-c, 12.5 & -1: 3", "a_b-c, 12.5 & -1: 3"),
    ],
)
def test_peoples_words_are_text(words: str, shown: str) -> None:
    assert plain(words) == shown
