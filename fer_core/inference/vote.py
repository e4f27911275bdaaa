"""Several runs that vote: one predictor over the members of a vote folder.

The vote is soft (a linear opinion pool; Stone, 1961, https://doi.org/10.1214/aoms/1177704873): what is averaged is
probabilities, not answers, so a member that is sure counts for more than one that wavers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fer_core.emotions import COUNT
from fer_core.errors import RunError
from fer_core.inference.predictor import Faces, Maps, Predictor, Probabilities
from fer_core.runs.folder import RunFolder, check_sealed
from fer_core.runs.vote import member_folders, read_vote
from fer_core.stats.calibration import apply_temperature


class VotePredictor(Predictor):
    """A vote, ready to run; used exactly like one model's :class:`Predictor`.

    **Probabilities** are the weighted mean of the members' probabilities, each at its own temperature first.
    ``temperature`` and flip averaging come on top of that mean.

    **Class maps** lie on the finest of the members' grids. Members give their maps on scales of their own, so for
    each face a member's seven maps are divided by the largest value among them (maps that are zero stay zero), resized
    bilinearly, and averaged with the members' weights. The result, 0..1, is a picture of where the members look; unlike
    one model's maps it does not add up to anything.

    Members run one after another, each with all ``threads``. Those of weight 0 are not opened.

    Attributes beside those of :class:`Predictor`:
        path: the ``vote.json`` file.
        members: predictor and weight of each member that is asked, in order.
    """

    members: list[tuple[Predictor, float]]

    def __init__(self, vote_path: str | Path, *, home: Path | None = None, **options: Any) -> None:
        """``home``: the vote folder, beside which members are looked for, where ``vote_path`` is not in it yet; other
        options as in :class:`Predictor`.
        """
        self._home = home or Path(vote_path).parent
        super().__init__(vote_path, **options)

    def __repr__(self) -> str:
        names = [f"{weight:g} {member.name}" for member, weight in self.members]
        return f"VotePredictor({self.name!r}, {' + '.join(names)}, map_grid={self.map_grid})"

    def _open(self) -> None:
        """Raises ``RunError`` when ``vote.json`` is damaged, or a member is missing, changed or damaged."""
        folder = RunFolder(self._home)
        vote = read_vote(folder, self.path)
        self.members = [
            (
                Predictor(found.tflite_path, name=member.name, threads=self.threads, temperature=member.temperature),
                member.weight,
            )
            for member, found in zip(vote.asked, member_folders(folder, vote), strict=True)
        ]
        self._grid = max((member.map_grid for member, _ in self.members), key=lambda grid: grid[0] * grid[1])

    def combine(self, answers: Sequence[tuple[Probabilities, Maps]]) -> tuple[Probabilities, Maps]:
        """The vote's probabilities (B, 7) and maps (B, 7, h, w) from what its members said, in the members' order.

        For those who have asked the members anyway. ``answers``: of each member :meth:`Predictor.explain` at the
        member's own temperature, for the same B faces. Raises ``ValueError`` for another number of answers.
        """
        probabilities, maps = self._pool(answers)
        return apply_temperature(probabilities, self.temperature), maps

    def combine_maps(self, maps: Sequence[Maps]) -> Maps:
        """The vote's maps (B, 7, h, w) from those of its members, in the members' order, for the same B faces.

        Raises ``ValueError`` for another number of members.
        """
        pooled = np.zeros((len(maps[0]), COUNT, *self._grid), dtype=np.float32)
        for (_, weight), of_member in zip(self.members, maps, strict=True):
            pooled += np.float32(weight) * resized(scaled(of_member), self._grid)
        return pooled

    def _run(self, images: Faces) -> tuple[Probabilities, Maps]:
        return self._pool([member.explain(images) for member, _ in self.members])

    def _pool(self, answers: Sequence[tuple[Probabilities, Maps]]) -> tuple[Probabilities, Maps]:
        probabilities = np.zeros((len(answers[0][0]), COUNT), dtype=np.float32)
        for (_, weight), (of_member, _) in zip(self.members, answers, strict=True):
            probabilities += np.float32(weight) * of_member
        return probabilities, self.combine_maps([maps for _, maps in answers])


def scaled(maps: Maps) -> Maps:
    """Each face's seven maps (B, 7, h, w) ≥ 0, divided by the largest value among them; all zero stays zero."""
    largest = maps.max(axis=(1, 2, 3), keepdims=True, initial=0)
    return np.divide(maps, largest, out=np.zeros_like(maps), where=largest > 0)


def resized(maps: Maps, grid: tuple[int, int]) -> Maps:
    """Maps (B, 7, h, w) on another grid, by bilinear interpolation between the middles of the cells."""
    if maps.shape[2:] == grid:
        return maps
    height, width = grid
    result = np.empty((*maps.shape[:2], height, width), dtype=np.float32)
    for number, of_face in enumerate(maps):
        channels_last = np.ascontiguousarray(of_face.transpose(1, 2, 0))
        result[number] = cv2.resize(channels_last, (width, height), interpolation=cv2.INTER_LINEAR).transpose(2, 0, 1)
    return result


def open_vote(folder: RunFolder, *, threads: int | None = None, temperature: float = 1.0) -> VotePredictor:
    """The predictor of a vote folder, whose ``vote.json`` is checked against the hash in its ``run.json`` first.

    ``temperature`` is applied to the weighted mean; the members' own are always applied.
    Raises ``RunError`` when the folder is not complete, ``vote.json`` is damaged, or a member is missing or has
    changed; the message says how to build the vote again.
    """
    manifest = folder.manifest()
    again = "Build it again with: python -m fer_core vote RUN RUN --data DATASET --out " + str(folder.path)
    if manifest is None:
        raise RunError(f"the vote {folder.name} has no run.json: it is not complete. {again}")
    check_sealed(folder, manifest, folder.vote_path.name, again)
    return VotePredictor(
        folder.vote_path,
        name=folder.name,
        title=str(manifest.get("title", folder.name)),
        threads=threads,
        temperature=temperature,
    )
