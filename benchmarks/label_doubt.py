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
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import numpy.typing as npt

from fer_core.data.audit import Audit, audit_dataset, near_duplicates_of
from fer_core.data.dataset import load_dataset
from fer_core.data.ferplus import REASONS, TIE, read_ferplus
from fer_core.emotions import COUNT, PRIVATE_TEST, PUBLIC_TEST, index_of
from fer_core.evaluation.aligned_predictions import align
from fer_core.files import sha256_of
from fer_core.review.scope import scope
from fer_core.review.verdict import by_doubt
from fer_core.runs.folder import RunFolder
from fer_core.runs.ledger import write_look
from fer_core.stats.calibration import apply_temperature
from fer_core.stats.intervals import wilson_interval
from fer_core.stats.label_doubt import FEATURES, TABLE, features, label_doubt, sigmoid
from fer_core.stats.label_issues import confident_joint, normalised_margin

ROOT = Path(__file__).resolve().parent.parent
RUNS = ("custom_cnn", "custom_cnn_augmented", "resnet50", "vgg16")
VOTE = "vote"
"""Not fitted on, since it is made of the others, but measured with: people look at its mistakes, too."""
FOLDS, SEED, RESAMPLES, MOST = 10, 0, 2000, 200
PENALTY = 1.0
"""On the square of each coefficient; it only keeps the one column too many (the seven classes add up to 1) in place."""
COMMAND = "python benchmarks/label_doubt.py datasets/fer2013"
TABLE_LOOK = ROOT / "models" / "label_doubt"
"""Stands for the table in the ledger, as the folder of a run does; there is none of that name."""
PICTURE = ROOT / "docs" / "label-or-model.svg"
FIGURES = ROOT / "docs" / "label-or-model.json"
LAST_FIGURES = ROOT / "docs" / "label-or-model-final.json"

SEEDS = 5
MISTAKES = (("at random", 0.1), ("at random", 0.25), ("alike", 0.1), ("alike", 0.25), ("neutral called sad", 0.3))
"""Kinds of mistakes put into the crowd's labels, and the share of the labels that each changes."""
ALIKE = np.array([index_of(name) for name in ("sad", "angry", "surprise", "neutral", "neutral", "fear", "sad")])
"""Which class each is mistaken for, where the two look alike."""
SAD, NEUTRAL = index_of("sad"), index_of("neutral")

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Faces:
    """A split's labels int (n,), calibrated probabilities (K, n, 7), whether the crowd rejects the label and whether
    it has a single commonest answer, bool (n,), the group of near-duplicates, int (n,), the share of the votes for the
    label, the crowd's class, -1 where it gives none, and whether the face has a twin in Training."""

    labels: npt.NDArray[np.int8]
    probabilities: Float
    rejected: Bool
    judged: Bool
    group: Int
    support: Float
    crowd: npt.NDArray[np.int8]
    twin: Bool
    fingerprint: str


def read(data: Path, split: str, names: tuple[str, ...] = RUNS) -> Faces:
    dataset = load_dataset(data)
    crowd = read_ferplus(dataset)
    if crowd is None:
        raise SystemExit(f"{data} has no votes: add FER+ to it on the page Dataset, then run this again.")
    runs = [RunFolder(ROOT / "models" / name) for name in names]
    fingerprint = dataset.info.fingerprint
    found = scope(runs, split, fingerprint=fingerprint)
    whole = align(runs, split, fingerprint=fingerprint)
    values = np.stack([apply_temperature(p, t) for p, t in zip(whole.probabilities, found.temperatures, strict=True)])
    return Faces(
        labels=whole.labels,
        probabilities=values.astype(np.float64),
        rejected=crowd.votes[whole.rows].argmax(axis=1) != whole.labels,
        judged=crowd.reasons[whole.rows] != REASONS.index(TIE),
        group=_groups(audit_dataset(dataset))[whole.rows],
        support=crowd.support(dataset.labels)[whole.rows].astype(np.float64),
        crowd=crowd.labels()[whole.rows],
        twin=near_duplicates_of(dataset).exact_or_near[whole.rows],
        fingerprint=fingerprint,
    )


def _groups(audit: Audit) -> Int:
    """The lowest row that a face hangs together with, over exact and near duplicates of any number of steps."""
    parent = np.arange(len(audit), dtype=np.int64)

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = int(parent[row])
        return row

    for row in range(len(audit)):
        for other in (int(audit.group[row]), *(each.row for each in audit.near_duplicates(row))):
            low, high = sorted((root(row), root(other)))
            parent[high] = low
    return np.array([root(row) for row in range(len(audit))])


