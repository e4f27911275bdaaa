"""Ways to harm a good run folder, by name: what a disk, an editor, another program or a stranger may do to it.

Each takes the run of :func:`factories.make_run` (or a vote of it) and harms it. Those that are about the content of a
file list it again in its manifest, with its new hash, so that not the hash but the content gives it away.
Those of a run's files and of its evaluation lie in modules of their own; all are listed here.
"""

from __future__ import annotations

import shutil

from damage_tools import Damage, Damages, Do, edit, put, sealed
from damages_of_evaluations import EVALUATIONS
from damages_of_runs import RUNS

from fer_core.runs.folder import RunFolder

OTHERS = Damages()
many = OTHERS.many

# --- runs that are not complete ---


def unfinished(run: RunFolder) -> None:
    """What is there of a run whose training was killed."""
    run.manifest_path.unlink()
    shutil.rmtree(run.path / "evaluations")


def journal(line: str) -> Do:
    def do(run: RunFolder) -> None:
        unfinished(run)
        run.journal_path.write_text(line + "\n")

    return do


def unfinished_recipe(run: RunFolder) -> None:
    unfinished(run)
    run.recipe_path.write_text('{"architecture": ')


many("recipe.json", "unfinished", {"with_half_a_recipe": unfinished_recipe})
many(
    "events.jsonl",
    "unfinished",
    {
        "whose_journal_is_a_list": journal("[1, 2]"),
        "whose_start_has_no_steps": journal('{"event": "start", "epochs": 5, "batch_size": 8}'),
        "whose_start_has_no_time_but_a_word": journal(
            '{"event": "start", "time": "soon", "epochs": 5, "steps": 4, "batch_size": 8}'
        ),
        "whose_epoch_is_text": journal('{"event": "checkpoint", "epoch": "1"}'),
        "whose_loss_is_nan": journal('{"event": "done", "seconds": NaN}'),
    },
)

# --- votes ---

many(
    "vote.json",
    "vote",
    {
        "with_weights_that_do_not_add_up": sealed("vote.json", put("members", 0, "weight", to=0.9)),
        "without_members": sealed("vote.json", put("members", to=[])),
        "with_a_member_elsewhere": sealed("vote.json", put("members", 0, "name", to="../one")),
        "with_text_as_temperature": sealed("vote.json", put("members", 0, "temperature", to="1")),
        "of_a_newer_schema": sealed("vote.json", put("schema", to=99)),
        "is_a_list": sealed("vote.json", lambda value: [value]),
        "was_edited": lambda run: edit(run.vote_path, put("method", to="by hand")),
    },
    of="vote",
)

DAMAGES: list[Damage] = [*RUNS, *EVALUATIONS, *OTHERS]
