"""Undo and redo over the states of a poked face, each state the text of its link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fer_core.explain.poke.links import MOST_STEPS, from_text, to_text
from fer_core.explain.poke.steps import Step

LONGEST = 4 * MOST_STEPS
"""States that are remembered."""


@dataclass(frozen=True)
class History:
    """States in the order they were made, and the one shown.

    Attributes:
        texts: the links' texts; the empty one is the untouched face.
        at: which of them is shown.
        kind: what made the last one, such as a slider's name: its next move replaces that state.
    """

    texts: tuple[str, ...] = ("",)
    at: int = 0
    kind: str = ""

    @classmethod
    def from_link(cls, text: str) -> History:
        """The history of somebody who comes by a link: its steps made one after another.

        Raises ``ExplainError`` for a broken link.
        """
        steps = from_text(text)
        texts = tuple(to_text(steps[:n]) for n in range(len(steps) + 1))
        # The text itself, which may write a number otherwise than we would.
        return cls((*texts[:-1], text), len(steps))

    @property
    def text(self) -> str:
        return self.texts[self.at]

    @property
    def can_undo(self) -> bool:
        return self.at > 0

    @property
    def can_redo(self) -> bool:
        return self.at + 1 < len(self.texts)

    def push(self, steps: Sequence[Step], kind: str = "") -> History:
        """The history after a change. What was undone before it is forgotten.

        ``kind``: the slider that was moved; as long as it alone moves, that is one state to undo. Empty for what stands
        alone, as a stroke does. Raises ``ExplainError`` where a link cannot carry the steps.
        """
        text = to_text(steps)
        if text == self.text:
            return self
        again = bool(kind) and kind == self.kind and not self.can_redo and self.at > 0
        before = self.texts[: self.at if again else self.at + 1]
        if before[-1] == text:
            # The slider is back where it was.
            return History(before, len(before) - 1)
        texts = (*before, text)[-LONGEST:]
        return History(texts, len(texts) - 1, kind)

    def undo(self) -> History:
        """One state back; itself at the first."""
        return History(self.texts, max(0, self.at - 1))

    def redo(self) -> History:
        """One state forward; itself at the last."""
        return History(self.texts, min(len(self.texts) - 1, self.at + 1))

    def arrived(self, text: str) -> History:
        """The history when an address shows ``text``: by the browser's Back or Forward, or by another link.

        Raises ``ExplainError`` for a broken link.
        """
        if text == self.text:
            return self
        known = [at for at, one in enumerate(self.texts) if one == text]
        if known:
            return History(self.texts, min(known, key=lambda at: abs(at - self.at)))
        return self.from_link(text)
