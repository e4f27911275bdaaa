"""Fit and check the model of label doubt on FER+'s votes: writes the shipped table and the figures of the docs.

    python benchmarks/label_doubt.py datasets/fer2013             # PublicTest: fits, cross-validates, writes
    python benchmarks/label_doubt.py datasets/fer2013 --final     # PrivateTest: one last figure, a look in the ledger

The dataset must have FER+ added to it and be audited: near-duplicates stay on one side of a fold. The rows of each face
are those of every choice among the runs, one run to all of them, so that the table serves any number of runs.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from benchmarks.label_doubt_fit import FOLDS, RUNS, SEED, asked, fit_choices, fit_folds, read
from benchmarks.label_doubt_measures import (
    former,
    joint_rule,
    known_rule,
    made_up_mistakes,
    rated,
    reliability,
    verdicts,
    verdicts_by_runs,
)
from fer_core.data.dataset import load_dataset
from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST
from fer_core.files import sha256_of
from fer_core.runs.ledger import write_look
from fer_core.stats.label_doubt import FEATURES, TABLE, label_doubt

ROOT = Path(__file__).resolve().parent.parent
OTHERS = ("vote", "tiny")
"""Not fitted on, the one being made of the others and the second taught by them, but measured with: they ship, too."""
COMMAND = "python benchmarks/label_doubt.py datasets/fer2013"
TABLE_LOOK = ROOT / "models" / "label_doubt"
"""Stands for the table in the ledger, as the folder of a run does; there is none of that name."""
PICTURE = ROOT / "docs" / "label-or-model.svg"
FIGURES = ROOT / "docs" / "label-or-model.json"
LAST_FIGURES = ROOT / "docs" / "label-or-model-final.json"


def picture(bins: list[dict[str, object]]) -> str:
    """The reliability plot, SVG: said across, measured up, with 95 % intervals."""

    def x(share: float) -> float:
        return 60 + 300 * share

    def y(share: float) -> float:
        return 330 - 300 * share

    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 380 390" font-family="sans-serif" font-size="12">',
        '<rect width="380" height="390" fill="white"/>',
        '<path d="M60 30V330H360" fill="none" stroke="#555"/>',
        '<path d="M60 330L360 30" stroke="#999" stroke-dasharray="4 4"/>',
    ]
    for tick in (0, 0.5, 1):
        parts.append(f'<text x="{x(tick)}" y="348" text-anchor="middle">{tick:.0%}</text>')
        parts.append(f'<text x="52" y="{y(tick) + 4}" text-anchor="end">{tick:.0%}</text>')
    for each in bins:
        at = x(float(each["said"]))  # type: ignore[arg-type]
        low, high = y(float(each["low"])), y(float(each["high"]))  # type: ignore[arg-type]
        middle = y(int(each["rejected"]) / int(each["faces"]))  # type: ignore[call-overload]
        parts.append(f'<path d="M{at:.1f} {low:.1f}V{high:.1f}" stroke="#0b5fa5" stroke-width="2"/>')
        parts.append(f'<circle cx="{at:.1f}" cy="{middle:.1f}" r="4" fill="#0b5fa5"/>')
    parts.append('<text x="210" y="376" text-anchor="middle">said: share of labels that the crowd rejects</text>')
    parts.append('<text transform="translate(16 180) rotate(-90)" text-anchor="middle">measured on PublicTest</text>')
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of the imported FER-2013, with FER+ added")
    parser.add_argument(
        "--final", action="store_true", help="measure the shipped table on PrivateTest; record the look"
    )
    options = parser.parse_args()
    every = tuple(range(len(RUNS)))
    if options.final:
        look(options.data)
        faces = read(options.data, PRIVATE_TEST)
        doubt = label_doubt(faces.labels, faces.probabilities)
        figures = {
            "table": rated(faces, doubt), "before": rated(faces, former(faces)),
            "verdicts": verdicts(faces, doubt, every), "reliability": reliability(faces, doubt),
        }  # fmt: skip
        LAST_FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        print(json.dumps(figures, indent=1))
        return
    faces = read(options.data, PUBLIC_TEST)
    fitted = fit_folds(faces, every)
    doubt = asked(faces, fitted, every)
    alone = {
        name: {
            "fitted with it": rated(faces, asked(faces, fitted, (at,))),
            "fitted without it": rated(faces, asked(faces, fit_folds(faces, tuple(set(every) - {at})), (at,))),
        }
        for at, name in enumerate(RUNS)
    }
    with_others = read(options.data, PUBLIC_TEST, (*RUNS, *OTHERS))
    for at, name in enumerate(OTHERS, start=len(RUNS)):
        alone[name] = {"fitted without it": rated(with_others, asked(with_others, fitted, (at,)))}
    everyone, few = np.ones(len(faces.labels), bool), faces.support < 0.5
    figures = {
        "cross-validated": rated(faces, doubt), "before": rated(faces, former(faces)),
        "cross-validated, without twins": rated(faces, doubt, use=faces.judged & ~faces.twin),
        "without votes": rated(faces, known_rule(faces)),
        "without votes, by confident learning's joint": rated(
            faces, joint_rule(faces.labels, faces.probabilities.mean(axis=0))
        ),
        "one run": alone,
        "all that ship": rated(with_others, asked(with_others, fitted, tuple(range(len(RUNS) + len(OTHERS))))),
        "fewer than half of the votes, all faces": {
            "cross-validated": rated(faces, doubt, few, everyone), "before": rated(faces, former(faces), few, everyone),
        },
        "made-up mistakes in the crowd's labels": made_up_mistakes(faces, faces.crowd),
        "reliability": reliability(faces, doubt),
    }  # fmt: skip
    beta = fit_choices(faces, everyone, every)
    table = {
        "made_by": COMMAND,
        "fitted_on": f"{PUBLIC_TEST}, FER+'s votes; {FOLDS} folds, near-duplicates in one fold, seed {SEED}",
        "runs": list(RUNS),
        "checked_with": list(OTHERS),
        "data": {"title": "FER-2013", "fingerprint": faces.fingerprint},
        "cross_validated": figures["cross-validated"],
        "coefficients": {name: round(float(value), 6) for name, value in zip(FEATURES, beta, strict=True)},
        "verdicts": verdicts_by_runs(faces, fitted),
    }
    TABLE.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    PICTURE.write_text(picture(reliability(faces, doubt)), encoding="utf-8")
    print(json.dumps(figures | {"verdicts": table["verdicts"]}, indent=1))


def look(data: Path) -> None:
    """Write the look at PrivateTest's votes into the ledger of what ships, before they are read."""
    write_look(
        TABLE_LOOK,
        TABLE_LOOK,
        sha256_of(TABLE),
        load_dataset(data).info.record(),
        "Not a model: the ranking of doubtful labels against PrivateTest's votes.",
    )


if __name__ == "__main__":
    main()
