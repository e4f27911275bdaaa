"""Ways to harm a good run folder, by name: what a disk, an editor, another program or a stranger may do to it.

Each takes the run of :func:`factories.make_run` (or a vote of it) and harms it. Those that are about the content of a
file list it again in its manifest, with its new hash, so that not the hash but the content gives it away.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fer_core.files import sha256_of
from fer_core.runs.folder import RunFolder

Do = Callable[[RunFolder], None]


@dataclass(frozen=True)
class Damage:
    """``file``: what the sentence about it must name. ``of``: what kind of run it harms."""

    name: str
    file: str
    do: Do
    of: str = "run"


DAMAGES: list[Damage] = []


def damage(file: str, of: str = "run") -> Callable[[Do], Do]:
    """List a function among the damages, under its own name."""

    def add(do: Do) -> Do:
        DAMAGES.append(Damage(do.__name__, file, do, of))
        return do

    return add


def many(file: str, prefix: str, ways: dict[str, Do], of: str = "run") -> None:
    """List several damages of one file."""
    DAMAGES.extend(Damage(f"{prefix}_{name}", file, do, of) for name, do in ways.items())


# --- tools ---


def measured(run: RunFolder) -> Path:
    """The folder of the run's one evaluation."""
    (path,) = (run.path / "evaluations").iterdir()
    return path


def seal_anew(manifest: Path, file: Path) -> None:
    """Make a manifest promise what a file now is."""
    value = json.loads(manifest.read_text())
    value["files"][file.name] = {"sha256": sha256_of(file), "bytes": file.stat().st_size}
    manifest.write_text(json.dumps(value))


def edit(path: Path, change: Callable[[Any], Any]) -> None:
    """Change JSON in place, or replace it by what ``change`` returns. NaN is written as Python writes it."""
    value = json.loads(path.read_text())
    result = change(value)
    path.write_text(json.dumps(value if result is None else result))


def put(*keys: str | int, to: Any) -> Callable[[Any], None]:
    """A change for :func:`edit`: set the value at ``keys``."""

    def change(value: Any) -> None:
        for key in keys[:-1]:
            value = value[key]
        value[keys[-1]] = to

    return change


def drop(key: str) -> Callable[[Any], None]:
    def change(value: Any) -> None:
        del value[key]

    return change


def manifest(change: Callable[[Any], Any]) -> Do:
    return lambda run: edit(run.manifest_path, change)


def sealed(name: str, change: Callable[[Any], Any]) -> Do:
    """Change a JSON file of the run, and list it anew."""

    def do(run: RunFolder) -> None:
        edit(run.path / name, change)
        seal_anew(run.manifest_path, run.path / name)

    return do


def sealed_text(name: str, change: Callable[[str], str]) -> Do:
    def do(run: RunFolder) -> None:
        path = run.path / name
        path.write_text(change(path.read_text()))
        seal_anew(run.manifest_path, path)

    return do


def metrics(change: Callable[[Any], Any]) -> Do:
    """Change the metrics, and list them anew."""

    def do(run: RunFolder) -> None:
        path = measured(run)
        edit(path / "metrics.json", change)
        seal_anew(path / "evaluation.json", path / "metrics.json")

    return do


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


def of(name: str) -> Callable[[RunFolder], Path]:
    """Where a file of a run is: in the run, or in its evaluation."""
    return lambda run: run.path / name if (run.path / name).exists() else measured(run) / name


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def instead(path: Path, make: Callable[[Path], Any]) -> None:
    path.unlink()
    make(path)


def _socket(path: Path) -> None:
    here = Path.cwd()
    with socket.socket(socket.AF_UNIX) as server:
        # A socket's path may have 108 bytes, and a test's is longer.
        os.chdir(path.parent)
        try:
            server.bind(path.name)
        finally:
            os.chdir(here)


