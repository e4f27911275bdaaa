"""Files of a model's answers, read without trust: which columns are about which faces, and which hold the answers.

CSV in any delimiter, Parquet, and NumPy arrays. What is read is numbers and words; what they mean,
:mod:`fer_core.bring.answers` finds out.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_core.bring.orders import FEWEST, MOST
from fer_core.data.class_names import meaning_of
from fer_core.errors import ModelError
from fer_core.reading import MOST_TABLE_BYTES, UnreadableError, read_bytes
from fer_core.runs.reading import shown

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".npy")
MOST_ROWS = 2_000_000
"""Many times the faces of any dataset of this kind."""


def _words(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(","))


_ROW = _words("row, rows, row number, face row")
_NUMBER = _words("index, idx, id, number, no, face, image, sample, key, level 0, unnamed: 0") | {""}
_NAME = _words(
    "file, filename, file name, files, path, image path, img path, filepath, img, name, picture, source name, source, "
    "image name, pic"
)
_ANSWER = _words(
    "answer, answers, prediction, predictions, predicted, pred, preds, predicted label, y pred, predicted class, "
    "predicted emotion, pred label, pred class, argmax, output, ypred, class"
)
_TRUE = _words(
    "label, labels, true, truth, target, targets, y, y true, ytrue, actual, ground truth, usage, split, "
    "near duplicate, true label, gt, set, correct, confidence, max, dataset"
)
_WORDED = ("emotion", "expression")
"""The answer, where nothing else is one."""
_KIND = r"(?:p|prob|probs|proba|probability|score|scores|logit|logits|pred|softmax|output|out|class|c|y)"
_PREFIX = re.compile(rf"^{_KIND}[\s_.:(\[-]+", re.I)
_NUMBERED = re.compile(rf"{_KIND}?[\s_.:-]*(\d{{1,2}})", re.I)
_ABOVE = re.compile(r"\A(?:\s*(?:#|sep=).*(?:\n|\Z))*", re.I)
"""What stands above a table: comments, and how Excel is told the delimiter."""
_NUMPY = b"\x93NUMPY"
_PER_CENT = re.compile(r"^(-?\d+(?:[.,]\d+)?)\s*%$")
_TRUTH = {"true": "1", "false": "0"}
_PICTURE = re.compile(r"\.(?:png|jpe?g|bmp|tiff?|webp|gif)$", re.I)


@dataclass(frozen=True, eq=False)
class AnswerTable:
    """What a file holds of n faces, in its order.

    Attributes:
        rows: int64 (n,), row numbers of the faces; None where the file does not give them.
        sure: whether ``rows`` can be nothing else than row numbers of the dataset. A column called ``id`` may count.
        names: names of the faces' files, None where it does not give them.
        values: float64 (n, K), a column for each class; None where there is only an answer for each face.
        classes: names of these columns as the file gives them; None where it does not.
        answers: n words or numbers as text, where there is only an answer for each face.
        ignored: names of columns that are not looked at.
    """

    rows: npt.NDArray[np.int64] | None = None
    sure: bool = False
    names: tuple[str, ...] | None = None
    values: npt.NDArray[np.float64] | None = None
    classes: tuple[str, ...] | None = None
    answers: tuple[str, ...] | None = None
    ignored: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values) if self.values is not None else len(self.answers or ())


def read_answers(path: Path) -> AnswerTable:
    """The file's content. Raises ``ModelError``, in a sentence, for anything that holds no answers."""
    suffix = path.suffix.lower()
    try:
        if suffix == ".npy":
            return _array(path)
        if suffix == ".parquet":
            return _of_frame(_parquet(path))
        if suffix in (".csv", ".tsv", ".txt"):
            return _of_frame(_csv(path))
    except UnreadableError as error:
        raise ModelError(f"{shown(path)} cannot be used: {error}.") from None
    raise ModelError(
        f"{shown(path)} is none of {', '.join(SUFFIXES)}. Write the probabilities of each test face with "
        "np.save('answers.npy', probabilities), or as a CSV with a column row and one for each class."
    )


def _array(path: Path) -> AnswerTable:
    content = read_bytes(path, MOST_TABLE_BYTES)
    if not content.startswith(_NUMPY):
        raise UnreadableError("it is no NumPy array. Save one array of numbers with np.save")
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        why = "it holds Python objects, which are programs" if "allow_pickle" in str(error) else "it is cut off"
        raise UnreadableError(f"{why}. Save one array of numbers with np.save") from None
    if isinstance(array, np.ndarray) and array.dtype == bool and array.ndim == 2:
        array = array.astype(np.int64)
    if not isinstance(array, np.ndarray) or not any(
        np.issubdtype(array.dtype, kind) for kind in (np.floating, np.integer, np.str_)
    ):
        raise UnreadableError("it is no single array of numbers. Save it with np.save")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 1 and len(array):
        return AnswerTable(answers=tuple(_text(value) for value in array.tolist()))
    if array.ndim != 2 or not len(array) or np.issubdtype(array.dtype, np.str_):
        size = "×".join(map(str, array.shape))
        raise UnreadableError(f"it is an array of {size}, and one row a face with {FEWEST} to {MOST} columns is wanted")
    return AnswerTable(values=array.astype(np.float64))


