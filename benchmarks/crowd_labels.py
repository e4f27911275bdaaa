"""Measure the shipped runs under FER+'s labels: writes ``fer_core/leaderboard/crowd.json``.

    python benchmarks/crowd_labels.py datasets/fer2013

Both test splits: the shipped models are final, and nothing is chosen here. The look at PrivateTest's votes is to be
recorded in ``docs/lab-log.md``. The dataset must have FER+ added to it.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from fer_core.data.dataset import load_dataset
from fer_core.data.ferplus import read_ferplus
from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST
from fer_core.evaluation.aligned_predictions import align
from fer_core.leaderboard.crowd import COMMAND, SHIPPED, crowd_markdown
from fer_core.review.crowd_scores import Share, crowd_scores
from fer_core.runs.folder import RunFolder

MODELS = Path(__file__).resolve().parent.parent / "models"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of the imported FER-2013, with FER+ added")
    dataset = load_dataset(parser.parse_args().data)
    crowd = read_ferplus(dataset)
    if crowd is None:
        raise SystemExit("There are no votes: add FER+ to the dataset on the page Dataset, then run this again.")
    fingerprint = dataset.info.fingerprint
    runs = [RunFolder(path) for path in sorted(MODELS.iterdir()) if (path / "run.json").is_file()]
    splits = {}
    for split in (PUBLIC_TEST, PRIVATE_TEST):
        found = crowd_scores(align(runs, split, fingerprint=fingerprint), crowd)
        splits[split] = {run.name: _rounded(shares) for run, shares in zip(runs, found, strict=True)}
    values = {
        "made_by": COMMAND,
        "data": {"title": dataset.info.title, "fingerprint": fingerprint},
        "models": {run.name: evaluation.model for run in runs if (evaluation := run.evaluation(fingerprint))},
        "splits": splits,
    }
    SHIPPED.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    print(crowd_markdown())


def _rounded(shares: dict[str, Share]) -> dict[str, dict[str, float]]:
    return {column: {key: round(value, 6) for key, value in asdict(share).items()} for column, share in shares.items()}


if __name__ == "__main__":
    main()
