"""``embeddings.parquet``: what a model's last layer reads of each test face, and the Training faces it finds alike.

An embedding is the input of the last dense layer: the face as the model sees it just before it answers. The file
holds it for every PublicTest and PrivateTest face, reduced to a few dimensions, beside the row numbers of the nearest
Training faces, which were looked for in all dimensions.

Plain NumPy: the app reads the file. :mod:`fer_core.evaluation.embeddings` makes it with Keras.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fer_core.data.spooled_rows import SpooledRows
from fer_core.emotions import TRAINING
from fer_core.errors import RunError
from fer_core.files import write_parquet
from fer_core.runs.evaluations import EMBEDDINGS, Evaluation
from fer_core.runs.folder import RunFolder

DIMENSIONS = 32
"""At most so many are kept: more would only make the file larger, see ``variance_kept``."""
NEAREST = 5
"""Training faces kept for each face."""
RULE = 1
"""Raise it whenever what is stored changes its meaning."""

_KEY = b"fer_embeddings"
_BLOCK = 256
"""Faces compared with a block of Training at once."""
_READ = 4096
"""Embeddings of Training in memory at once: 34 MB with 2,048 dimensions."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Embeddings:
    """A run's embeddings of n test faces.

    Attributes:
        rows: int64 (n,), ascending row numbers in the dataset.
        vectors: float32 (n, d), d ≤ 32: the principal components of the embedding, centred on Training's mean and not
            whitened, all divided by one number, so that Training's total variance in all dimensions is 1. Their
            cosine is close to that of the whole embeddings.
        nearest: int32 (n, k), row numbers of the nearest Training faces, nearest first. k is 5, or as many as
            Training has faces, so 0 where it has none.
        similarity: float32 (n, k), the cosine with each of these in all dimensions, -1..1. Nothing is left out: a face
            with the same pixels in Training is its own nearest, with 1.
        fingerprint: of the dataset that the rows belong to.
        variance_kept: share of the variance that ``vectors`` keep, 0..1.
    """

    rows: npt.NDArray[np.int64]
    vectors: Floats
    nearest: npt.NDArray[np.int32]
    similarity: Floats
    fingerprint: str
    variance_kept: float

    def __len__(self) -> int:
        return len(self.rows)

    def positions(self, rows: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Where dataset rows are in these arrays: int64, shaped as ``rows``; -1 where a row has no embedding."""
        wanted = np.asarray(rows, dtype=np.int64)
        if not len(self):
            return np.full(wanted.shape, -1, dtype=np.int64)
        found = np.searchsorted(self.rows, wanted).clip(max=len(self) - 1)
        return np.where(self.rows[found] == wanted, found, -1).astype(np.int64)


def read_embeddings(folder: RunFolder, fingerprint: str | None = None) -> Embeddings | None:
    """The run's embeddings of the faces of that :meth:`~fer_core.runs.folder.RunFolder.evaluation`; None when it has
    none: a vote, or a run measured before there were any.

    Raises ``RunError`` when the file is damaged, or was made for other faces than its evaluation.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    evaluation = folder.evaluation_with(EMBEDDINGS, fingerprint)
    if evaluation is None:
        return None
    evaluation.check(EMBEDDINGS)
    path = evaluation.embeddings_path
    try:
        table = pq.read_table(path)
        metadata = json.loads((table.schema.metadata or {})[_KEY])
        if metadata["rule"] != RULE:
            raise _damaged(evaluation, "it was written by another version")
        rows = table["row"].to_numpy().astype(np.int64)
        result = Embeddings(
            rows=rows,
            vectors=_columns(table, "e", np.float32),
            nearest=_columns(table, "nearest", np.int32),
            similarity=_columns(table, "similarity", np.float32),
            fingerprint=str(metadata["fingerprint"]),
            variance_kept=float(metadata["variance_kept"]),
        )
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise _damaged(evaluation, f"it cannot be read ({error})") from error
    _check(evaluation, result)
    if result.fingerprint != evaluation.fingerprint:
        raise _damaged(evaluation, "it was made for other faces than metrics.json")
    return result


def write_embeddings(
    path: Path,
    rows: npt.ArrayLike,
    splits: npt.ArrayLike,
    faces: Floats | SpooledRows,
    training_rows: npt.ArrayLike,
    training: Floats | SpooledRows,
    *,
    fingerprint: str,
) -> None:
    """Reduce, look for neighbours, and write the file atomically.

    ``rows`` int (n,) ascending and ``splits`` str (n,) describe the test faces, n ≥ 1; ``faces`` float32 (n, d) are
    their embeddings in all dimensions. ``training_rows`` int (m,) and ``training`` float32 (m, d) are the same for
    Training, which may be empty: then there are no neighbours, and the components are those of the test faces.
    Both are looked at block by block, so they need not be in memory. Raises ``ValueError`` for shapes that do not fit
    or numbers that are not finite.
    """
    import pyarrow as pa

    row = np.asarray(rows, dtype=np.int32)
    split = np.asarray(splits, dtype=np.str_)
    known = np.asarray(training_rows, dtype=np.int32)
    if not len(row) or (np.diff(row) <= 0).any():
        raise ValueError("rows must be ascending, and at least one")
    if not (row.shape == split.shape == (len(faces),)) or known.shape != (len(training),) or len(faces.shape) != 2:
        raise ValueError(f"{row.shape}, {split.shape}, {faces.shape}; {known.shape}, {training.shape} do not fit")
    source = training if len(training) else faces
    # Centred, or not? For retrieval it makes no difference: of the five nearest to a PublicTest face, centring put
    # 0.5 points fewer of its own class there with custom_cnn (65.4 to 64.9 %) and 0.5 points more with an augmented one
    # of 30 epochs (61.9 to 62.5 %). But what a ReLU gives is never below zero, so all faces point the same way:
    # uncentred, 98 % of those similarities lay above 0.9. Centred they tell near from far, and the principal
    # components, which are centred anyway, agree with them.
    mean = (sum(block.sum(axis=0, dtype=np.float64) for block in _blocks(source)) / len(source)).astype(np.float32)
    if not np.isfinite(mean).all():
        raise ValueError("an embedding is not finite")
    axes, total, variance_kept = principal_axes(source, mean)
    vectors = np.concatenate([(block - mean) @ axes.T for block in _blocks(faces)]) / np.float32(np.sqrt(total) or 1)
    if not np.isfinite(vectors).all():
        raise ValueError("an embedding is not finite")
    positions, similarity = nearest(faces, training, NEAREST, mean)
    metadata = {
        "rule": RULE,
        "fingerprint": fingerprint,
        "dimensions": int(faces.shape[1]),
        "variance_kept": variance_kept,
        "fitted_on": TRAINING if len(training) else "the test faces, because there are no Training faces",
    }
    columns: dict[str, Any] = {"row": row, "split": pa.array(split, pa.string())}
    columns |= _named("e", vectors.astype(np.float16))
    columns |= _named("nearest", known[positions])
    columns |= _named("similarity", similarity.astype(np.float16))
    table = pa.table(columns).replace_schema_metadata({_KEY: json.dumps(metadata, sort_keys=True).encode()})
    # Nearly every value is another one, so a dictionary would only add to them.
    write_parquet(table, path, split_bytes=[name for name in columns if name not in ("row", "split")])


def _blocks(rows: Floats | SpooledRows) -> Iterator[Floats]:
    for start in range(0, len(rows), _READ):
        yield rows[start : start + _READ]


def principal_axes(
    rows: Floats | SpooledRows, mean: Floats | None = None, most: int = DIMENSIONS
) -> tuple[Floats, float, float]:
    """Principal component analysis of ``rows`` float32 (n, d), n ≥ 1, whose column means are ``mean`` (d,), 0 if None.

    Returns the axes, float32 (c, d), orthonormal, largest variance first, c = min(``most``, d); the total variance in
    all dimensions; and the share of it along the axes, 0..1 (1 where nothing varies).
    """
    covariance = np.zeros((rows.shape[1],) * 2)
    for block in _blocks(rows):
        centred = block if mean is None else block - mean
        covariance += centred.T @ centred
    values, vectors = np.linalg.eigh(covariance / len(rows))
    values = values[::-1].clip(min=0)
    axes = vectors[:, ::-1].T[:most]
    # An axis has no sign of its own. With one rule for it, the same model gives the same file.
    largest = np.abs(axes).argmax(axis=1)
    axes = axes * np.where(axes[np.arange(len(axes)), largest] < 0, -1, 1)[:, None]
    total = float(values.sum())
    return axes.astype(np.float32), total, float(values[:most].sum() / total) if total else 1.0


def nearest(
    faces: Floats | SpooledRows, training: Floats | SpooledRows, k: int, mean: Floats | None = None
) -> tuple[npt.NDArray[np.int64], Floats]:
    """The ``k`` rows of ``training`` float32 (m, d) with the largest cosine to each of ``faces`` float32 (n, d).

    ``mean`` (d,) is taken off both first. Returns positions int64 (n, min(k, m)), most similar first, of equals the
    first, and the cosines, float32, -1..1. A row of zeros has cosine 0 with everything.
    """
    k = min(k, len(training))
    positions = np.zeros((len(faces), 0), dtype=np.int64)
    cosines = np.zeros((len(faces), 0), dtype=np.float32)
    middle = np.float32(0) if mean is None else mean
    for first in range(0, len(training), _READ) if k else ():
        known = unit(training[first : first + _READ] - middle)
        places, values = np.empty((len(faces), k), np.int64), np.empty((len(faces), k), np.float32)
        for start in range(0, len(faces), _BLOCK):
            part = slice(start, start + _BLOCK)
            similar = unit(faces[part] - middle) @ known.T
            few = min(k, len(known))
            best = np.sort(np.argpartition(-similar, few - 1, axis=1)[:, :few], axis=1)
            # What was found before comes first, and so stays before its equals.
            where = np.hstack([positions[part], best + first])
            how = np.hstack([cosines[part], np.take_along_axis(similar, best, axis=1)])
            order = np.argsort(-how, axis=1, kind="stable")[:, :k]
            width = order.shape[1]
            places[part, :width] = np.take_along_axis(where, order, axis=1)
            values[part, :width] = np.take_along_axis(how, order, axis=1)
        width = min(k, first + len(known))
        positions, cosines = places[:, :width], values[:, :width]
    return positions, cosines.clip(-1, 1)


def unit(vectors: Floats, out: Floats | None = None) -> Floats:
    """Rows of ``vectors`` float32 (n, d) at length 1; rows of zeros stay zeros."""
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))[:, None]
    return np.divide(vectors, np.where(lengths > 0, lengths, 1), out=out)


