"""Damages of a run's evaluation: its manifest, metrics and predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from damage_tools import Damages, Do, drop, edit, measured, put, seal_anew, write

from fer_core.runs.folder import RunFolder

EVALUATIONS = Damages()
damage, many, kinds = EVALUATIONS.damage, EVALUATIONS.many, EVALUATIONS.kinds

# --- the evaluation ---

kinds("evaluation.json", "is_a_folder", "is_a_pipe", "is_a_link_to_nothing", "is_empty", "is_cut_in_half")


def evaluation(change: Callable[[Any], Any]) -> Do:
    return lambda run: edit(measured(run) / "evaluation.json", change)


many(
    "evaluation",
    "evaluation",
    {
        "of_a_newer_schema": evaluation(put("schema", to=3)),
        "is_a_list": evaluation(lambda value: [value]),
        "of_another_model": evaluation(put("model", to="f" * 64)),
        "with_model_as_number": evaluation(put("model", to=7)),
        "without_files": evaluation(drop("files")),
        "without_a_hash": evaluation(lambda value: value["files"].pop("metrics.json") and None),
        "created_never": evaluation(put("created", to="")),
        "without_a_fingerprint": evaluation(lambda value: value["data"].pop("fingerprint") and None),
    },
)


@damage("metrics.json")
def evaluation_of_other_data_than_its_metrics(run: RunFolder) -> None:
    edit(measured(run) / "evaluation.json", put("data", "fingerprint", to="e" * 64))


def metrics(change: Callable[[Any], Any]) -> Do:
    """Change the metrics, and list them anew."""

    def do(run: RunFolder) -> None:
        path = measured(run)
        edit(path / "metrics.json", change)
        seal_anew(path / "evaluation.json", path / "metrics.json")

    return do


kinds("metrics.json", "is_missing", "is_a_folder", "is_a_pipe", "is_empty")
S = ("splits", "PrivateTest")
many(
    "metrics.json",
    "metrics",
    {
        "with_another_accuracy": lambda run: edit(measured(run) / "metrics.json", put(*S, "accuracy", to=0.99)),
        "of_a_newer_schema": metrics(put("schema", to=99)),
        "with_text_as_number": metrics(put(*S, "accuracy", to="0.6")),
        "with_nan": metrics(put(*S, "log_loss", to=float("nan"))),
        "with_an_accuracy_of_900_percent": metrics(put(*S, "accuracy", to=9.0)),
        "whose_confusion_counts_other_faces": metrics(put(*S, "n", to=3)),
        "whose_confusion_is_no_square": metrics(put(*S, "confusion", to=[[1, 2], [3]])),
        "of_six_classes": metrics(lambda value: value["splits"]["PrivateTest"]["per_class"].pop() and None),
        "of_an_unknown_split": metrics(lambda value: value["splits"].update({"Secret": value["splits"]["PublicTest"]})),
        "with_more_faces_than_there_are": metrics(put("data", "faces", to=3)),
        "without_machine": metrics(drop("machine")),
        "with_control_characters": metrics(put("machine", to="a\x1b[2Jb")),
        "with_sizes_as_list": metrics(put("megabytes", to=[1])),
        "with_a_temperature_of_zero": metrics(
            put("temperature", to={"value": 0.0, "fitted_on": "PublicTest", "splits": {}})
        ),
    },
)

# --- predictions ---

kinds("predictions.parquet")


def predictions(change: Callable[[dict[str, Any]], None]) -> Do:
    """Change the columns of the predictions, and list them anew."""

    def do(run: RunFolder) -> None:
        path = measured(run)
        table = pq.read_table(path / "predictions.parquet")
        columns = {name: np.array(table[name].to_pylist()) for name in table.column_names}
        change(columns)
        made = pa.table(columns).replace_schema_metadata(table.schema.metadata)
        pq.write_table(made, path / "predictions.parquet")
        seal_anew(path / "evaluation.json", path / "predictions.parquet")

    return do


def at(name: str, value: Any) -> Do:
    """Predictions whose first face has another value in one column."""

    def change(columns: dict[str, Any]) -> None:
        columns[name] = np.concatenate([[value], columns[name][1:]])

    return predictions(change)


def set_column(name: str, make: Callable[[Any], Any]) -> Do:
    def change(columns: dict[str, Any]) -> None:
        columns[name] = make(columns[name])

    return predictions(change)


def other_answers(columns: dict[str, Any]) -> None:
    columns["p0"], columns["p3"] = columns["p3"], columns["p0"]


def shorten(columns: dict[str, Any]) -> None:
    for name in columns:
        columns[name] = columns[name][:100]


def no_faces(columns: dict[str, Any]) -> None:
    for name in columns:
        columns[name] = columns[name][:0]


many(
    "predictions.parquet",
    "predictions",
    {
        "are_text": lambda run: write(measured(run) / "predictions.parquet", b"row,label\n1,2\n"),
        "with_nan": at("p0", np.nan),
        "with_infinity": at("p0", np.inf),
        "with_text_for_numbers": set_column("p3", lambda values: [f"{value}" for value in values]),
        "with_whole_numbers_for_probabilities": set_column("p3", lambda values: np.zeros(len(values), dtype=int)),
        "with_gaps": set_column("p3", lambda values: [None, *values[1:]]),
        "that_do_not_add_up": at("p0", 0.9999),
        "with_a_negative_probability": predictions(
            lambda columns: columns.update(p0=columns["p0"] - 2.0, p1=columns["p1"] + 2.0)
        ),
        "with_a_negative_row": at("row", -1),
        "with_a_row_twice": set_column("row", lambda rows: [rows[1], *rows[1:]]),
        "with_rows_that_are_not_there": set_column("row", lambda rows: rows + 100_000),
        "with_half_rows": set_column("row", lambda rows: rows + 0.5),
        "with_label_seven": at("label", 7),
        "with_label_minus_one": at("label", -1),
        "with_labels_as_names": set_column("label", lambda labels: ["happy"] * len(labels)),
        "of_an_unknown_split": set_column("split", lambda splits: ["Secret", *splits[1:]]),
        "with_splits_as_numbers": set_column("split", lambda splits: np.arange(len(splits))),
        "without_a_column": predictions(lambda columns: columns.pop("p6") is None),
        "with_other_answers": predictions(other_answers),
        "of_fewer_faces": predictions(shorten),
        "of_no_face": predictions(no_faces),
    },
)


@damage("predictions.parquet")
def predictions_of_another_dataset(run: RunFolder) -> None:
    """300 faces of something else under the name of the data that the run was measured on."""
    path, n = measured(run) / "predictions.parquet", 300
    values = np.full((n, 7), 1 / 7, dtype=np.float32)
    columns = {"row": np.arange(n), "split": ["PrivateTest"] * n, "label": np.zeros(n, dtype=np.int8)}
    pq.write_table(pa.table({**columns, **{f"p{label}": values[:, label] for label in range(7)}}), path)
    seal_anew(path.parent / "evaluation.json", path)


@damage("predictions.parquet")
def predictions_that_name_other_faces(run: RunFolder) -> None:
    path = measured(run) / "predictions.parquet"
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({b"fer_predictions": b'{"fingerprint": "' + b"d" * 64 + b'"}'}), path)
    seal_anew(path.parent / "evaluation.json", path)
