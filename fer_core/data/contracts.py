"""What the files of a dataset folder hold, and what others remember of a dataset. See ``docs/ARCHITECTURE.md``."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict

from fer_core.value_types import Count, Line, Moment, Name, Sha256, Text


class DatasetRecord(TypedDict):
    """``data`` of every file that is about a dataset: what a run remembers of the faces it saw.

    ``classes`` and ``splits`` say which there are, where the record was written by a version that knows; a dataset may
    lack any of them. ``fingerprint``: two datasets with the same one hold the very same faces in the same order.
    """

    name: Name
    title: Line
    kind: Line
    fingerprint: Sha256
    faces: Count
    classes: NotRequired[list[Name]]
    splits: NotRequired[list[Name]]


class LeftOutRecord(TypedDict):
    """What an import left out: its kind in the plural, how many, and the first few names."""

    kind: Text
    count: Count
    examples: list[Text]


class DatasetManifest(TypedDict):
    """``dataset.json``. ``counts`` maps each split to its seven class counts.

    Since schema 2: ``classes`` and ``splits`` that there are, in our order, ``layout``, how the source was understood,
    and ``left_out``. ``labelled``: false where nobody labelled the faces: labels and counts are what models answer.
    """

    schema: int
    name: Name
    title: Line
    kind: Line
    source: Text
    created: Moment
    counts: dict[str, list[Count]]
    faces: Count
    fingerprint: Sha256
    notes: list[Text]
    classes: NotRequired[list[Name]]
    splits: NotRequired[list[Name]]
    layout: NotRequired[Text]
    left_out: NotRequired[list[LeftOutRecord]]
    labelled: NotRequired[bool]
