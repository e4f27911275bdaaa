"""The dataset folder, read: images mapped from disk, labels and splits in memory.

Opening one costs milliseconds, whatever its size: the pixels stay on disk until somebody looks at them.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_core import emotions
from fer_core.data.half_written import bring_back
from fer_core.data.info import (
    FACES_FILE,
    IMAGES_FILE,
    REGIONS_FILE,
    SCHEMA,
    DatasetInfo,
    damaged,
    read_info,
)
from fer_core.data.writer import DatasetWriter
from fer_core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["SCHEMA", "Dataset", "DatasetInfo", "DatasetWriter", "load_dataset", "read_info", "write_dataset"]


class Dataset:
    """A dataset folder. Row numbers 0..N-1 name a face everywhere: in predictions, in links, in this class.

    Attributes:
        images: uint8 (N, 48, 48), 0..255, read-only, memory-mapped.
        labels: int8 (N,), 0..6, see :data:`fer_core.emotions.EMOTIONS`.
        splits: str (N,), each ``Training``, ``PublicTest`` or ``PrivateTest``.
        info: the folder's :class:`DatasetInfo`.
    """

    def __init__(
        self,
        info: DatasetInfo,
        images: npt.NDArray[np.uint8],
        labels: npt.NDArray[np.int8],
        splits: npt.NDArray[np.str_],
    ) -> None:
        self.info = info
        self.images = images
        self.labels = labels
        self.splits = splits

    @property
    def path(self) -> Path:
        return self.info.path

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"Dataset({self.info.name!r}, {len(self):,} faces, {str(self.path)!r})"

    def rows(self, split: str) -> npt.NDArray[np.intp]:
        """Row numbers of a split, ascending: int (n,). Raises ``ValueError`` for an unknown split name."""
        if split not in emotions.SPLITS:
            raise ValueError(f"unknown split {split!r}; there are {', '.join(emotions.SPLITS)}")
        return np.flatnonzero(self.splits == split)

    def faces(self) -> pd.DataFrame:
        """``faces.parquet``, one row a face: ``row``, ``label``, ``split``, ``source_name``, ``sha1``."""
        import pandas as pd

        return pd.read_parquet(self.path / FACES_FILE)

    def column(self, name: str) -> pa.Array:
        """One column of ``faces.parquet``, in the order of rows. Raises ``DataError`` where it cannot be read."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            column = pq.read_table(self.path / FACES_FILE, columns=[name])[name].combine_chunks()
        except (pa.ArrowException, OSError, KeyError) as error:
            raise damaged(self.path, f"{FACES_FILE} cannot be read ({error})") from error
        if len(column) != len(self):
            raise damaged(self.path, f"{FACES_FILE} has {len(column):,} lines now, and the dataset {len(self):,} faces")
        return column

    def regions(self) -> dict[str, npt.NDArray[np.int16]] | None:
        """Where brows, eyes and mouth are: int16 (N, 4) boxes (x0, y0, x1, y1) in pixels, or None.

        Only the drawn sample knows them. Raises ``DataError`` when the file is damaged.
        """
        file = self.path / REGIONS_FILE
        if not file.exists():
            return None
        try:
            with np.load(file) as stored:
                regions = {name: stored[name] for name in stored.files}
        except (ValueError, OSError, zipfile.BadZipFile) as error:
            raise damaged(self.path, f"{REGIONS_FILE} cannot be read ({error})") from error
        for name, boxes in regions.items():
            if boxes.shape != (len(self), 4):
                raise damaged(self.path, f"{REGIONS_FILE} has shape {boxes.shape} for {name}")
        return regions


