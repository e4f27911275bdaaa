"""``vote.json``: which runs vote, with which weight and temperature, and where they are found again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fer_core.errors import RunError
from fer_core.files import sha256_of
from fer_core.formatting import plural
from fer_core.runs.contracts import VoteRecord
from fer_core.runs.folder import SCHEMA, RunFolder
from fer_core.runs.reading import read_json
from fer_core.settings import settings
from fer_core.value_types import JsonObject


@dataclass(frozen=True)
class Member:
    """One run that votes.

    ``weight`` is 0..1, and all members' weights add up to 1; a member of weight 0 is listed but not asked.
    ``temperature`` > 0 divides the member's logits first. ``sha256`` is of its ``model.tflite``.
    """

    name: str
    architecture: str
    weight: float
    temperature: float
    sha256: str


@dataclass(frozen=True)
class Vote:
    """The content of ``vote.json``. ``chosen_on`` is the split that chose the numbers, ``method`` says how."""

    members: tuple[Member, ...]
    chosen_on: str
    method: str

    @property
    def asked(self) -> tuple[Member, ...]:
        """The members whose weight is above zero."""
        return tuple(member for member in self.members if member.weight > 0)

    def to_dict(self) -> JsonObject:
        return {
            "schema": SCHEMA,
            "members": [asdict(member) for member in self.members],
            "chosen_on": self.chosen_on,
            "method": self.method,
        }


def read_vote(folder: RunFolder, path: Path | None = None) -> Vote:
    """The vote of a folder, or one that is to become its vote at ``path``. Raises ``RunError`` if it is damaged."""
    value = folder.vote() if path is None else read_json(path, VoteRecord, "Build the vote again.")
    members = tuple(
        Member(entry["name"], entry["architecture"], entry["weight"], entry["temperature"], entry["sha256"])
        for entry in value["members"]
    )
    return Vote(members, value["chosen_on"], value["method"])


def member_folders(folder: RunFolder, vote: Vote, *, quick: bool = False) -> list[RunFolder]:
    """The folders of the members that are asked, in order: beside the vote first, then shipped, then trained runs.

    ``quick`` believes the hashes in the members' ``run.json`` instead of reading their models. Raises ``RunError`` for
    a member that is in none of these places, or whose ``model.tflite`` is not the one that the weights were chosen for.
    """
    return [_locate(folder, vote, member, quick) for member in vote.asked]


def homes(folder: RunFolder, name: str) -> list[Path]:
    """Where a vote looks for the member of that name, in this order: beside itself, shipped runs, trained runs."""
    return [folder.path.resolve().parent / name, settings().models_dir / name, settings().runs_dir / name]


def title_of(members: Sequence[object]) -> str:
    """``Soft vote of 4 models``."""
    return f"Soft vote of {plural(len(members), 'model')}"


def _locate(folder: RunFolder, vote: Vote, member: Member, quick: bool) -> RunFolder:
    found = [run for path in homes(folder, member.name) if (run := RunFolder(path)).tflite_path.is_file()]
    if not found:
        raise RunError(
            f"the vote {folder.name} needs the run {member.name}, and there is none beside it, in models or in runs. "
            f"Bring it back, or build the vote again without it. {_build_again(folder, vote, without=member)}"
        )
    for candidate in found:
        found_hash = candidate.promised_model() if quick else sha256_of(candidate.tflite_path)
        if found_hash == member.sha256:
            return candidate
    raise RunError(
        f"the vote {folder.name} was built with another {member.name}: {found[0].tflite_path} has changed since. "
        + _build_again(folder, vote)
    )


def _build_again(folder: RunFolder, vote: Vote, *, without: Member | None = None) -> str:
    names = " ".join(shlex.quote(member.name) for member in vote.members if member is not without)
    return f"Build it again with: python -m fer_core vote {names} --data DATASET --out {shlex.quote(str(folder.path))}"
