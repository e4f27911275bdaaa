"""A scoring from start to end: list, compare with an earlier start, hand out shards that are missing, add up.

One worker runs in this process and needs no Ray. Several run on Ray, as plain tasks of Ray's core, a shard each, and
not as a pipeline of Ray Data. What Ray Data would do is little here: shards are independent, their results are files,
and which of them are done is known from these files alone. Tried, it hung without a word where actors held every
processor that its reading tasks waited for; its checkpoints did not outlive a killed driver; its answer to a killed
actor is an option that is to go. A task needs one processor and nothing beside it, so that a cluster of one processor
works on, shard after shard; and whatever is killed, the shard is begun anew by whoever is there
(:mod:`fer_core.cluster.scoring.on_ray`).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fer_core.cluster.engine import CLUSTER
from fer_core.cluster.scoring.listing import Listing, Shard, cut, read_list, summary, write_list
from fer_core.cluster.scoring.places import Place, open_place
from fer_core.cluster.scoring.scorer import Job, Scorer, detector_of, identity
from fer_core.data.scored_folder import (
    FACES,
    FILES,
    FOLDERS,
    MANIFEST,
    NO_LABELS,
    SCHEMA,
    ScoreManifest,
    ShardRecord,
    changed,
    check_no_others,
    read_manifest,
    read_shard_record,
    seal_of,
)
from fer_core.errors import DataError
from fer_core.files import write_json
from fer_core.inference.models import open_places, places_of
from fer_core.inference.predictor import Average
from fer_core.leftovers import abandoned
from fer_core.progress import Meter, ProgressCallback
from fer_core.try_lock import try_lock
from fer_core.writable import check_writable

LOCK = ".lock"


@dataclass(frozen=True)
class Request:
    """What somebody wants scored.

    Attributes:
        source: a folder, or an address that fsspec knows.
        out: the folder for the results; on a cluster all computers see it under this path.
        models: names, folders and files, as :func:`fer_core.inference.models.places_of` takes them.
        average, already_cut, calibrated, every_s: as of ``predict``.
        labels_from_folders: whether each face has the name of its file's folder as label.
        workers: how many cores to use at once; None: one here, or all that a cluster has.
    """

    source: str
    out: Path
    models: tuple[str, ...]
    average: Average = "none"
    already_cut: bool = False
    calibrated: bool = False
    every_s: float = 1.0
    labels_from_folders: bool = False
    workers: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What was scored, the shards of earlier starts among it. ``done_before``: how many those were. ``failed``: why a
    shard could not be scored, by its number."""

    manifest: ScoreManifest
    files: int
    faces: int
    unreadable: int
    without_face: int
    done_before: int
    failed: dict[int, str]


def score(request: Request, progress: ProgressCallback | None = None) -> Outcome:
    """Score all that is not scored yet.

    Raises ``DataError`` where the source cannot be listed, holds no picture or video, or the folder holds another
    scoring or is in use; ``RunError`` for models; ``ClusterError`` where several workers are wanted and Ray is not
    there; ``OSError`` where results cannot be written.
    """
    out = request.out.expanduser().absolute()
    place = open_place(request.source)
    check_writable(out, "What is scored", DataError)
    _check_free(out)
    out.mkdir(parents=True, exist_ok=True)
    with try_lock(out / LOCK) as mine:
        if not mine:
            raise DataError(
                f"{out} is being written by another scoring. Wait until it has ended, or give another folder."
            )
        job = _job(request, place, out, progress)
        check_no_others(out, job.manifest)
        (out / FACES).mkdir(exist_ok=True)
        for left in (*out.glob(".*.part.*"), *(out / FACES).glob(".*.part.*")):
            if abandoned(left):
                left.unlink(missing_ok=True)
        return _hand_out(job, out, request.workers, progress)


