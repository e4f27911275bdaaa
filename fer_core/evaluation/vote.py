"""Build a soft vote of several runs and evaluate it: a run folder like any other, made of other runs.

Everything is chosen on PublicTest: first each member's temperature (Guo et al., 2017,
https://arxiv.org/abs/1706.04599), then the weights. PrivateTest is only ever scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fer_core.data.face_rows import FaceRows, in_batches
from fer_core.emotions import COUNT, PUBLIC_TEST
from fer_core.errors import RunError
from fer_core.evaluation.measure import (
    measure,
    open_rows,
    seal_measured,
    test_rows,
    untrained_manifest,
    write_test_predictions,
)
from fer_core.evaluation.scores import accuracies
from fer_core.files import sha256_of, write_json
from fer_core.inference.predictor import mirrored
from fer_core.inference.vote import VotePredictor
from fer_core.runs.card import write_card
from fer_core.runs.contracts import Metrics, Opened
from fer_core.runs.evaluations import (
    FOLDER,
    PREDICTIONS,
    folder_name,
)
from fer_core.runs.folder import RunFolder, seal
from fer_core.runs.listing import VOTE
from fer_core.runs.measurements import evaluation_on
from fer_core.runs.predictions import probabilities_of
from fer_core.runs.transaction import Change, change, new_folder
from fer_core.runs.upgrade import upgrade
from fer_core.runs.vote import Member, Vote, homes, member_folders, read_vote, title_of
from fer_core.stats.calibration import FEWEST_TO_CALIBRATE, apply_temperature, usable_temperature
from fer_core.stats.metrics import SMALLEST_PROBABILITY

if TYPE_CHECKING:
    import pandas as pd

    from fer_core.data.dataset import Dataset

GAP = 1e-7
"""Nats: the weights are good when no others can have a log loss on PublicTest that is lower by more than this."""
MOST_STEPS = 20_000
DIGITS = 4
"""Weights and temperatures are kept to so many decimals: more would be noise, and people read them."""
SMALLEST_WEIGHT = 0.01
"""A member that would weigh less is not asked at all: it would cost its time and change next to nothing."""
METHOD = (
    "Each member's temperature was fitted on PublicTest by log loss. Then weights of at least 0 that add up to 1 were "
    "chosen on PublicTest for the lowest log loss of the weighted mean of the probabilities; a member that would have "
    "weighed less than 1 % was left out, and the others' weights were chosen again."
)


METHOD_WITHOUT_TEMPERATURES = (
    f"PublicTest has fewer than {FEWEST_TO_CALIBRATE} faces here, too few to fit temperatures, so the members' "
    "probabilities count as they are. Weights" + METHOD.partition("Then weights")[2]
)


def choose_weights(labels: npt.ArrayLike, probabilities: Sequence[npt.ArrayLike]) -> npt.NDArray[np.float64]:
    """The weights, float64 (K,) ≥ 0 with sum 1, whose mixture of K predictions has the lowest log loss.

    ``labels``: int (n,), 0..6, n ≥ 1. ``probabilities``: K arrays, float (n, 7). The problem is convex, and the EM
    step for mixture weights (Dempster, Laird and Rubin, 1977, https://doi.org/10.1111/j.2517-6161.1977.tb01600.x)
    never makes the loss worse. It ends when the loss is proven to lie within :data:`GAP` of the best one: no mixture
    can gain more than the largest gradient minus 1 (Lindsay, 1983, https://doi.org/10.1214/aos/1176346059).

    Raises ``ValueError`` for no member, no face, or shapes that do not fit.
    """
    true = np.asarray(labels)
    rows = [np.asarray(member, dtype=np.float64) for member in probabilities]
    if not rows or not len(true) or any(member.shape != (len(true), COUNT) for member in rows):
        raise ValueError(f"{len(rows)} members and {len(true)} labels: at least one of each, (n,) and (n, {COUNT})")
    of_truth = np.stack([np.maximum(member[np.arange(len(true)), true], SMALLEST_PROBABILITY) for member in rows], 1)
    weights = np.full(len(rows), 1 / len(rows))
    for _ in range(MOST_STEPS):
        gradient = (of_truth / (of_truth @ weights)[:, None]).mean(axis=0)
        if gradient.max() - 1 < GAP:
            break
        weights *= gradient
    return weights / weights.sum()


def build_vote(members: Sequence[RunFolder], dataset: Dataset, out: Path) -> RunFolder:
    """Build a vote folder from the members' predictions; no member runs, except to take the time.

    ``out`` is a new folder, or a vote to replace. Raises ``RunError``, with nothing written, where fewer than two
    members are given, one is no complete single model or was not measured on ``dataset``, or ``out`` is taken or
    lies where the members would not be found again.
    """
    out = out.expanduser().resolve()
    target = RunFolder(out)
    if out.exists() and not target.is_vote:
        raise RunError(f"{out} exists already and is not a vote. Choose another place with --out or --name.")
    _check_members(members, dataset, target)
    frames = [_predictions(member, dataset) for member in members]
    vote, probabilities = _choose(members, frames)
    rows = frames[0]["row"].to_numpy()
    if out.exists():
        with change(out) as prepared:
            _prepare(target, prepared, vote, rows, probabilities, dataset)
    else:
        with new_folder(out) as new, change(new) as prepared:
            _prepare(target, prepared, vote, rows, probabilities, dataset)
    write_card(target)
    return target


def _prepare(
    target: RunFolder,
    prepared: Change,
    vote: Vote,
    rows: npt.NDArray[np.intp],
    probabilities: npt.NDArray[np.float32],
    dataset: Dataset,
) -> None:
    """``vote.json``, the evaluation on the faces of these rows, and ``run.json``."""
    vote_path = prepared.file(target.vote_path.name)
    write_json(vote_path, vote.to_dict())
    _write_evaluation(target, prepared, vote, vote_path, dataset, rows, probabilities)
    manifest = untrained_manifest(target.name, title_of(vote.members), VOTE, dataset)
    # The folder may be new: what makes it a vote is only prepared yet.
    prepared.file(target.manifest_path.name)
    seal(RunFolder(prepared.path), manifest)


def evaluate_vote(folder: RunFolder, dataset: Dataset, *, flip: bool = False, final: bool = False) -> Metrics:
    """Measure a vote on a dataset: members predict anew (LiteRT); weights and temperatures stay. Returns the metrics.

    ``final`` opens PrivateTest (:func:`~fer_core.evaluation.measure.open_rows`).
    With ``flip`` the mean with the mirror image is measured, too. It is LiteRT that predicts here, so ``litert`` says
    what ``splits`` say.

    Raises ``RunError`` for a member that is missing or has changed, or a dataset without test faces.
    """
    upgrade(folder, drop_damaged=True)
    predictor = VotePredictor(folder.vote_path, name=folder.name)
    rows, opened = open_rows(folder, dataset, sha256_of(folder.vote_path), folder.path, final=final)
    faces = FaceRows(dataset.images, rows)
    probabilities = in_batches(predictor.predict, faces, (COUNT,))
    flipped = in_batches(lambda batch: predictor.predict(mirrored(batch)), faces, (COUNT,)) if flip else None
    with change(folder.path) as prepared:
        metrics = _write_evaluation(
            folder,
            prepared,
            read_vote(folder),
            folder.vote_path,
            dataset,
            rows,
            probabilities,
            flipped=flipped,
            answered=True,
            opened=opened,
        )
    write_card(folder)
    return metrics


def _write_evaluation(
    target: RunFolder,
    prepared: Change,
    vote: Vote,
    vote_path: Path,
    dataset: Dataset,
    rows: npt.NDArray[np.intp],
    probabilities: npt.NDArray[np.float32],
    *,
    flipped: npt.NDArray[np.float32] | None = None,
    answered: bool = False,
    opened: Opened | None = None,
) -> Metrics:
    """Prepare the evaluation of a vote from its probabilities float32 (n, 7) for these n rows.

    ``flipped``: those of the mirror images. ``answered``: whether it was LiteRT that gave the probabilities.
    """
    data, digest = dataset.info.record(), sha256_of(vote_path)
    path = prepared.directory(f"{FOLDER}/{folder_name(data)}")
    frame = write_test_predictions(path / PREDICTIONS, dataset, rows, probabilities)
    predictor = VotePredictor(vote_path, threads=1, home=target.path)
    metrics = measure(
        frame,
        dataset,
        predictor,
        {"model.tflite": [member.tflite_path for member in member_folders(target, vote)]},
        litert=accuracies(frame, probabilities) if answered else None,
        flipped=flipped,
        opened=opened,
    )
    # Evaluations of a vote that was here before are about other weights.
    seal_measured(target, prepared, path, metrics, digest, new_model=prepared.has(target.vote_path.name))
    return metrics


def _check_members(members: Sequence[RunFolder], dataset: Dataset, target: RunFolder) -> None:
    names = [member.name for member in members]
    if len(set(names)) < 2 or len(set(names)) < len(names):
        raise RunError(f"a vote needs at least two runs of different names, not {', '.join(names) or 'none'}.")
    for member in members:
        if member.is_vote:
            raise RunError(f"{member.name} is a vote itself. Name its members instead.")
        member.check_has_model()
        evaluation_on(member, dataset.info.fingerprint, dataset.info.path)
        if not member.tflite_path.is_file() or sha256_of(member.tflite_path) != member.promised_model():
            raise RunError(
                f"{member.tflite_path} is missing or is not what run.json promises. "
                f"Make it again with: python -m fer_core export {member.path} --data {dataset.info.path}"
            )
        if member.path.resolve() not in [path.resolve() for path in homes(target, member.name)]:
            raise RunError(
                f"{member.path} is neither beside {target.path} nor in models or runs, so the vote would not find it "
                "again. Put the vote beside its members with --out."
            )


def _predictions(member: RunFolder, dataset: Dataset) -> pd.DataFrame:
    """The member's predictions in the order of rows. Raises ``RunError`` unless they cover the open test faces."""
    frame = evaluation_on(member, dataset.info.fingerprint, dataset.info.path).predictions()
    again = f"Make them again with: python -m fer_core evaluate {member.path} --data {dataset.info.path}"
    rows = test_rows(dataset, final=False)
    # What members are known to say of PrivateTest is no reason to look at the vote's figures there.
    frame = frame[np.isin(frame["row"].to_numpy(), rows)].sort_values("row", ignore_index=True)
    same = (
        np.array_equal(frame["row"], rows)
        and np.array_equal(frame["label"], dataset.labels[rows])
        and np.array_equal(frame["split"].to_numpy(dtype=np.str_), dataset.splits[rows])
    )
    if not same:
        raise RunError(f"the predictions of {member.name} are not about the test faces of {dataset.info.path}. {again}")
    return frame


def _choose(members: Sequence[RunFolder], frames: Sequence[pd.DataFrame]) -> tuple[Vote, npt.NDArray[np.float32]]:
    """The vote and its probabilities for all rows of the frames. Looks at PublicTest's labels only; temperatures are 1
    where these are too few to fit any.
    """
    public = (frames[0]["split"] == PUBLIC_TEST).to_numpy(dtype=bool)
    if not public.any():
        raise RunError(f"there is no {PUBLIC_TEST} face, and the weights are chosen on that split. Nothing was built.")
    labels = frames[0]["label"].to_numpy()[public]
    temperatures, calibrated = [], []
    for frame in frames:
        probabilities = probabilities_of(frame)
        temperature = round(usable_temperature(labels, probabilities[public]) or 1.0, DIGITS)
        temperatures.append(temperature)
        calibrated.append(apply_temperature(probabilities, temperature))
    weights = without_featherweights(labels, [member[public] for member in calibrated])
    vote = Vote(
        members=tuple(
            Member(member.name, _architecture(member), float(weight), temperature, sha256_of(member.tflite_path))
            for member, weight, temperature in zip(members, weights, temperatures, strict=True)
        ),
        chosen_on=PUBLIC_TEST,
        method=METHOD if len(labels) >= FEWEST_TO_CALIBRATE else METHOD_WITHOUT_TEMPERATURES,
    )
    return vote, np.tensordot(weights, np.stack(calibrated), axes=1).astype(np.float32)


def without_featherweights(labels: npt.ArrayLike, probabilities: Sequence[npt.ArrayLike]) -> npt.NDArray[np.float64]:
    """:func:`choose_weights`, where no weight is between 0 and :data:`SMALLEST_WEIGHT`, to :data:`DIGITS` decimals.

    The largest weight takes what rounding leaves, so that the sum stays 1.
    """
    members_left = list(range(len(probabilities)))
    chosen = choose_weights(labels, probabilities)
    while chosen.min() < SMALLEST_WEIGHT:
        # One at a time: of two members that are nearly the same, the one that stays takes over the other's weight.
        del members_left[int(chosen.argmin())]
        chosen = choose_weights(labels, [probabilities[index] for index in members_left])
    weights = np.zeros(len(probabilities))
    weights[members_left] = np.round(chosen, DIGITS)
    weights[weights.argmax()] += 1 - weights.sum()
    return np.round(weights, DIGITS)


def _architecture(member: RunFolder) -> str:
    manifest = member.manifest()
    return str(manifest["architecture"]) if manifest else ""
