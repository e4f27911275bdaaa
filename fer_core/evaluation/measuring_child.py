"""The child process of :mod:`fer_core.evaluation.measuring`, which starts it with a dataset folder and runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from fer_core.data.dataset import load_dataset
from fer_core.errors import FerError
from fer_core.evaluation.measure_litert import measure_with_litert
from fer_core.evaluation.measuring import MeasuringRecord, held, new_record, record_path
from fer_core.files import write_json
from fer_core.progress import Progress
from fer_core.runs.listing import find_run
from fer_core.writable import sentence

EVERY_S = 0.5
"""Seconds between two words about the progress."""


def measure_all(data: Path, runs: Sequence[str]) -> list[str]:
    """Measure runs, names or folders, one after the other, and say how far that is. Returns the problems.

    Nothing is done where another process measures. Raises ``DataError`` where the dataset cannot be read.
    """
    with held() as free:
        if not free:
            return []
        dataset = load_dataset(data)
        record = new_record(dataset.info.record(), [Path(run).name for run in runs])
        for index, run in enumerate(runs):
            _tell({**record, "done": index, "share": index / len(runs), "now": f"{Path(run).name} is opened"})
            try:
                measure_with_litert(find_run(run), dataset, _Teller(record, index))
            except FerError as error:
                record["problems"].append(str(error))
            except OSError as error:
                record["problems"].append(sentence(error))
        _tell({**record, "done": len(runs), "share": 1.0, "now": "done", "ended": True})
        return record["problems"]


class _Teller:
    """Writes down how far the run number ``index`` is."""

    def __init__(self, record: MeasuringRecord, index: int) -> None:
        self._record, self._index, self._told = record, index, float("-inf")

    def __call__(self, progress: Progress) -> None:
        if time.monotonic() - self._told < EVERY_S:
            return
        self._told = time.monotonic()
        part = progress.done / progress.total if progress.total else 0.0
        share = (self._index + 0.9 * min(1.0, part)) / len(self._record["runs"])
        _tell({**self._record, "done": self._index, "share": share, "now": progress.message})


def _tell(record: MeasuringRecord) -> None:
    write_json(record_path(), record)


if __name__ == "__main__":
    sys.exit(1 if measure_all(Path(sys.argv[1]), sys.argv[2:]) else 0)
