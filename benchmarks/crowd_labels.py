"""Measure the shipped runs under FER+'s labels: writes ``fer_core/leaderboard/crowd.json``.

    python benchmarks/crowd_labels.py datasets/fer2013             # PublicTest; PrivateTest where it was opened
    python benchmarks/crowd_labels.py datasets/fer2013 --final     # PrivateTest of all; each new look is counted

Nothing is chosen here. Figures of PrivateTest that the file holds of this very model are made again without a new look:
they tell nothing new. The dataset must have FER+ added to it.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fer_core.data.dataset import Dataset, load_dataset
from fer_core.data.ferplus import read_ferplus
from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST
from fer_core.evaluation.aligned_predictions import align
from fer_core.leaderboard.crowd import COMMAND, SHIPPED, crowd_markdown, shipped_crowd_figures
from fer_core.review.crowd_scores import Share, crowd_scores
from fer_core.runs.folder import RunFolder
from fer_core.runs.ledger import write_look

MODELS = Path(__file__).resolve().parent.parent / "models"


NOTE = "Under the crowd's labels."


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of the imported FER-2013, with FER+ added")
    parser.add_argument("--final", action="store_true", help="open PrivateTest for every run: a look, which is counted")
    options = parser.parse_args()
    dataset = load_dataset(options.data)
    crowd = read_ferplus(dataset)
    if crowd is None:
        raise SystemExit("There are no votes: add FER+ to the dataset on the page Dataset, then run this again.")
    runs = [RunFolder(path) for path in sorted(MODELS.iterdir()) if (path / "run.json").is_file()]
    models = {run.name: model_of(run, dataset) for run in runs}
    opened = [run for run in runs if may_open(run, models[run.name], dataset, final=options.final)]
    splits = {}
    for split, those in ((PUBLIC_TEST, runs), (PRIVATE_TEST, opened)):
        if those:
            found = crowd_scores(align(those, split, fingerprint=dataset.info.fingerprint), crowd)
            splits[split] = {run.name: _rounded(shares) for run, shares in zip(those, found, strict=True)}
    values = {
        "made_by": COMMAND,
        "data": {"title": dataset.info.title, "fingerprint": dataset.info.fingerprint},
        "models": models,
        "splits": splits,
    }
    SHIPPED.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    shipped_crowd_figures.cache_clear()
    print(crowd_markdown())
    if closed := [run.name for run in runs if run not in opened]:
        print(f"{PRIVATE_TEST} stays closed for {', '.join(closed)}: --final opens it, and counts the look.")


def model_of(run: RunFolder, dataset: Dataset) -> str:
    """SHA-256 of the model that was measured on these faces."""
    evaluation = run.evaluation(dataset.info.fingerprint)
    if evaluation is None:
        raise SystemExit(f"{run.path} was not measured on {dataset.info.path}: evaluate it first.")
    return evaluation.model


def may_open(run: RunFolder, model: str, dataset: Dataset, *, final: bool) -> bool:
    """Whether PrivateTest's votes are looked at for this run; a look that tells anything new is written down first."""
    if shipped_crowd_figures().of(dataset.info.fingerprint, PRIVATE_TEST, run.name, model):
        return True
    if final:
        write_look(run.path, run.path, model, dataset.info.record(), NOTE)
    return final


def _rounded(shares: dict[str, Share]) -> dict[str, dict[str, float]]:
    return {column: {key: round(value, 6) for key, value in asdict(share).items()} for column, share in shares.items()}


if __name__ == "__main__":
    main()
