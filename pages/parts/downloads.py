"""Download buttons: of a table, and of one run's files. Read or made only when somebody asks for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from fer_core.runs.folder import RunFolder
from pages.parts import messages


def show(folder: RunFolder) -> None:
    """A button for each file that the run holds, with its size."""
    evaluation = folder.evaluation()
    files = [
        (folder.keras_path, "Keras model", "application/octet-stream"),
        (folder.tflite_path, "LiteRT model", "application/octet-stream"),
        *([(evaluation.predictions_path, "Predictions", "text/csv")] if evaluation else []),
        (folder.history_path, "History", "text/csv"),
        (folder.recipe_path, "Recipe", "application/json"),
        (folder.vote_path, "Vote", "application/json"),
        (folder.import_path, "What was brought", "application/json"),
        *([(evaluation.metrics_path, "Metrics", "application/json")] if evaluation else []),
        (folder.card_path, "Card", "text/markdown"),
    ]
    # A recipe may name a file of weights by its path.
    present = [item for item in files if item[0].exists() and (item[0] != folder.recipe_path or _may_read(item[0]))]
    if not present:
        st.caption("There is nothing to download yet.")
        return
    with st.container(horizontal=True, key="downloads"):
        for path, label, mime in present:
            table = evaluation is not None and path == evaluation.predictions_path
            file_name = f"{folder.name}-{'predictions.csv' if table else path.name}"
            size = "CSV" if table else megabytes(path.stat().st_size)
            st.download_button(
                f"{label} ({path.suffix if not table else '.csv'}, {size})" if not table else f"{label} (.csv)",
                data=_predictions_csv(folder) if table else _bytes(path),
                file_name=file_name,
                mime=mime,
                icon=":material/download:",
                on_click="ignore",
                key=f"download.{path.name}",
            )


def csv_button(label: str, data: Callable[[], bytes] | bytes, *, name: str, key: str, help: str | None = None) -> None:
    """A table as a CSV called ``name``. ``data``: the file in UTF-8, or what makes it."""
    st.download_button(
        label,
        data=data,
        file_name=name,
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=key,
        help=help,
    )


def megabytes(size: int) -> str:
    """A file's size: ``3 kB``, ``4.7 MB``."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{max(1, round(size / 1e3))} kB"


def _may_read(path: Path) -> bool:
    return messages.shows(path.read_text(encoding="utf-8", errors="replace"))


def _bytes(path: Path) -> Callable[[], bytes]:
    return path.read_bytes


def _predictions_csv(folder: RunFolder) -> Callable[[], bytes]:
    def read() -> bytes:
        table = folder.predictions()
        return b"" if table is None else table.to_csv(index=False).encode()

    return read