def _hand_out(job: Job, out: Path, workers: int | None, progress: ProgressCallback | None) -> Outcome:
    manifest, totals, failed = job.manifest, Counter[str](), dict[int, str]()
    earlier = 0
    meter = Meter(progress, "files", "Scoring")

    def add(record: ShardRecord) -> None:
        totals.update({name: record[name] for name in ("files", "faces", "unreadable", "without_face")})
        meter.update(totals["files"], manifest["files"])

    def missing() -> Iterator[Shard]:
        nonlocal earlier
        for shard in cut(read_list(out / FILES)):
            record = read_shard_record(out, shard.number, manifest["seal"])
            if record is None:
                yield shard
            else:
                earlier += 1
                add(record)

    for done in _records(job, missing(), workers):
        if isinstance(done, tuple):
            number, why = done
            failed[number] = why
        else:
            add(done)
    meter.finish(totals["files"])
    return Outcome(
        manifest,
        totals["files"],
        totals["faces"],
        totals["unreadable"],
        totals["without_face"],
        earlier,
        failed,
    )


def _records(job: Job, shards: Iterable[Shard], workers: int | None) -> Iterator[ShardRecord | tuple[int, str]]:
    """What each shard says of itself, or its number and why it could not be scored, as they come."""
    if workers is None and not os.environ.get(CLUSTER, "").strip():
        workers = 1
    if workers == 1 and not os.environ.get(CLUSTER, "").strip():
        scorer: Scorer | None = None
        for shard in shards:
            scorer = scorer or Scorer(job)
            yield scorer.score(shard)
        return
    from fer_core.cluster.scoring.on_ray import records

    yield from records(job, shards, workers)


def _job(request: Request, place: Place, out: Path, progress: ProgressCallback | None) -> Job:
    """What workers need to know; the list of files and the manifest are there afterwards."""
    places = places_of(request.models)
    models = [identity(model) for model in open_places(places, threads=1, calibrated=request.calibrated)]

    before = read_manifest(out) if (out / MANIFEST).exists() else None
    finds = detector_of(already_cut=request.already_cut, title="" if before is None else before["detector"]).title

    def manifest(listing: Listing) -> ScoreManifest:
        about = ScoreManifest(
            schema=SCHEMA,
            source=place.address.encode("utf-8", "backslashreplace").decode(),
            created=datetime.now(UTC).isoformat(timespec="milliseconds"),
            files=listing.files,
            shards=listing.shards,
            listing=listing.digest,
            detector=finds,
            models=models,
            options={
                "average": request.average,
                "already_cut": request.already_cut,
                "calibrated": request.calibrated,
                "every_s": float(request.every_s),
                "labels": FOLDERS if request.labels_from_folders else NO_LABELS,
            },
            seal="",
        )
        about["seal"] = seal_of(about)
        return about

    meter = Meter(progress, "files", "Listing")

    def watch(files: int) -> None:
        meter.update(files, None)

    if before is not None:
        about = before
        now = manifest(summary(place.entries(), watch))
        if differences := changed(about, now):
            raise DataError(
                f"{out} holds another scoring: {'; '.join(differences)}. Ask for the same again to go on with it, or "
                "give another folder."
            )
        if now["seal"] != about["seal"] or summary(read_list(out / FILES)) != _listing_of(about):
            raise DataError(f"{out} was written by another version, or changed since. Score into another folder.")
    else:
        about = manifest(write_list(place.entries(), out / FILES, watch))
        if not about["files"]:
            (out / FILES).unlink()
            raise DataError(f"{place.address} holds no picture or video. Check the address.")
        write_json(out / MANIFEST, about)
    return Job(request.source if "://" in request.source else place.address, str(out), tuple(map(str, places)), about)


def _listing_of(manifest: ScoreManifest) -> Listing:
    return Listing(manifest["files"], manifest["shards"], manifest["listing"])


def _check_free(out: Path) -> None:
    """Raise ``DataError`` where the folder is there and holds something else."""
    if out.is_dir() and not (out / MANIFEST).exists():
        # The list of a start that was cut short, and its lock, may be there.
        odd = [
            one.name for one in out.iterdir() if one.name not in (LOCK, FILES) and not one.name.startswith(".files.")
        ]
        if odd:
            raise DataError(f"{out} holds other files ({odd[0]}). Give a folder that is empty or does not exist yet.")
