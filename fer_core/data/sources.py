"""What lies at a path: pictures with classes, or a table of faces; found before anything of it is read in earnest."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fer_core import emotions
from fer_core.data import archives
from fer_core.data.folder_or_zip import FolderTree, Tree, ZipTree
from fer_core.data.folder_source import PictureSource, plan_import
from fer_core.data.imported_faces import FaceSource
from fer_core.data.info import INFO_FILE
from fer_core.data.layout import ending, is_picture
from fer_core.data.number_files import source_of_file, source_of_tree
from fer_core.data.pictures import FaceCutter
from fer_core.data.scored_folder import MANIFEST
from fer_core.data.scored_source import ScoredSource
from fer_core.data.tar_tree import ON_DISK, open_tar_tree
from fer_core.data.understanding import Corrections
from fer_core.data.unpacked import Unpacked
from fer_core.errors import DataError
from fer_core.file_types import ODD_ENDINGS
from fer_core.formatting import plural
from fer_core.progress import Beat, no_beat
from fer_core.regular_files import kind_of
from fer_core.settings import settings

SAMPLE, KAGGLE = "sample", "kaggle"
"""What stands for the drawn sample and for Kaggle's copy in place of a path."""
_ARCHIVES = ("zip", "rar", "7z", "tar", "tgz", "gz", "xz", "bz2", "zst")
_NO_DATA = ("/proc", "/sys", "/dev")
"""What the system shows of itself as if it were files; some never end, and some hold secrets."""
# What the known files are called in a folder, unpacked or not.
_KNOWN_FILE = re.compile(r"(fer2013|icml_face_data)(\.csv|(\.csv)?\.(gz|xz|zip|tar\.gz|tgz|tar\.xz))", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """Either ``pictures``, or ``numbers`` (arrays, Parquet, tables that belong together, a scored folder), or one
    table: the file at ``path``, or its ``member`` where that is an archive.

    ``name`` is kept as where the faces come from.
    """

    name: str
    path: Path
    pictures: PictureSource | None = None
    numbers: FaceSource | None = None
    member: str | None = None


@contextmanager
def find_source(path: Path, said: Corrections, cutter: FaceCutter | None, beat: Beat = no_beat) -> Iterator[Found]:
    """Look what there is; a folder or archive stays open meanwhile. ``beat`` is called often.

    Raises ``DataError`` for what is no regular file or folder, is harmful, or holds neither pictures nor a table.
    """
    check_source(path)
    if path.is_dir() and (path / INFO_FILE).is_file():
        raise DataError(f"{path} is a dataset folder already, so it need not be imported. Use it with --data {path}")
    if path.is_dir() and (path / MANIFEST).is_file():
        yield Found(path.name, path, numbers=ScoredSource(path, said))
    elif path.is_dir() or archives.sniff(path) == "zip" or _is_tar_of_many(path, beat):
        with open_tree(path, beat) as tree:
            yield find_in_tree(tree, path.name, said, cutter, beat)
    else:
        yield Found(path.name, path, numbers=source_of_file(path, said, cutter))


def check_source(path: Path) -> None:
    """Raise ``DataError`` unless there is a regular file or a folder, and not one that the system makes up."""
    try:
        kind = kind_of(path)
        real = Path(os.path.realpath(path))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise DataError(f"There is no file or folder {path}. Check the path, or give sample or kaggle.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from None
    if kind not in ("a file", "a folder"):
        raise DataError(f"{path} is {kind}, not a file or a folder. Check the path.")
    if real == Path(real.anchor) or any(real.is_relative_to(place) for place in _NO_DATA):
        raise DataError(f"{path} is the system's own, so there are no faces in it. Give the folder that holds them.")


@contextmanager
def open_tree(path: Path, beat: Beat) -> Iterator[Tree]:
    """A folder or an archive as a list of files."""
    cache = settings().cache_dir
    if path.is_dir():
        yield FolderTree(path, beat)
    elif archives.sniff(path) == "zip":
        with archives.open_zip(path) as archive, Unpacked(path, cache) as unpacked:
            yield ZipTree(path, archive, unpacked, beat)
    else:
        with open_tar_tree(path, cache, beat) as tree:
            yield tree


def _is_tar_of_many(path: Path, beat: Beat) -> bool:
    """Whether it is a tar of pictures, arrays, Parquet or several tables; one table is read as it comes."""
    if not archives.is_tar(path):
        return False
    names = [name for name in archives.tar_names(path, beat) if not archives.is_clutter(name)]
    known = any(PurePosixPath(name).name.lower() in archives.KNOWN_CSV for name in names)
    tables = sum(ending(name) in ("csv", "tsv") for name in names)
    return not known and (tables > 1 or any(is_picture(name) or ending(name) in ON_DISK for name in names))


def find_in_tree(tree: Tree, source: str, said: Corrections, cutter: FaceCutter | None, beat: Beat) -> Found:
    """A folder or zip holds FER-2013's CSV, or pictures with classes, or some one CSV: tried in this order."""
    names = tree.names()
    path = Path(tree.label)
    known = _known_file(tree, names)
    plan = plan_import(tree, names, said) if known is None else None
    if plan is not None and (plan.faces or not any(name.lower().endswith(".csv") for name in names)):
        return Found(source, path, PictureSource(tree, plan, cutter))
    if known is None and (numbers := source_of_tree(tree, names, said, cutter, beat)) is not None:
        return Found(source, path, numbers=numbers)
    member = known or archives.choose_csv(tree.label, names)
    if member is None:
        if packed := [name for name in names if ending(name) in _ARCHIVES]:
            raise DataError(
                f"{tree.label} holds no faces that can be read, and {plural(len(packed), 'archive')}: "
                f"{', '.join(packed[:5])}. Import the one with the faces by itself, or unpack it first."
            )
        if odd := [name for name in names if ending(name) in ODD_ENDINGS]:
            raise DataError(
                f"{tree.label} holds {plural(len(odd), 'picture')} of a kind that is not read, such as {odd[0]}, and "
                "no others. Convert them to PNG or JPEG: any picture program does, and so does ImageMagick's mogrify."
            )
        raise DataError(
            f"{tree.label} holds neither a CSV file nor pictures in folders for the classes, such as train/<class>/ "
            f"and test/<class>/, or with a list of them, nor arrays or Parquet (classes: {', '.join(emotions.NAMES)})."
        )
    if path.is_dir():
        return Found(f"{source}/{member}", path / member)
    return Found(f"{source} ({member})", path, member=tree.stored(member))


def _known_file(tree: Tree, names: list[str]) -> str | None:
    """FER-2013's own CSV by its name; a packed one counts in a folder, where it can be opened by itself."""
    base = {name: PurePosixPath(name).name.lower() for name in names}
    if any(known in base.values() for known in archives.KNOWN_CSV):
        return archives.choose_csv(tree.label, names)
    if isinstance(tree, FolderTree):
        packed = [name for name in names if _KNOWN_FILE.fullmatch(base[name])]
        # Sorted, fer2013 comes before icml_face_data; both hold the same faces.
        return packed[0] if packed else None
    return None