def fit(x: Float, y: Float, weight: float) -> Float:
    """Logistic regression by Newton's method, ridge :data:`PENALTY`."""
    beta = np.zeros(x.shape[1])
    for _ in range(30):
        p = sigmoid(x @ beta)
        slope = weight * x.T @ (y - p) - PENALTY * beta
        curve = weight * (x * (p * (1 - p))[:, np.newaxis]).T @ x + PENALTY * np.eye(len(beta))
        step = np.linalg.solve(curve, slope)
        beta = beta + step
        if np.abs(step).max() < 1e-8:
            return beta
    raise SystemExit("the fit did not settle")


def fit_choices(faces: Faces, which: Bool, runs: tuple[int, ...]) -> Float:
    """The coefficients from these faces, over every choice among ``runs``."""
    choices = [list(some) for size in range(1, len(runs) + 1) for some in combinations(runs, size)]
    use = which & faces.judged
    x = np.concatenate([features(faces.labels[use], faces.probabilities[some][:, use]) for some in choices])
    return fit(x, np.tile(faces.rejected[use].astype(np.float64), len(choices)), 1 / len(choices))


def folds(faces: Faces) -> Int:
    """A fold 0..9 for each face, the same for a whole group of near-duplicates."""
    groups, at = np.unique(faces.group, return_inverse=True)
    return np.random.default_rng(SEED).permutation(np.arange(len(groups)) % FOLDS)[at]


def fit_folds(faces: Faces, runs: tuple[int, ...]) -> list[Float]:
    """For each fold the coefficients from the faces of the others, over every choice among ``runs``."""
    fold = folds(faces)
    return [fit_choices(faces, fold != each, runs) for each in range(FOLDS)]


def asked(faces: Faces, fitted: list[Float], ask: tuple[int, ...]) -> Float:
    """Each face's doubt, asked with the runs ``ask``, by the model of :func:`fit_folds` that saw none of its fold."""
    fold, doubt = folds(faces), np.zeros(len(faces.labels))
    x = features(faces.labels, faces.probabilities[list(ask)])
    for each, beta in enumerate(fitted):
        doubt[fold == each] = sigmoid(x[fold == each] @ beta)
    return doubt


def auroc(positive: Bool, score: Float) -> float:
    """Area under the ROC curve; ties count a half."""
    _, at, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[at]
    n = int(positive.sum())
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * (len(score) - n)))


def rated(faces: Faces, score: Float, positive: Bool | None = None, use: Bool | None = None) -> dict[str, object]:
    """AUROC with a bootstrap interval over faces, and the share that is right among the most doubtful."""
    keep = faces.judged if use is None else use
    y, s = (faces.rejected if positive is None else positive)[keep], score[keep]
    generator = np.random.default_rng(SEED)
    draws = [auroc(y[some], s[some]) for some in (generator.integers(0, len(y), len(y)) for _ in range(RESAMPLES))]
    low, high = np.quantile(draws, [0.025, 0.975])
    right = int(y[np.argsort(-s, kind="stable")[:MOST]].sum())
    ends = wilson_interval(right, MOST)
    return {
        "n": len(y), "rejected": int(y.sum()), "auroc": round(auroc(y, s), 6),
        "auroc_low": round(float(low), 6), "auroc_high": round(float(high), 6),
        "right_of_200": right, "right_low": round(float(ends[0]), 6), "right_high": round(float(ends[1]), 6),
    }  # fmt: skip


def counted(faces: Faces, which: Bool) -> dict[str, object]:
    """How many of these faces there are, and of how many the crowd rejected the label."""
    use = which & faces.judged
    return share_of(int(faces.rejected[use].sum()), int(use.sum()))


def share_of(k: int, n: int) -> dict[str, object]:
    low, high = wilson_interval(k, n)
    return {"faces": n, "rejected": k, "low": round(float(low), 6), "high": round(float(high), 6)}


def verdicts(faces: Faces, doubt: Float, ask: tuple[int, ...]) -> dict[str, dict[str, object]]:
    against = (faces.probabilities[list(ask)].argmax(axis=2) != faces.labels).sum(axis=0)
    kinds = np.array([by_doubt(float(d), int(a)) for d, a in zip(doubt, against, strict=True)])
    return {str(kind): counted(faces, kinds == kind) for kind in np.unique(kinds)}


