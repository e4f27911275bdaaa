"""Widgets that are bound to the URL under a common prefix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st


@dataclass(frozen=True)
class Fields:
    """Widgets that are bound to the URL under ``<prefix>.<field>``."""

    prefix: str

    def _common(self, key: str, help_text: str) -> dict[str, Any]:
        return {"key": f"{self.prefix}.{key}", "bind": "query-params", "help": help_text or None}

    def whole(self, label: str, key: str, value: int, low: int, high: int, help_text: str = "") -> int:
        return int(st.number_input(label, low, high, value, 1, **self._common(key, help_text)))

    def number(
        self,
        label: str,
        key: str,
        value: float,
        low: float,
        high: float,
        form: str,
        step: float,
        help_text: str = "",
    ) -> float:
        return float(st.number_input(label, low, high, float(value), step, format=form, **self._common(key, help_text)))

    def choice(
        self,
        label: str,
        key: str,
        options: tuple[str, ...],
        value: str,
        words: dict[str, str],
        help_text: str = "",
    ) -> str:
        shown = st.selectbox(
            label,
            options,
            options.index(value),
            format_func=lambda option: words.get(option, option),
            **self._common(key, help_text),
        )
        return str(shown)

    def switch(self, label: str, key: str, value: bool, help_text: str = "") -> bool:
        return bool(st.toggle(label, value, **self._common(key, help_text)))

    def text(self, label: str, key: str, value: str, help_text: str = "", placeholder: str = "") -> str:
        return str(
            st.text_input(label, value, max_chars=400, placeholder=placeholder, **self._common(key, help_text)) or ""
        )