def load_dataset(path: str | Path, *, unlabelled: bool = False) -> Dataset:
    """Map a dataset folder in milliseconds.

    ``unlabelled``: whether faces may be given that nobody labelled, whose labels are what models answered: for those
    who look at faces, and not for those who measure or train. Raises ``DataError`` for such faces otherwise, and when
    ``path`` is missing, is no dataset folder, has an unknown schema, or is damaged: a file missing, a wrong shape, or
    images and labels that do not agree in number.
    """
    folder = Path(path)
    if not folder.exists() and folder.absolute().parent.is_dir():
        bring_back(folder.absolute().parent)
    info = read_info(folder)
    if not info.labelled and not unlabelled:
        raise DataError(
            f"Nobody has labelled the faces in {folder}, so nothing can be measured or trained on them. Look at them "
            "on the app's page Mistakes."
        )
    images = _map_images(info)
    labels, splits = _read_labels(info)
    if not len(images) == len(labels) == info.faces:
        raise damaged(
            info.path,
            f"{IMAGES_FILE} holds {len(images):,} faces, {FACES_FILE} {len(labels):,}, "
            f"and dataset.json promises {info.faces:,}",
        )
    return Dataset(info, images, labels, splits)


def write_dataset(
    out: str | Path,
    images: npt.NDArray[np.uint8],
    labels: npt.ArrayLike,
    splits: Sequence[str] | npt.NDArray[np.str_],
    *,
    kind: str = "folder",
    source: str = "arrays",
    source_names: Sequence[str] | None = None,
    regions: dict[str, npt.NDArray[Any]] | None = None,
    name: str | None = None,
    title: str | None = None,
    notes: Sequence[str] = (),
    overwrite: bool = False,
) -> Dataset:
    """Write a dataset folder from arrays in memory: images uint8 (N, 48, 48), labels 0..6 (N,), splits (N,).

    Raises ``DataError`` as :class:`DatasetWriter` does.
    """
    writer = DatasetWriter(out, kind=kind, source=source, name=name, title=title, overwrite=overwrite)
    with writer:
        writer.expect(len(images))
        writer.add(images, labels, splits, source_names)
        if regions is not None:
            writer.add_regions(regions)
        for note in notes:
            writer.note(note)
    return load_dataset(writer.out)


def _map_images(info: DatasetInfo) -> npt.NDArray[np.uint8]:
    try:
        images = np.load(info.path / IMAGES_FILE, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise damaged(info.path, f"{IMAGES_FILE} cannot be mapped ({error})") from error
    expected = (emotions.IMAGE_SIZE, emotions.IMAGE_SIZE)
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != expected:
        raise damaged(
            info.path,
            f"{IMAGES_FILE} has shape {images.shape} of {images.dtype}, expected (faces, 48, 48) of uint8",
        )
    return images


def _read_labels(info: DatasetInfo) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.str_]]:
    # Imported here: Arrow costs 50 ms, which `--help` need not pay.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(info.path / FACES_FILE, columns=["row", "label", "split"])
        rows = table["row"].to_numpy()
        labels = table["label"].to_numpy().astype(np.int8)
        coded = table["split"].combine_chunks().dictionary_encode()
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise damaged(info.path, f"{FACES_FILE} cannot be read ({error})") from error
    if not np.array_equal(rows, np.arange(len(rows))):
        raise damaged(info.path, f"the row numbers in {FACES_FILE} are not 0, 1, 2 and so on")
    if len(labels) and not (labels.min() >= 0 and labels.max() < emotions.COUNT):
        raise damaged(info.path, f"{FACES_FILE} has a label outside 0..{emotions.COUNT - 1}")
    names = coded.dictionary.to_pylist()
    unknown = set(names) - set(emotions.SPLITS)
    if unknown or coded.null_count:
        raise damaged(info.path, f"{FACES_FILE} has an unknown split {sorted(map(str, unknown))}")
    splits = np.asarray(names, dtype="<U11")[coded.indices.to_numpy()] if len(labels) else np.empty(0, "<U11")
    return labels, splits


def empty_class_message(counts: dict[str, tuple[int, ...]]) -> str | None:
    """A sentence naming the classes that have no face in Training, or None when every class has one."""
    training = counts.get(emotions.TRAINING, (0,) * emotions.COUNT)
    missing = [name for name, n in zip(emotions.NAMES, training, strict=True) if n == 0]
    if not missing:
        return None
    return f"Training has no face of {', '.join(missing)}"
