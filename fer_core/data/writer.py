"""The dataset folder, written: streamed to a temporary sibling, renamed when complete.

A dataset folder is complete or absent, whatever happens in between: an error, Ctrl+C, a full disk, a killed
process. What a killed process left behind is removed when the app starts, or by the next import into its parent folder.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import numpy.typing as npt

from fer_core import emotions
from fer_core.data.face_rows import FaceRows, Images
from fer_core.data.half_written import begin, end, remove_stale, set_aside, temporary_folder
from fer_core.data.imported_faces import UNSTATED
from fer_core.data.info import FACES_FILE, IMAGES_FILE, INFO_FILE, KINDS, REGIONS_FILE, DatasetInfo
from fer_core.data.model_answers import ANSWERS_FILE, AnswersWriter
from fer_core.data.understanding import LeftOut
from fer_core.errors import DataError
from fer_core.value_types import LONGEST_LINE, LONGEST_TEXT, is_line

if TYPE_CHECKING:
    import pyarrow as pa

BYTES_PER_FACE = emotions.IMAGE_SIZE**2
# Per face: labels, splits, name and hash in faces.parquet (about 60 bytes), generously.
_EXTRA_BYTES_PER_FACE = 256
# Never fill the last of a disk: the system and the browser want some too.
_SPARE_BYTES = 50 * 1024**2
LONGEST_NAME = 500
"""Characters kept of the name of a file that was left out: its end."""
_UNSTATED_CODE = len(emotions.SPLITS)
_CODES = {**{split: code for code, split in enumerate(emotions.SPLITS)}, UNSTATED: _UNSTATED_CODE}
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)


class DatasetWriter:
    """Write a dataset folder at ``out``, all or nothing.

    >>> with DatasetWriter("datasets/mine", kind="folder", source="my pictures") as writer:  # doctest: +SKIP
    ...     writer.add(images, labels, splits, source_names)

    ``out`` must not exist, or be an empty folder; a dataset folder is replaced when ``overwrite`` is set, at
    the very end. ``name`` defaults to the folder's name, ``title`` to the name.

    Raises ``DataError`` on entry (``out`` is taken, an import into it is running, no right to write there),
    from :meth:`expect` and on any write (disk full), and on exit (no face was added).
    """

    def __init__(
        self,
        out: str | Path,
        *,
        kind: str,
        source: str,
        name: str | None = None,
        title: str | None = None,
        overwrite: bool = False,
    ) -> None:
        if kind not in KINDS:
            raise ValueError(f"unknown kind {kind!r}; there are {', '.join(KINDS)}")
        self.out = Path(out).expanduser().absolute()
        self.kind, self.source, self.overwrite = kind, _storable(source), overwrite
        self.name = _storable(name or self.out.name)
        self.title = title or self.name
        for what, text in (("name", self.name), ("title", self.title)):
            if len(text) > LONGEST_LINE or not is_line(text):
                raise DataError(
                    f"the {what} of a dataset must be one line of at most {LONGEST_LINE} characters, without control "
                    f"characters. Choose another with --{what}."
                )
        self.folder = temporary_folder(self.out)
        self._images: BinaryIO | None = None
        # A few bytes a face: lists of words would take more than the faces' pixels do in a batch of a million.
        self._labels: list[npt.NDArray[np.int8]] = []
        self._splits: list[npt.NDArray[np.int8]] = []
        self._source_names: list[pa.Array] = []
        self._sha1: list[pa.Array] = []
        self._faces = 0
        self._sha256 = hashlib.sha256()
        self._notes: list[str] = []
        self._layout = ""
        self._left_out: tuple[LeftOut, ...] = ()
        self._labelled = True
        self._answers: AnswersWriter | None = None

    def __len__(self) -> int:
        """Faces written so far."""
        return self._faces

    @property
    def counts(self) -> dict[str, tuple[int, ...]]:
        """Class counts per split of the faces written so far; all three splits, seven numbers each."""
        labels = np.concatenate(self._labels) if self._labels else np.empty(0, np.int8)
        splits = np.concatenate(self._splits) if self._splits else np.empty(0, np.int8)
        return {
            split: tuple(int(n) for n in np.bincount(labels[splits == code], minlength=emotions.COUNT))
            for code, split in enumerate(emotions.SPLITS)
        }

    def __enter__(self) -> DatasetWriter:
        check_target(self.out, overwrite=self.overwrite)
        with self._explain_os_errors():
            self.out.parent.mkdir(parents=True, exist_ok=True)
            remove_stale(self.out.parent)
        if not begin(self.out, self.folder):
            raise DataError(f"An import into {self.out} is already running. Wait until it has ended.")
        try:
            with self._explain_os_errors():
                self.folder.mkdir()
                self._images = (self.folder / IMAGES_FILE).open("wb")
                self._images.write(_npy_header(0))
        except BaseException:
            self._discard()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                with self._explain_os_errors():
                    self._finish()
            elif isinstance(error, OSError) and error.errno in _NO_SPACE:
                raise self._disk_full() from error
        finally:
            self._discard()

    def expect(self, faces: int) -> None:
        """Check that the disk has room for ``faces`` more faces. Raises ``DataError`` when it has not."""
        need = faces * (BYTES_PER_FACE + _EXTRA_BYTES_PER_FACE) + _SPARE_BYTES
        free = shutil.disk_usage(self.out.parent).free
        if free < need:
            raise DataError(
                f"Not enough disk space for {self.out}: {faces:,} faces need {need / 1e6:,.0f} MB, "
                f"and {free / 1e6:,.0f} MB are free. Free some space, or import to another disk."
            )

    def add(
        self,
        images: npt.NDArray[np.uint8],
        labels: npt.ArrayLike,
        splits: Sequence[str] | npt.NDArray[np.str_],
        source_names: Sequence[str] | None = None,
    ) -> None:
        """Append faces: images uint8 (n, 48, 48), labels 0..6 (n,), splits (n,), names at the source (n,).

        A split may be ``UNSTATED``, until :meth:`draw_unstated`.
        Raises ``ValueError`` when the arrays do not have these shapes and values: sources check before.
        """
        import pyarrow as pa

        images = np.ascontiguousarray(images)
        label_array = np.asarray(labels)
        names = [""] * len(images) if source_names is None else [_storable(str(name)) for name in source_names]
        if images.dtype != np.uint8 or images.shape[1:] != (emotions.IMAGE_SIZE, emotions.IMAGE_SIZE):
            raise ValueError(f"images must be uint8 (n, 48, 48), not {images.dtype} {images.shape}")
        if not len(images) == len(label_array) == len(splits) == len(names):
            raise ValueError("images, labels, splits and source names differ in number")
        if len(images) and not (label_array.min() >= 0 and label_array.max() < emotions.COUNT):
            raise ValueError(f"labels must be 0..{emotions.COUNT - 1}")
        codes = _split_codes(splits)
        if self._images is None:
            raise ValueError("the writer is not open; use it in a with statement")
        with self._explain_os_errors():
            data = images.data.cast("B") if images.size else memoryview(b"")
            self._images.write(data)
        self._sha256.update(data)
        digests = (
            hashlib.sha1(data[i : i + BYTES_PER_FACE], usedforsecurity=False).hexdigest()
            for i in range(0, len(data), BYTES_PER_FACE)
        )
        self._sha1.append(pa.array(digests, pa.string()))
        self._labels.append(label_array.astype(np.int8))
        self._splits.append(codes)
        self._source_names.append(pa.array(names, pa.string()))
        self._faces += len(images)

    def draw_unstated(self, draw: Callable[[Images, npt.NDArray[np.int8]], tuple[list[str], str]]) -> None:
        """Give those faces a split whose source names none.

        ``draw`` gets their images uint8 (n, 48, 48), gathered where it asks for them, and labels, and returns the
        splits and a note on how they came about; see :func:`fer_core.data.splitting.draw_splits`.
        """
        codes = np.concatenate(self._splits) if self._splits else np.empty(0, np.int8)
        rows = np.flatnonzero(codes == _UNSTATED_CODE)
        if not len(rows):
            return
        assert self._images is not None
        with self._explain_os_errors():
            self._images.flush()
            shape = (len(self), emotions.IMAGE_SIZE, emotions.IMAGE_SIZE)
            offset = len(_npy_header(0))
            images = np.memmap(self.folder / IMAGES_FILE, np.uint8, "r", offset=offset, shape=shape)
        chosen = FaceRows(images, rows)
        try:
            splits, note = draw(chosen, np.concatenate(self._labels)[rows])
        finally:
            # Windows renames no folder of which a file is mapped.
            del chosen, images
        codes[rows] = _split_codes(splits)
        self._splits = [codes]
        self.note(note)

    def add_regions(self, regions: dict[str, npt.NDArray[Any]]) -> None:
        """Store boxes (x0, y0, x1, y1) in pixels, int16 (N, 4) per region name. For the drawn sample."""
        for name, boxes in regions.items():
            if np.shape(boxes) != (len(self), 4):
                raise ValueError(f"region {name} has shape {np.shape(boxes)}, expected {(len(self), 4)}")
        arrays: dict[str, Any] = {name: np.asarray(boxes, np.int16) for name, boxes in regions.items()}
        with self._explain_os_errors():
            np.savez_compressed(self.folder / REGIONS_FILE, **arrays)

    def note(self, sentence: str) -> None:
        """Add a sentence to ``notes``: something a reader of this dataset should know."""
        self._notes.append(_storable(sentence)[:LONGEST_TEXT])

    def add_answers(
        self, answers: Mapping[str, npt.NDArray[np.float32]], models: Mapping[str, str] | None = None
    ) -> None:
        """What models said of the faces that were added last: float32 (n, 7) by name, of the same models each time.

        ``models``: the SHA-256 of their files by name, where that is known; those of the first call count.
        """
        with self._explain_os_errors():
            if self._answers is None:
                self._answers = AnswersWriter(self.folder / ANSWERS_FILE, list(answers), models)
            self._answers.add(answers)

    def understood(self, layout: str, left_out: Sequence[LeftOut] = (), *, labelled: bool = True) -> None:
        """Keep how the source was understood, what of it is not among the faces, and whether anybody labelled them."""
        self._layout, self._labelled = _storable(layout)[:LONGEST_TEXT], labelled
        self._left_out = tuple(
            LeftOut(_short(one.kind), one.count, tuple(map(_short, one.examples))) for one in left_out
        )

    def _finish(self) -> None:
        if not len(self):
            raise DataError(f"{self.source} holds no faces, so there is nothing to import.")
        if any((codes == _UNSTATED_CODE).any() for codes in self._splits):
            raise ValueError("some faces have no split yet; call draw_unstated before the end")
        assert self._images is not None
        self._images.seek(0)
        self._images.write(_npy_header(len(self)))
        self._images.close()
        if self._answers is not None:
            self._answers.close()
        labels = np.concatenate(self._labels)
        self._write_faces(labels)
        info = DatasetInfo(
            path=self.out,
            name=self.name,
            title=self.title,
            kind=self.kind,
            source=self.source,
            created=datetime.now(UTC).isoformat(timespec="milliseconds"),
            counts=self.counts,
            faces=len(self),
            fingerprint=self._fingerprint(labels),
            notes=tuple(self._notes),
            layout=self._layout,
            left_out=self._left_out,
            labelled=self._labelled,
        )
        text = json.dumps(info.to_json(), indent=2, ensure_ascii=False) + "\n"
        (self.folder / INFO_FILE).write_text(text, encoding="utf-8")
        self._rename()

    def _write_faces(self, labels: npt.NDArray[np.int8]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        splits = pa.DictionaryArray.from_arrays(pa.array(np.concatenate(self._splits)), pa.array(emotions.SPLITS))
        columns = {
            "row": pa.array(np.arange(len(labels), dtype=np.int32)),
            "label": pa.array(labels),
            "split": splits.dictionary_decode(),
            "source_name": pa.chunked_array(self._source_names, pa.string()),
            "sha1": pa.chunked_array(self._sha1, pa.string()),
        }
        pq.write_table(pa.table(columns), self.folder / FACES_FILE, compression="zstd")

    def _fingerprint(self, labels: npt.NDArray[np.int8]) -> str:
        digest = self._sha256.copy()
        digest.update(labels.tobytes())
        words = (emotions.SPLITS[code] for codes in self._splits for code in codes.tolist())
        digest.update("\n".join(words).encode())
        return digest.hexdigest()

    def _rename(self) -> None:
        # Checked again: another process may have finished the same import in the meantime.
        check_target(self.out, overwrite=self.overwrite)
        old: Path | None = None
        if self.out.exists():
            if any(self.out.iterdir()):
                old = set_aside(self.folder)
                self.out.rename(old)
            else:
                self.out.rmdir()
        try:
            self.folder.rename(self.out)
        except BaseException:
            if old is not None:
                old.rename(self.out)
            raise
        if old is not None:
            # The new dataset is in place. What a system cannot delete yet (Windows, while a page has the old
            # images mapped) the next import removes.
            shutil.rmtree(old, ignore_errors=True)

    def _discard(self) -> None:
        """Close and remove the temporary folder, if it is still there."""
        if self._images is not None:
            # Closing flushes, and on a full disk that fails again; the file goes anyway.
            with contextlib.suppress(OSError):
                self._images.close()
        if self._answers is not None:
            with contextlib.suppress(OSError):
                self._answers.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        end(self.out)

    @contextlib.contextmanager
    def _explain_os_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in _NO_SPACE:
                raise self._disk_full() from error
            raise DataError(f"Cannot write {self.out}: {error.strerror or error}. Choose another folder.") from error

    def _disk_full(self) -> DataError:
        return DataError(
            f"The disk is full: {self.out} could not be written, and nothing of it was kept. "
            "Free some space, or import to another disk."
        )


def check_target(out: Path, *, overwrite: bool) -> None:
    """Raise ``DataError`` unless a dataset may be written at ``out``."""
    if not out.exists():
        return
    if not out.is_dir():
        raise DataError(f"{out} is a file. Give a folder that does not exist yet.")
    if (out / INFO_FILE).is_file():
        if not overwrite:
            raise DataError(f"{out} already holds a dataset. Give another folder, or replace it with --overwrite.")
    elif any(out.iterdir()):
        raise DataError(f"{out} holds other files and no dataset. Give a folder that is empty or does not exist yet.")


def _split_codes(splits: Sequence[str] | npt.NDArray[np.str_]) -> npt.NDArray[np.int8]:
    """Which of the three each is, and :data:`_UNSTATED_CODE`. Raises ``ValueError`` for any other word."""
    try:
        return np.fromiter((_CODES[split] for split in splits), np.int8, len(splits))
    except KeyError:
        raise ValueError(f"splits must be of {', '.join(emotions.SPLITS)}") from None


def _storable(text: str) -> str:
    """Text as UTF-8 can hold it: names of files need not be UTF-8, and their odd bytes are written out."""
    return text.encode("utf-8", "backslashreplace").decode()


def _short(text: str) -> str:
    """A name as it is kept in ``dataset.json``, where texts are not endless."""
    return _storable(text)[-LONGEST_NAME:]


def _npy_header(faces: int) -> bytes:
    """The header of ``images.npy``: always of one length, so that the number of faces is filled in last."""
    buffer = io.BytesIO()
    shape = (faces, emotions.IMAGE_SIZE, emotions.IMAGE_SIZE)
    description = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, description)
    return buffer.getvalue()