def _named(name: str, values: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
    return {f"{name}{index}": values[:, index] for index in range(values.shape[1])}


def _columns(table: Any, name: str, dtype: type) -> npt.NDArray[Any]:
    count = sum(column.rstrip("0123456789") == name for column in table.column_names)
    values = np.empty((len(table), count), dtype=dtype)
    for index in range(count):
        values[:, index] = table[f"{name}{index}"].to_numpy()
    return values


def _check(evaluation: Evaluation, result: Embeddings) -> None:
    """What pages rely on. Raises ``RunError``."""
    if not len(result) or (np.diff(result.rows) <= 0).any() or result.rows[0] < 0:
        raise _damaged(evaluation, "its row numbers are missing or not in order")
    if not result.vectors.shape[1] or not np.isfinite(result.vectors).all():
        raise _damaged(evaluation, "an embedding is missing or not finite")
    if result.nearest.shape != result.similarity.shape or (result.nearest < 0).any():
        raise _damaged(evaluation, "its nearest faces and their similarities do not fit")
    if not (np.abs(result.similarity) <= 1).all():
        raise _damaged(evaluation, "a similarity is outside -1..1")


def _damaged(evaluation: Evaluation, why: str) -> RunError:
    return RunError(f"{evaluation.embeddings_path} cannot be used: {why}. {evaluation.again}")
