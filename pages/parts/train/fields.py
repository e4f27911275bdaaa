"""Widgets that are bound to the URL under a common prefix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fer_core.runs.recipe import RANGES
from pages.parts import linked


@dataclass(frozen=True)
class Fields:
    """Widgets that are bound to the URL under ``<prefix>.<field>``."""

    prefix: str

    def _common(self, key: str, help_text: str) -> dict[str, Any]:
        return {"key": f"{self.prefix}.{key}", "help": help_text or None}

    def whole(self, label: str, key: str, value: int, help_text: str = "", *, of: str = "") -> int:
        """A number in the recipe's range; ``of``: what the recipe calls it, where the address has a shorter word."""
        low, high = map(int, RANGES[of or key])
        return linked.number_input(label, low, high, value, 1, **self._common(key, help_text))

    def number(
        self,
        label: str,
        key: str,
        value: float,
        form: str,
        step: float,
        help_text: str = "",
        *,
        of: str = "",
    ) -> float:
        """The same of a number that need not be whole, written as ``form`` says, such as ``%.2f``."""
        low, high = map(float, RANGES[of or key])
        return linked.number_input(label, low, high, float(value), step, format=form, **self._common(key, help_text))

    def choice(
        self,
        label: str,
        key: str,
        options: tuple[str, ...],
        value: str,
        words: dict[str, str],
        help_text: str = "",
    ) -> str:
        def shown(option: str) -> str:
            return words.get(option, option)

        return linked.selectbox(label, options, options.index(value), format_func=shown, **self._common(key, help_text))

    def runs(
        self, label: str, key: str, shows: Mapping[str, str], value: Sequence[str], help_text: str = ""
    ) -> tuple[str, ...]:
        """Some runs, by the names of their folders; ``shows`` says what people read, by these."""
        return tuple(linked.runs(label, list(shows), shows, default=list(value), **self._common(key, help_text)))

    def switch(self, label: str, key: str, value: bool, help_text: str = "") -> bool:
        return linked.toggle(label, value, **self._common(key, help_text))

    def text(self, label: str, key: str, value: str, help_text: str = "", placeholder: str = "") -> str:
        return linked.text_input(label, value, longest=400, placeholder=placeholder, **self._common(key, help_text))


OPTIMIZER_WORDS = {"adam": "Adam (AdamW)", "sgd": "SGD with Nesterov momentum"}
SCHEDULE_WORDS = {
    "cosine": "Cosine: falls smoothly to zero",
    "plateau": "Plateau: halves when PublicTest stops improving",
    "constant": "Constant",
}
LABEL_WORDS = {
    "dataset": "The dataset's: one a face",
    "crowd": "The crowd's: FER+'s votes as shares",
}
WEIGHT_WORDS = {
    "none": "None: every face counts the same",
    "sqrt": "Square root: rare classes count somewhat more",
    "balanced": "Balanced: every class counts the same",
}
SAMPLING_WORDS = {
    "shuffled": "Every face once an epoch",
    "balanced": "Every class equally often",
}
PRECISION_WORDS = {
    "auto": "Automatic: measure both, take the faster",
    "float32": "float32",
    "mixed_bfloat16": "mixed bfloat16",
}