def _parquet(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = read_bytes(path, MOST_TABLE_BYTES)
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        groups = range(file.metadata.num_row_groups)
        if sum(file.metadata.row_group(index).total_byte_size for index in groups) > MOST_TABLE_BYTES:
            raise UnreadableError(f"it unpacks to more than {MOST_TABLE_BYTES / 1024**2:,.0f} MB")
        frame = file.read(use_threads=False).to_pandas(ignore_metadata=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableError(f"it is no Parquet file ({' '.join(str(error).split())[:120]})") from None
    frame.columns = [str(name) for name in frame.columns]
    return frame.map(_text)


def _csv(path: Path) -> pd.DataFrame:
    import pandas as pd

    content = read_bytes(path, MOST_TABLE_BYTES)
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise UnreadableError("it is no text in UTF-8. Save it as CSV UTF-8") from None
    text = _ABOVE.sub("", text)
    first = next((line for line in text.split("\n", 2) if line.strip()), "")
    delimiter = max(",;\t|", key=first.count)
    if not first.count(delimiter):
        # As numpy.savetxt writes it.
        delimiter = r"\s+" if len(first.split()) > 1 and all(map(_is_number, first.split())) else ","
    try:
        frame = pd.read_csv(
            io.StringIO(text),
            sep=delimiter,
            header=None,
            dtype=str,
            keep_default_na=False,
            skipinitialspace=True,
            skip_blank_lines=True,
        )
    except pd.errors.EmptyDataError:
        raise UnreadableError("it is empty") from None
    except (ValueError, pd.errors.ParserError) as error:
        raise UnreadableError(f"it is no table: {' '.join(str(error).split())[:160]}") from None
    frame = frame.map(str.strip)
    frame = frame.map(lambda cell: _PER_CENT.sub(r"\1", cell))
    if delimiter != ",":
        # 0,25 as many countries write it
        frame = frame.map(lambda cell: cell.replace(",", ".") if re.fullmatch(r"-?\d+,\d+(?:e-?\d+)?", cell) else cell)
    if _is_header(list(frame.iloc[0]), list(frame.iloc[1]) if len(frame) > 1 else []):
        frame.columns = list(frame.iloc[0])
        frame = frame.iloc[1:]
    else:
        frame.columns = [f"\0{number}" for number in range(frame.shape[1])]
    return frame.reset_index(drop=True)


def _is_header(cells: Sequence[str], second: Sequence[str]) -> bool:
    """Whether a first line names columns: a line of values begins with a number or the name of a picture.

    Columns may be called 0 to 6, too; then another one has a name, and numbers below it.
    """
    start = cells[0]
    named = [at for at, cell in enumerate(cells) if cell and not _is_number(cell)]
    if _is_number(start) and any(at < len(second) and _is_number(second[at]) for at in named):
        return True
    return not (
        _is_number(start) or _PICTURE.search(start) or (len(cells) == 1 and meaning_of(start).label is not None)
    )


def _of_frame(frame: pd.DataFrame) -> AnswerTable:
    if not len(frame) or not frame.shape[1]:
        raise UnreadableError("it holds no face")
    if len(frame) > MOST_ROWS:
        raise UnreadableError(f"it has more than {MOST_ROWS:,} lines")
    names = [str(name) for name in frame.columns]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UnreadableError(f"it has two columns called {shown(twice[0])[:40]!r}")
    if names[0].startswith("\0"):
        return _unnamed(frame)
    plain = {name: re.sub(r"[\s_-]+", " ", name.strip().lower()) for name in names}
    rows, sure, pictures, key = _keys(frame, plain)
    left = [name for name in names if name != key]
    classes, called = _class_columns(left, plain)
    if classes:
        values = np.stack([_numbers(frame[name], name) for name in classes], axis=1)
        ignored = tuple(name for name in left if name not in classes)
        return AnswerTable(rows, sure, pictures, values, called, None, ignored)
    listed = next((name for name in left if all(map(_is_list, frame[name].tolist()))), None)
    if listed is not None:
        ignored = tuple(name for name in left if name != listed)
        return AnswerTable(rows, sure, pictures, _lists(frame[listed], listed), None, None, ignored)
    answer = _answer_column(left, plain)
    if answer is None:
        raise UnreadableError(
            f"its columns ({', '.join(shown(name)[:20] for name in names[:10])}) are neither {FEWEST} to {MOST} "
            "classes nor one answer. Name them row (or file), and angry, disgust, fear, happy, sad, surprise, neutral; "
            "or row and answer"
        )
    return AnswerTable(
        rows, sure, pictures, None, None, tuple(frame[answer].tolist()), tuple(name for name in left if name != answer)
    )


def _unnamed(frame: pd.DataFrame) -> AnswerTable:
    columns = [frame.iloc[:, number] for number in range(frame.shape[1])]
    rows, names = None, None
    if len(columns) > 1:
        first = columns[0].tolist()
        if not all(map(_is_number, first)):
            names = tuple(first)
        elif all(map(_is_whole, first)) and len(set(first)) == len(first):
            rows = np.array([int(float(cell)) for cell in first], dtype=np.int64)
        if rows is not None or names is not None:
            columns = columns[1:]
    if len(columns) == 1:
        return AnswerTable(rows, False, names, answers=tuple(columns[0].tolist()))
    values = np.stack([_numbers(column, f"number {at + 1}") for at, column in enumerate(columns)], axis=1)
    return AnswerTable(rows, False, names, values)


def _keys(
    frame: pd.DataFrame, plain: dict[str, str]
) -> tuple[npt.NDArray[np.int64] | None, bool, tuple[str, ...] | None, str | None]:
    """Row numbers, whether they are sure, names of files, and the column that they stand in."""
    for known, sure in ((_ROW, True), (_NAME, False), (_NUMBER, False)):
        for name, words in plain.items():
            if words not in known:
                continue
            cells = frame[name].tolist()
            if all(map(_is_whole, cells)):
                return np.array([int(float(cell)) for cell in cells], dtype=np.int64), sure, None, name
            if known is _ROW:
                wrong = next(cell for cell in cells if not _is_whole(cell))
                raise UnreadableError(
                    f"its column {shown(name)} should hold row numbers, and holds {shown(wrong)[:40]!r}"
                )
            if not all(map(_is_number, cells)):
                return None, False, tuple(cells), name
    return None, False, None, None


def _class_columns(names: Sequence[str], plain: dict[str, str]) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """The columns of classes in their order, and what they are called; numbered ones have no names."""
    worded = [name for name in names if plain[name] not in (*_TRUE, *_ANSWER) and _class(name)]
    if len(worded) >= FEWEST:
        return tuple(worded), tuple(_PREFIX.sub("", name).strip() for name in worded)
    numbered = {name: int(found[1]) for name in names if (found := _NUMBERED.fullmatch(name.strip()))}
    if len(numbered) >= FEWEST:
        ordered = sorted(numbered, key=lambda name: numbered[name])
        if [numbered[name] - numbered[ordered[0]] for name in ordered] != list(range(len(ordered))):
            raise UnreadableError(f"its numbered columns have gaps: {', '.join(shown(name) for name in ordered)}")
        return tuple(ordered), None
    return (), None


def _class(name: str) -> bool:
    """Whether a column is called like a class, be it one of the seven or contempt."""
    return not meaning_of(_PREFIX.sub("", name).strip() or name).doubtful


def _answer_column(names: Sequence[str], plain: dict[str, str]) -> str | None:
    for known in (_ANSWER, _WORDED):
        found = [name for name in names if plain[name] in known]
        if found:
            return found[0]
    # A single column beside those that say which faces: it can be nothing else.
    return names[0] if len(names) == 1 and not _class(names[0]) else None


def _numbers(cells: pd.Series[Any], name: str) -> npt.NDArray[np.float64]:
    words = cells.tolist()
    if all(cell.lower() in _TRUTH for cell in words):
        words = [_TRUTH[cell.lower()] for cell in words]
    try:
        return np.array([float(cell) for cell in words], dtype=np.float64)
    except ValueError:
        wrong = next(cell for cell in cells.tolist() if not _is_number(cell))
        told = "is empty" if not wrong else f"holds {shown(wrong)[:40]!r}"
        raise UnreadableError(f"its column {shown(name)} {told} where a number should be") from None


def _is_list(cell: str) -> bool:
    return cell.startswith("[") and cell.endswith("]")


def _lists(cells: pd.Series[Any], name: str) -> npt.NDArray[np.float64]:
    """A column of which each cell holds all numbers of a face, as Python and NumPy write lists."""
    rows = [cell.strip("[]").replace(",", " ").split() for cell in cells.tolist()]
    if any(len(row) != len(rows[0]) for row in rows):
        raise UnreadableError(f"the lists in its column {shown(name)} differ in length")
    try:
        return np.array(rows, dtype=np.float64)
    except ValueError:
        raise UnreadableError(f"the lists in its column {shown(name)} hold what is no number") from None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _is_whole(cell: str) -> bool:
    return re.fullmatch(r"-?\d{1,12}(?:\.0+)?", cell) is not None


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()