def verdicts_by_runs(faces: Faces, fitted: list[Float]) -> dict[str, dict[str, dict[str, object]]]:
    """By number of runs: the counts of each verdict, as means over every choice of as many runs."""
    found: dict[str, dict[str, dict[str, object]]] = {}
    for size in range(1, len(RUNS) + 1):
        each = [verdicts(faces, asked(faces, fitted, some), some) for some in combinations(range(len(RUNS)), size)]
        found[str(size)] = {}
        for kind in each[0]:
            faces_of, rejected = (
                round(float(np.mean([one[kind][key] for one in each]))) for key in ("faces", "rejected")
            )
            found[str(size)][kind] = share_of(rejected, faces_of)
    return found


def reliability(faces: Faces, doubt: Float) -> list[dict[str, object]]:
    """Ten bins of doubt: what was said, and what the crowd did."""
    bins = np.minimum((doubt * 10).astype(int), 9)
    return [
        {"said": round(float(doubt[(bins == b) & faces.judged].mean()), 6), **counted(faces, bins == b)}
        for b in range(10)
    ]


def former(faces: Faces) -> Float:
    """The ranking before: 1 less the normalised margin of the mean probabilities."""
    return 1 - normalised_margin(faces.labels, faces.probabilities.mean(axis=0))


def known_rule(faces: Faces) -> Float:
    """1 - p(label) x the class's mean confidence, without any vote."""
    own = faces.probabilities.mean(axis=0)[np.arange(len(faces.labels)), faces.labels]
    means = np.array([own[faces.labels == label].mean() for label in range(COUNT)])
    return 1 - own * means[faces.labels]


def joint_rule(labels: npt.NDArray[np.int8], mean: Float) -> Float:
    """Without any vote: how improbable the label is, given what labels of its class confidently are.

    The mean probabilities, weighted by the label's row of confident learning's joint counts.
    """
    counts = confident_joint(labels, mean).astype(np.float64)
    weighted = mean * (counts / counts.sum(axis=1, keepdims=True))[labels]
    return 1 - weighted[np.arange(len(labels)), labels] / weighted.sum(axis=1)


def made_up_mistakes(faces: Faces, crowd: npt.NDArray[np.int8]) -> dict[str, dict[str, object]]:
    """Other labels than FER-2013's: the crowd's, of which some are changed on purpose, and who finds those.

    ``crowd``: 0..6, -1 where it gives none of the seven. The shipped table was fitted on these faces' votes, for
    FER-2013's labels; it has seen none of these mistakes.
    """
    use = crowd >= 0
    true, values = crowd[use], faces.probabilities[:, use]
    mean = values.mean(axis=0)
    found: dict[str, dict[str, object]] = {}
    for kind, share in MISTAKES:
        rules: dict[str, list[tuple[float, int]]] = {}
        for seed in range(SEEDS):
            generator = np.random.default_rng(seed)
            changed = generator.random(len(true)) < share
            labels = np.where(changed, (true + generator.integers(1, COUNT, len(true))) % COUNT, true).astype(np.int8)
            if kind == "alike":
                labels = np.where(changed, ALIKE[true], true).astype(np.int8)
            elif kind == "neutral called sad":
                changed &= true == NEUTRAL
                labels = np.where(changed, SAD, true).astype(np.int8)
            for name, score in (
                ("the doubt", label_doubt(labels, values)),
                ("before", 1 - normalised_margin(labels, mean)),
                ("confident learning's joint", joint_rule(labels, mean)),
            ):
                most = np.argsort(-score, kind="stable")[:MOST]
                rules.setdefault(name, []).append((auroc(labels != true, score), int((labels != true)[most].sum())))
        found[f"{kind}, {share:.0%}"] = {
            name: {
                "auroc": round(float(np.mean([a for a, _ in each])), 6),
                "right_of_200": round(np.mean([r for _, r in each])),
            }
            for name, each in rules.items()
        } | {"faces": len(true)}
    return found


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
    with_vote = read(options.data, PUBLIC_TEST, (*RUNS, VOTE))
    alone[VOTE] = {"fitted without it": rated(with_vote, asked(with_vote, fitted, (len(RUNS),)))}
    everyone, few = np.ones(len(faces.labels), bool), faces.support < 0.5
    figures = {
        "cross-validated": rated(faces, doubt), "before": rated(faces, former(faces)),
        "cross-validated, without twins": rated(faces, doubt, use=faces.judged & ~faces.twin),
        "without votes": rated(faces, known_rule(faces)),
        "without votes, by confident learning's joint": rated(
            faces, joint_rule(faces.labels, faces.probabilities.mean(axis=0))
        ),
        "one run": alone,
        "all and the vote": rated(with_vote, asked(with_vote, fitted, (*every, len(RUNS)))),
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
        "checked_with": [VOTE],
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
