"""Shards on Ray: one task each, one processor a task, never more at once than there are workers.

What is killed (a worker, a raylet, a computer) takes its shard along; the shard is handed out again, up to
:data:`TRIES` times. A shard's file appears at once and whole, so that it does no harm where the first try lives on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fer_core.cluster.engine import engine, require_ray
from fer_core.cluster.scoring.listing import Shard
from fer_core.cluster.scoring.scorer import Job, Scorer
from fer_core.data.scored_folder import ShardRecord
from fer_core.errors import ClusterError, FerError

TRIES = 4
"""How often a shard is begun. One whose worker dies each time (by a file that breaks a decoder) must not hold up the
rest."""
LOOK_S = 5.0
"""How often the driver looks up while it waits."""

_scorers: dict[str, Scorer] = {}
"""In a worker's process: by seal, so that models are opened once and not for each shard."""


def score_shard(job: Job, shard: Shard) -> ShardRecord:
    """A task."""
    seal = job.manifest["seal"]
    if seal not in _scorers:
        _scorers.clear()
        _scorers[seal] = Scorer(job)
    return _scorers[seal].score(shard)


def records(job: Job, shards: Iterable[Shard], workers: int | None) -> Iterator[ShardRecord | tuple[int, str]]:
    """What each shard says of itself as they come, or its number and why it could not be scored.

    ``workers``: None for as many as there are processors. Raises ``ClusterError`` where Ray is missing or its cluster
    has no processor, and what :class:`~fer_core.cluster.scoring.scorer.Scorer` raises.
    """
    ray = require_ray()
    with engine(cpus=workers) as found:
        if found.cpus < 1:
            raise ClusterError("the cluster has no processor to work on. Start a node with --num-cpus 1 or more.")
        # Retries are ours: Ray's know no end where memory runs out.
        task = ray.remote(num_cpus=1, max_retries=0)(score_shard)
        most = workers or int(found.cpus)
        running: dict[Any, tuple[Shard, int]] = {}
        coming = iter(shards)
        while True:
            while len(running) < most and (shard := next(coming, None)) is not None:
                running[task.remote(job, shard)] = shard, 1
            if not running:
                return
            for reference in ray.wait(list(running), timeout=LOOK_S)[0]:
                shard, tries = running.pop(reference)
                try:
                    done = ray.get(reference)
                except ray.exceptions.RayTaskError as error:
                    if isinstance(error.cause, FerError | OSError):
                        raise error.cause from None
                    raise  # a defect of ours, with its traceback
                except ray.exceptions.RayError as error:
                    if tries < TRIES:
                        running[task.remote(job, shard)] = shard, tries + 1
                    else:
                        yield shard.number, f"its worker ended {tries} times ({type(error).__name__})"
                    continue
                yield done
