"""Damages of the files that every run has: manifest, a change cut short, recipe, layers, journal, history, models."""

from __future__ import annotations

import json
import os

from damage_tools import Damage, Damages, Do, drop, manifest, of, put, sealed, sealed_text, write

from fer_core.runs.folder import RunFolder

RUNS = Damages()
damage, many, kinds = RUNS.damage, RUNS.many, RUNS.kinds

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
    RUNS.append(Damage(f"{file}_of_the_same_size_changed", file, swapped(file, old, new)))

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
