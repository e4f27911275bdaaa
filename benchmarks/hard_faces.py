"""Measure the shipped runs on faces behind glasses, covered or turned: writes ``fer_core/evaluation/hard_faces.json``.

    python benchmarks/hard_faces.py datasets/fer2013 lists/ --final

``lists/`` holds FER+'s ``fer2013new.csv``, whose lines say which picture stands in which row, and
``jianfei_occlusion_list.txt`` and ``pose_45_ferplus_list.txt`` of Wang and others, 2020, from the folder
``FERplus_dir`` of https://github.com/kaiwang960112/Challenge-condition-FER-dataset. All their faces are PrivateTest's,
so every run that the file does not tell of yet costs a look, which goes into the ledger first; nothing is chosen by
these figures. Faces that have a twin in Training are left out.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from fer_core.data.dataset import load_dataset
from fer_core.emotions import PRIVATE_TEST
from fer_core.evaluation.aligned_predictions import align
from fer_core.evaluation.hard_faces import SHIPPED, SOURCE, hard
from fer_core.runs.folder import RunFolder
from fer_core.runs.ledger import write_look

MODELS = Path(__file__).resolve().parent.parent / "models"
COVERED = {"0": "forehead", "1": "mouth", "2": "sides", "3": "glasses"}
"""What the last number of a line of the first list means; the list does not say, its pictures do."""
NOTE = "On faces behind glasses, covered or turned, by the lists of Wang and others, 2020."


def read_lists(folder: Path) -> dict[str, list[int]]:
    """Row numbers by group."""
    # The number in a picture's name is not its row: FER+ numbers only the pictures that it kept.
    with (folder / "fer2013new.csv").open(encoding="utf-8", newline="") as file:
        rows = {line["Image name"].partition(".")[0]: row for row, line in enumerate(csv.DictReader(file))}
    groups: dict[str, list[int]] = {name: [] for name in (*COVERED.values(), "turned")}
    for line in (folder / "jianfei_occlusion_list.txt").read_text(encoding="utf-8").splitlines():
        groups[COVERED[line.split()[-1]]].append(rows[_picture(line)])
    for line in (folder / "pose_45_ferplus_list.txt").read_text(encoding="utf-8").splitlines():
        groups["turned"].append(rows[_picture(line)])
    return groups


def _picture(line: str) -> str:
    found = re.search(r"(fer\d{7})\.", line)
    if found is None:
        raise SystemExit(f"no picture is named in the line {line!r}")
    return found[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of the imported FER-2013")
    parser.add_argument("lists", type=Path, help="folder with the three files")
    parser.add_argument("--final", action="store_true", help="open PrivateTest: a look for each run, which is counted")
    options = parser.parse_args()
    groups, dataset = read_lists(options.lists), load_dataset(options.data)
    if not options.final:
        raise SystemExit(f"All these faces are {PRIVATE_TEST}'s: --final opens it, and counts a look for each run.")
    record = dataset.info.record()
    runs = [RunFolder(path) for path in sorted(MODELS.iterdir()) if (path / "run.json").is_file()]
    models = {run.name: found.model for run in runs if (found := run.evaluation(dataset.info.fingerprint))}
    before = json.loads(SHIPPED.read_text(encoding="utf-8"))
    known = before["models"] if before["data"]["fingerprint"] == dataset.info.fingerprint else {}
    for run in runs:
        # Made again of the very model that the file tells of, they tell nothing new.
        if known.get(run.name) != models[run.name]:
            write_look(run.path, run.path, models[run.name], record, NOTE)
    whole = align(runs, PRIVATE_TEST, fingerprint=dataset.info.fingerprint)
    if whole.near_duplicate is None:
        raise SystemExit("It is not known which faces have twins: evaluate the runs again.")
    whole = whole.where(~whole.near_duplicate)
    figures = {
        group: {
            name: {
                key: round(value, 6)
                for key, value in asdict(hard(whole.labels, said == whole.labels, np.isin(whole.rows, rows))).items()
            }
            for name, said in zip(whole.names, whole.predicted, strict=True)
        }
        for group, rows in groups.items()
    }
    values = {
        "made_by": "python benchmarks/hard_faces.py datasets/fer2013 lists/ --final",
        "source": SOURCE,
        "data": {"title": dataset.info.title, "fingerprint": dataset.info.fingerprint},
        "models": models,
        "groups": figures,
    }
    SHIPPED.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
