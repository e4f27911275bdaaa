"""Which files hold faces as numbers, or as rows of a data set: arrays, Parquet, tables that belong together."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path, PurePosixPath

from fer_core.data import npy_file, parquet_source
from fer_core.data.archives import CsvStream, open_csv, reading
from fer_core.data.array_source import ArraySource
from fer_core.data.folder_or_zip import FolderTree, Tree, ZipTree
from fer_core.data.imported_faces import FaceSource
from fer_core.data.parquet_source import ParquetSource
from fer_core.data.pictures import FaceCutter
from fer_core.data.stated import split_word
from fer_core.data.table_source import TableFile, TableSource
from fer_core.data.understanding import Corrections
from fer_core.errors import DataError
from fer_core.file_types import HEAD, what_picture
from fer_core.progress import Beat
from fer_core.regular_files import open_file

MOST_FILES = 1_000
"""Of one set. More are not parts of one."""
_NOT_READ = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "Write its arrays with numpy.savez(file, X=faces, y=labels)"),
    (b"\x80\x02", "a pickle", "A pickle is a program. Write its arrays with numpy.savez(file, X=faces, y=labels)"),
    (b"\x80\x03", "a pickle", "A pickle is a program. Write its arrays with numpy.savez(file, X=faces, y=labels)"),
    (b"\x80\x04", "a pickle", "A pickle is a program. Write its arrays with numpy.savez(file, X=faces, y=labels)"),
    (b"\x80\x05", "a pickle", "A pickle is a program. Write its arrays with numpy.savez(file, X=faces, y=labels)"),
    (b"MATLAB 5.0", "a MATLAB file", "Write its arrays with numpy.savez(file, X=faces, y=labels)"),
    (b"ARROW1", "an Arrow file", "Write it as Parquet: dataset.to_parquet(file)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file", "Save it as CSV"),
)


def source_of_file(path: Path, said: Corrections, cutter: FaceCutter | None) -> FaceSource | None:
    """A file of arrays or Parquet, by its first bytes; None for all others, which may be tables of text.

    Raises ``DataError`` for kinds of files that are known and not read, with what to do.
    """
    with reading(str(path)), open_file(path) as file:
        head = file.read(HEAD)
    if head.startswith(npy_file.MAGIC):
        return ArraySource(path.name, [path], said)
    if head.startswith(parquet_source.MAGIC):
        return ParquetSource(path.name, [path], said, cutter)
    for magic, kind, advice in _NOT_READ:
        if head.startswith(magic):
            raise DataError(f"{path} is {kind}, which is not read. {advice}.")
    if picture := what_picture(head):
        raise DataError(
            f"{path} is one picture ({picture}). Import a folder with a folder for each class; python -m fer_core "
            "predict tells what a model sees in one picture."
        )
    if re.match(rb"(\xef\xbb\xbf)?\s*(\{|\[\s*\{)\s*\"", head):
        lines = "" if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[") else ", lines=True"
        raise DataError(
            f"{path} is JSON, which is not read. Write it as Parquet, with pandas: "
            f"pandas.read_json(file{lines}).to_parquet('faces.parquet')."
        )
    return None


def source_of_tree(
    tree: Tree, names: Sequence[str], said: Corrections, cutter: FaceCutter | None, beat: Beat
) -> FaceSource | None:
    """Arrays, Parquet or several tables of one set, in a folder or an archive; None where there is nothing of it."""
    path = Path(tree.label)
    if isinstance(tree, ZipTree) and npy_file.is_npz(list(names)):
        return ArraySource(path.name, [path], said)
    arrays = _ending(names, ".npy", ".npz")
    parquet = _ending(names, ".parquet")
    if parquet:
        return ParquetSource(path.name, [tree.on_disk(name) for name in parquet], said, cutter)
    packed = _ending(arrays, ".npz")
    if packed and len(packed) < len(arrays):
        raise DataError(
            f"{path} holds {packed[0]} and other arrays beside it, and it is not clear which to import. Import "
            f"just {packed[0]}, or a folder without it."
        )
    if arrays:
        return ArraySource(path.name, [tree.on_disk(name) for name in arrays], said)
    if "xl/workbook.xml" in names:
        raise DataError(f"{path} is an Excel workbook, which is not read. Save its sheet as CSV.")
    tables = [name for name in _ending(names, ".csv", ".tsv") if "submission" not in name.lower()]
    words = [split_word(PurePosixPath(name).stem) for name in tables]
    if not tables or len(names) == 1 or not all(words) or len(set(words)) < len(words):
        return None
    return TableSource(
        path.name, [TableFile(_opener(tree, name, beat), word) for name, word in zip(tables, words, strict=True)], said
    )


def _opener(tree: Tree, name: str, beat: Beat) -> Callable[[], AbstractContextManager[CsvStream]]:
    path = Path(tree.label)
    if isinstance(tree, FolderTree):
        return partial(open_csv, path / name, beat=beat)
    return partial(open_csv, path, tree.stored(name), beat=beat)


def _ending(names: Sequence[str], *endings: str) -> list[str]:
    found = [name for name in names if name.lower().endswith(endings)]
    if len(found) > MOST_FILES:
        raise DataError(f"There are more than {MOST_FILES:,} files such as {found[0]}. Import those of one set.")
    return found
