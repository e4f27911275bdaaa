"""The folder that ``score`` writes: what its manifest and its tables hold, read without trust.

    out/
      score.json            the manifest, written once the files are listed: of what, with what, by which options
      files.jsonl           the files, a line each, in the order of the shards
      faces/00000.parquet   a shard: a row for each face, and for each file without one; there only when complete

Each shard's metadata hold the manifest's seal, so that shards of two scorings never mix.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from typing_extensions import TypedDict

from fer_core.emotions import NAMES
from fer_core.errors import DataError
from fer_core.reading import NewerError, UnreadableError, parse, read_bytes
from fer_core.value_types import Amount, Count, Line, Moment, Name, Positive, Sha256, Text

SCHEMA = 1
MANIFEST, FILES, FACES = "score.json", "files.jsonl", "faces"
KEY = b"fer_score"
"""Of a shard's metadata: a :class:`ShardRecord` as JSON."""
NO_LABELS, FOLDERS = "none", "folders"
"""Where a face's label comes from: from nowhere, or from the name of the folder that its file lies in."""

FILE, TIME, FACE, SCORE, LABEL, PROBLEM, PIXELS = "file", "time_s", "face", "score", "label", "problem", "pixels"
BOX = ("x", "y", "width", "height")
"""Columns: the file within the source; seconds from a video's start, empty for pictures; the face's number from 1,
empty for a file without one; its box in pixels of the picture; the detector's score; the label's word; why the file
could not be read, or not all of it; and the face as the models saw it, 48×48 grey bytes, row by row."""


class ScoredModel(TypedDict):
    """A model that was asked. ``sha256``: of its file."""

    name: Name
    title: Line
    sha256: Sha256
    temperature: Positive


class ScoreOptions(TypedDict):
    """How files were read. ``every_s``: seconds between two moments of a video. ``labels``: where they come from."""

    average: Line
    already_cut: bool
    calibrated: bool
    every_s: Amount
    labels: Line


class ScoreManifest(TypedDict):
    """``score.json``. ``listing``: a hash of all files' names and sizes, in whatever order they are listed. ``seal``:
    the hash of all the rest but ``created``."""

    schema: int
    source: Text
    created: Moment
    files: Count
    shards: Count
    listing: Sha256
    detector: Line
    models: list[ScoredModel]
    options: ScoreOptions
    seal: Sha256


class ShardRecord(TypedDict):
    """What a shard says of itself. ``unreadable``: files with a problem; ``without_face``: read, and nobody in them."""

    seal: Sha256
    shard: Count
    files: Count
    faces: Count
    unreadable: Count
    without_face: Count


def answer_column(model: str) -> str:
    """The column of a model's answers, the word of a class."""
    return f"{model}:answer"


def probability_columns(model: str) -> list[str]:
    """The columns of a model's seven probabilities, in label order."""
    return [f"{model}:{name}" for name in NAMES]


def seal_of(manifest: ScoreManifest) -> str:
    """The hash of what must not change between two starts: 64 hex digits."""
    about = {name: value for name, value in manifest.items() if name not in ("created", "seal")}
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


def read_manifest(folder: Path) -> ScoreManifest:
    """A scored folder's manifest. Raises ``DataError`` where it is missing, damaged, or was changed by hand."""
    try:
        manifest = parse(read_bytes(folder / MANIFEST), ScoreManifest, (SCHEMA,))
    except NewerError as error:
        raise DataError(f"{folder / MANIFEST} {error}.") from None
    except UnreadableError as error:
        raise DataError(f"{folder / MANIFEST} cannot be read: {error}. Score into another folder.") from None
    if seal_of(manifest) != manifest["seal"]:
        raise DataError(f"{folder / MANIFEST} was changed after it was written. Score into another folder.")
    return manifest


def shard_path(folder: Path, number: int) -> Path:
    """Where a shard lies, there or not; shards are counted from 0."""
    return folder / FACES / f"{number:05}.parquet"


def read_shard_record(folder: Path, number: int, seal: str) -> ShardRecord | None:
    """What a finished shard says of itself; None where there is none yet, or its file is damaged.

    Raises ``DataError`` for one of another scoring, and one that another program has written anew.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = shard_path(folder, number)
    if path.is_dir():
        raise DataError(f"{path} is a folder and no shard. Take it away, or score into another folder.")
    try:
        metadata = pq.read_metadata(path).metadata or {}
        if KEY not in metadata:
            raise DataError(f"{path} was written anew by another program. Take it away to have it scored again.")
        record = parse(metadata[KEY], ShardRecord)
    except (FileNotFoundError, pa.ArrowException, UnreadableError):
        return None
    except OSError as error:
        # Arrow says so of files that are too short, too.
        if not path.is_file() or error.errno is None:
            return None
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    if record["seal"] != seal or record["shard"] != number:
        raise DataError(f"{path} is a shard of another scoring. Take it away, or score into another folder.")
    return record


def finished_shards(folder: Path, manifest: ScoreManifest) -> Iterator[Path]:
    """All shards in order. Raises ``DataError`` where one is missing: the scoring has not ended.

    They may have been written anew, with a column of labels, say; then they bear no seal any more.
    """
    paths = [shard_path(folder, number) for number in range(manifest["shards"])]
    if missing := sum(not path.is_file() for path in paths):
        raise DataError(
            f"{folder} is not finished: {missing:,} of {manifest['shards']:,} shards are missing. Give the command "
            "that wrote it once more; it goes on where it ended."
        )
    return iter(paths)


def check_no_others(folder: Path, manifest: ScoreManifest) -> None:
    """Raise ``DataError`` where other files lie beside the shards: whoever reads them all would read those, too."""
    faces = folder / FACES
    if not faces.is_dir():
        return
    own = {shard_path(folder, number).name for number in range(manifest["shards"])}
    for path in faces.iterdir():
        if path.name not in own and not path.name.startswith("."):
            raise DataError(f"{path} is none of the {manifest['shards']:,} shards. Take it away.")


def changed(before: ScoreManifest, now: ScoreManifest) -> Sequence[str]:
    """What differs between two manifests, in words; empty where a scoring may go on."""
    words = []
    if before["source"] != now["source"]:
        words.append(f"its source is {before['source']}")
    elif before["listing"] != now["listing"]:
        words.append(f"its source had {before['files']:,} files, now there are {now['files']:,}, or other ones")
    if before["models"] != now["models"]:
        words.append(f"its models are {', '.join(one['name'] for one in before['models'])}, or they were others then")
    if before["options"] != now["options"]:
        said = [f"{name} {value}" for name, value in before["options"].items()]
        words.append(f"its options are {', '.join(said)}")
    if before["detector"] != now["detector"]:
        words.append(f"its faces were found by {before['detector']}")
    return words
