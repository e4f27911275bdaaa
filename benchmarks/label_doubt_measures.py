"""How well doubt ranks labels that the crowd rejects, beside other rules, and labels that were made wrong on purpose.

Part of ``benchmarks/label_doubt.py``.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt

from benchmarks.label_doubt_fit import RUNS, SEED, Bool, Faces, Float, asked
from fer_core.emotions import COUNT, index_of
from fer_core.review.verdict import by_doubt
from fer_core.stats.intervals import wilson_interval
from fer_core.stats.label_doubt import label_doubt
from fer_core.stats.label_issues import confident_joint, normalised_margin

RESAMPLES, MOST = 2000, 200

SEEDS = 5
MISTAKES = (("at random", 0.1), ("at random", 0.25), ("alike", 0.1), ("alike", 0.25), ("neutral called sad", 0.3))
"""Kinds of mistakes put into the crowd's labels, and the share of the labels that each changes."""
ALIKE = np.array([index_of(name) for name in ("sad", "angry", "surprise", "neutral", "neutral", "fear", "sad")])
"""Which class each is mistaken for, where the two look alike."""
SAD, NEUTRAL = index_of("sad"), index_of("neutral")


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