KINDS: dict[str, Callable[[Path], Any]] = {
    "is_missing": lambda path: path.unlink(),
    "is_a_folder": lambda path: instead(path, lambda place: place.mkdir()),
    "is_a_pipe": lambda path: instead(path, os.mkfifo),
    "is_a_link_to_itself": lambda path: instead(path, lambda place: place.symlink_to(place.name)),
    "is_a_link_to_nothing": lambda path: instead(path, lambda place: place.symlink_to("nowhere")),
    "is_empty": lambda path: write(path, b""),
    "is_cut_in_half": lambda path: write(path, path.read_bytes()[: path.stat().st_size // 2]),
}
"""What may be where a file should be."""


def kinds(name: str, *chosen: str) -> None:
    """List what may be where the file ``name`` should be: all of :data:`KINDS`, or those ``chosen``."""
    for kind in chosen or KINDS:
        where, make = of(name), KINDS[kind]
        DAMAGES.append(Damage(f"{name}_{kind}", name, lambda run, where=where, make=make: make(where(run))))


# --- run.json ---

kinds(
    "run.json",
    "is_a_folder",
    "is_a_pipe",
    "is_a_link_to_itself",
    "is_a_link_to_nothing",
    "is_empty",
    "is_cut_in_half",
)
many(
    "run.json",
    "manifest",
    {
        "of_a_newer_schema": manifest(put("schema", to=99)),
        "of_schema_zero": manifest(put("schema", to=0)),
        "with_schema_as_text": manifest(put("schema", to="2")),
        "without_schema": manifest(drop("schema")),
        "is_a_list": manifest(lambda value: [value]),
        "is_null": lambda run: write(run.manifest_path, b"null"),
        "is_binary": lambda run: write(run.manifest_path, bytes(range(256)) * 8),
        "in_utf_16": lambda run: run.manifest_path.write_text(run.manifest_path.read_text(), encoding="utf-16"),
        "with_a_byte_order_mark": lambda run: write(
            run.manifest_path, b"\xef\xbb\xbf" + run.manifest_path.read_bytes()
        ),
        "nested_deeply": lambda run: write(run.manifest_path, b'{"schema":' * 100_000),
        "nested_in_a_key": manifest(put("versions", to=json.loads("[" * 300 + "]" * 300))),
        "too_large": lambda run: os.truncate(run.manifest_path, 33 * 1024**2),
        "with_nan": manifest(put("epochs", to=float("nan"))),
        "with_infinity": manifest(put("data", "faces", to=float("inf"))),
        "with_epochs_as_text": manifest(put("epochs", to="5")),
        "with_epochs_as_truth": manifest(put("epochs", to=True)),
        "with_half_an_epoch": manifest(put("epochs", to=4.5)),
        "with_negative_epochs": manifest(put("epochs", to=-3)),
        "with_huge_epochs": manifest(put("epochs", to=10**30)),
        "with_a_best_epoch_beyond_the_last": manifest(put("best_epoch", to=6)),
        "with_best_epoch_zero": manifest(put("best_epoch", to=0)),
        "without_best_epoch": manifest(drop("best_epoch")),
        "created_yesterday": manifest(put("created", to="yesterday")),
        "created_as_number": manifest(put("created", to=1_700_000_000)),
        "created_in_year_one": manifest(put("created", to="0001-01-01T00:00:00+00:00")),
        "with_control_characters_in_its_title": manifest(put("title", to="\x1b[31mred\x00\n")),
        "with_half_a_character_in_its_title": manifest(put("title", to="\ud800")),
        "with_a_title_of_5000_letters": manifest(put("title", to="x" * 5_000)),
        "with_an_empty_title": manifest(put("title", to="")),
        "with_a_list_as_name": manifest(put("name", to=["a"])),
        "with_an_unknown_state": manifest(put("state", to="resting")),
        "that_calls_itself_damaged": manifest(put("state", to="damaged")),
        "of_an_unknown_origin": manifest(put("origin", to="found")),
        "without_data": manifest(drop("data")),
        "with_data_as_text": manifest(put("data", to="FER-2013")),
        "with_a_fingerprint_that_is_none": manifest(put("data", "fingerprint", to="../../../etc")),
        "with_negative_faces": manifest(put("data", "faces", to=-1)),
        "with_control_characters_in_its_data": manifest(put("data", "title", to="a\r\nb")),
        "with_files_as_list": manifest(put("files", to=[])),
        "without_the_hash_of_its_model": manifest(lambda value: value["files"].pop("model.tflite") and None),
        "with_a_hash_that_is_none": manifest(put("files", "model.tflite", "sha256", to="abc")),
        "with_negative_bytes": manifest(put("files", "model.tflite", "bytes", to=-1)),
        "with_a_file_outside": manifest(put("files", "../../other/run.json", to={"sha256": "0" * 64, "bytes": 1})),
        "with_versions_as_list": manifest(put("versions", to=[1, 2])),
    },
)

# --- a change that was cut short ---

many(
    ".commit.json",
    "commit",
    {
        "is_nested_deeply": lambda run: write(run.path / ".commit.json", b"[" * 100_000),
        "that_reaches_outside": lambda run: (
            (run.path / ".commit.json").write_text(
                '{"prepared": ".change-x", "moves": ["../../good/run.json"], "removals": ["../../good"]}'
            )
            and (run.path / ".change-x").mkdir()
        ),
        "with_moves_as_text": lambda run: (run.path / ".commit.json").write_text(
            '{"prepared": ".change-x", "moves": "run.json", "removals": []}'
        ),
    },
)

# --- recipe, layers, journal, history, models ---

kinds("recipe.json", "is_missing", "is_a_pipe", "is_cut_in_half")
many(
    "recipe.json",
    "recipe",
    {
        "with_other_line_ends": lambda run: write(
            run.recipe_path, run.recipe_path.read_bytes().replace(b"\n", b"\r\n")
        ),
        "of_an_unknown_architecture": sealed("recipe.json", put("architecture", to="mlp_mixer")),
        "with_negative_epochs": sealed("recipe.json", put("epochs", to=-3)),
        "with_text_as_rate": sealed("recipe.json", put("learning_rate", to="0.001")),
        "with_an_infinite_rate": sealed("recipe.json", put("learning_rate", to=float("inf"))),
        "with_a_name_of_5000_letters": sealed("recipe.json", put("name", to="x" * 5_000)),
        "with_an_unknown_choice": sealed("recipe.json", put("dropout_everything", to=1)),
        "with_augmentation_as_list": sealed("recipe.json", put("augmentation", to=[])),
    },
)
kinds("architecture.json", "is_missing", "is_a_folder")
many(
    "architecture.json",
    "layers",
    {
        "that_read_what_is_not_there": sealed("architecture.json", put("layers", 1, "inputs", to=["ghost"])),
        "with_text_as_number": sealed("architecture.json", put("parameters", to="652")),
        "without_a_shape": sealed("architecture.json", put("layers", 0, to={"name": "image"})),
        "that_are_none": sealed("architecture.json", put("layers", to=[])),
        "with_a_grid_of_three_sides": sealed("architecture.json", put("map_grid", to=[6, 6, 6])),
    },
)
kinds("events.jsonl", "is_missing", "is_a_pipe", "is_empty")


@damage("events.jsonl")
def journal_with_half_a_line_more(run: RunFolder) -> None:
    with run.journal_path.open("a") as file:
        file.write('{"event": "ba')


def swapped(name: str, old: bytes, new: bytes) -> Do:
    """Another content of the same size that nothing but the hash gives away."""

    def do(run: RunFolder) -> None:
        path = of(name)(run)
        content = path.read_bytes()
        assert old in content
        assert len(old) == len(new)
        path.write_bytes(content.replace(old, new))

    return do


for file, old, new in (
    ("recipe.json", b'"seed": 0', b'"seed": 1'),
    ("architecture.json", b'"parameters": 652', b'"parameters": 653'),
    ("events.jsonl", b'"images_per_second": 520.0', b'"images_per_second": 521.0'),
    ("history.csv", b"12.5", b"12.6"),
    ("metrics.json", b'"a test"', b'"a rest"'),
):
    DAMAGES.append(Damage(f"{file}_of_the_same_size_changed", file, swapped(file, old, new)))

kinds("history.csv", "is_missing", "is_a_folder")
many(
    "history.csv",
    "history",
    {
        "is_empty": sealed_text("history.csv", lambda text: ""),
        "with_text": sealed_text("history.csv", lambda text: text.replace("12.5", "long")),
        "without_a_column": sealed_text("history.csv", lambda text: text.replace("val_loss", "loss_of_val")),
        "with_gaps": sealed_text("history.csv", lambda text: text.replace("12.5", "")),
        "with_nan": sealed_text("history.csv", lambda text: text.replace("12.5", "nan")),
        "that_ends_before_the_best_epoch": sealed_text("history.csv", lambda text: text.splitlines()[0] + "\n"),
        "in_another_order": sealed_text(
            "history.csv", lambda text: "\n".join([text.splitlines()[0], *text.splitlines()[:0:-1], ""])
        ),
    },
)
kinds("model.tflite", "is_missing", "is_a_folder", "is_a_pipe", "is_empty", "is_cut_in_half")
kinds("model.keras", "is_missing", "is_a_link_to_itself", "is_cut_in_half")

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


# --- runs that are not complete ---


def unfinished(run: RunFolder) -> None:
    """What is there of a run whose training was killed."""
    run.manifest_path.unlink()
    shutil.rmtree(run.path / "evaluations")


def journal(line: str) -> Do:
    def do(run: RunFolder) -> None:
        unfinished(run)
        run.journal_path.write_text(line + "\n")

    return do


def unfinished_recipe(run: RunFolder) -> None:
    unfinished(run)
    run.recipe_path.write_text('{"architecture": ')


many("recipe.json", "unfinished", {"with_half_a_recipe": unfinished_recipe})
many(
    "events.jsonl",
    "unfinished",
    {
        "whose_journal_is_a_list": journal("[1, 2]"),
        "whose_start_has_no_steps": journal('{"event": "start", "epochs": 5, "batch_size": 8}'),
        "whose_start_has_no_time_but_a_word": journal(
            '{"event": "start", "time": "soon", "epochs": 5, "steps": 4, "batch_size": 8}'
        ),
        "whose_epoch_is_text": journal('{"event": "checkpoint", "epoch": "1"}'),
        "whose_loss_is_nan": journal('{"event": "done", "seconds": NaN}'),
    },
)

# --- votes ---

many(
    "vote.json",
    "vote",
    {
        "with_weights_that_do_not_add_up": sealed("vote.json", put("members", 0, "weight", to=0.9)),
        "without_members": sealed("vote.json", put("members", to=[])),
        "with_a_member_elsewhere": sealed("vote.json", put("members", 0, "name", to="../one")),
        "with_text_as_temperature": sealed("vote.json", put("members", 0, "temperature", to="1")),
        "of_a_newer_schema": sealed("vote.json", put("schema", to=99)),
        "is_a_list": sealed("vote.json", lambda value: [value]),
        "was_edited": lambda run: edit(run.vote_path, put("method", to="by hand")),
    },
    of="vote",
)
