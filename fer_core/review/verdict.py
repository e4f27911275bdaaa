"""Is the label wrong, or the model? What speaks for each, gathered for one face, and a careful verdict.

People come before models: ten votes say more about what a face shows than networks that learned from labels of the same
making. Where there are no votes, the doubt decides: the share of faces like this one whose label a crowd rejected
(:mod:`fer_core.stats.label_doubt`). How often each such verdict is right was measured, and is said with it.
:func:`verdict` states the rule.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fer_core.data.audit import Audit
from fer_core.data.ferplus import REASONS, TIE, Crowd
from fer_core.emotions import COUNT, NAMES
from fer_core.formatting import plural
from fer_core.review.scope import Scope
from fer_core.stats.label_doubt import shipped_table

LABEL, MODEL, UNCLEAR, NEITHER = "label", "model", "unclear", "neither"
WORDS: dict[str, str] = {
    LABEL: "Probably the label",
    MODEL: "Probably the model",
    UNCLEAR: "Unclear",
    NEITHER: "Neither: nothing speaks against the label",
}
"""The four verdicts, and how a page answers "is the label wrong, or the model?"."""
KNOWN_WORDS: dict[str, str] = {MODEL: "The model", NEITHER: "Neither: the label is right"}
"""The same of faces that were drawn after their labels."""

UNKNOWN = "unknown"
MAJORITY = 0.5
"""Share of the crowd's votes from which one answer counts as what the crowd says. Ties never count."""

DOUBTFUL, FIRM = 2 / 3, 1 / 3
"""From this label doubt on the label is probably wrong; up to that one it probably stands."""
_LABEL_ISSUE_WORDS = ((FIRM / 2, "hardly doubtful"), (FIRM, "a little doubtful"), (DOUBTFUL, "doubtful"))


@dataclass(frozen=True)
class CrowdAnswer:
    """The crowd on one face: its commonest ``answer``, one of :data:`~fer_core.data.ferplus.ANSWERS`; how many
    ``votes`` that got, and how many the label got, ``of`` how many; ``tie`` where another answer got as many."""

    answer: str
    votes: int
    for_label: int
    of: int
    tie: bool


@dataclass(frozen=True)
class ConflictingDuplicate:
    """A face that is the same picture, exactly or nearly, and is labelled otherwise: row number, label 0..6, split."""

    row: int
    label: int
    split: str
    exact: bool


@dataclass(frozen=True)
class Evidence:
    """What is known about one label.

    Attributes:
        label: the dataset's, 0..6.
        models: how many there are, K.
        label_issue_score: 0..1, the share of faces like this one whose label a crowd rejects; ``flagged``,
            ``suggested`` (0..6), ``against`` and ``together`` (0..K) as in
            :class:`~fer_core.stats.label_issues.LabelIssues`.
        answer: the commonest answer that contradicts the label, 0..6; -1 where no model does.
        rank: 1 for the most doubtful label of the split; faces of equal doubt share the better rank.
        faces: how many faces the split has.
        crowd: what FER+'s crowd says; None where FER+ was not added.
        conflicting_duplicates: the same picture under other labels; None where the dataset was not audited.
        beyond: a sentence where the doubt was measured on other data or with other runs; else empty.
        other_data: the doubt was measured on other data.
        drawn: the face was drawn after its label, which is right therefore.
        remembered: the face has a twin in Training, so that a model may simply remember that one's label; None where
            nobody knows.
    """

    label: int
    models: int
    label_issue_score: float
    flagged: bool
    suggested: int
    against: int
    together: int
    answer: int
    rank: int
    faces: int
    crowd: CrowdAnswer | None = None
    conflicting_duplicates: tuple[ConflictingDuplicate, ...] | None = None
    remembered: bool | None = None
    beyond: str = ""
    other_data: bool = False
    drawn: bool = False


@dataclass(frozen=True)
class Verdict:
    """``kind``: :data:`LABEL`, :data:`MODEL`, :data:`UNCLEAR` or :data:`NEITHER`. ``because``: why, in a sentence or
    two. ``line``: the verdict and its share or its votes, in one line. ``known``: whether it is no guess, since the
    face was drawn after its label."""

    kind: str
    because: str
    line: str
    known: bool = False

    @property
    def words(self) -> str:
        return KNOWN_WORDS[self.kind] if self.known else WORDS[self.kind]


def evidence(
    scope: Scope, row: int, *, crowd: Crowd | None = None, audit: Audit | None = None, drawn: bool = False
) -> Evidence:
    """What is known about the dataset's label of the face with this row number.

    ``crowd`` and ``audit`` are those of the dataset that the runs were measured on. ``drawn``: whether it is the
    drawn sample. Raises ``KeyError`` where the
    split has no such row, hidden faces included.
    """
    whole, issues = scope.whole, scope.whole_label_issues
    at = int(np.searchsorted(whole.rows, row))
    if at == len(whole) or whole.rows[at] != row:
        raise KeyError(row)
    label = int(whole.labels[at])
    answers = np.bincount(whole.predicted[:, at], minlength=COUNT)
    answers[label] = 0
    score = float(issues.score[at])
    remembered = None if whole.near_duplicate is None else bool(whole.near_duplicate[at])
    if audit is not None:
        remembered = bool(audit.training_row[row] >= 0)
    return Evidence(
        label=label,
        models=len(whole.names),
        label_issue_score=score,
        flagged=bool(issues.flagged[at]),
        suggested=int(issues.suggested[at]),
        against=int(issues.against[at]),
        together=int(issues.together[at]),
        answer=int(answers.argmax()) if answers.any() else -1,
        rank=int((issues.score > score).sum()) + 1,
        faces=len(whole),
        crowd=None if crowd is None else _crowd_answer(crowd, row, label),
        conflicting_duplicates=None if audit is None else _conflicting_duplicates(audit, row),
        remembered=remembered,
        beyond=shipped_table().beyond(whole.fingerprint, whole.runs),
        other_data=whole.fingerprint != shipped_table().fingerprint,
        drawn=drawn,
    )


def verdict(found: Evidence) -> Verdict:
    """Is the label wrong, or the model? The first of these rules that applies:

    With the crowd's votes

    1. Half of the votes or more go to the label: the model, if one at least contradicts it; else neither.
    2. Half or more go to another class, to contempt or to "not a face": the label.
    3. Otherwise, "unknown" included: unclear. People do not agree either.

    Without them

    4. The same picture occurs with another label: unclear. One of the two is wrong, and models may remember either.
    5. :func:`by_doubt`. On other data than the doubt was measured on, the label takes more: all models against it.

    Before all of them: a face that was drawn after its label has the right one, whatever the models say.
    """
    if found.drawn:
        kind, drawn = MODEL if found.against else NEITHER, f"This face was drawn as {NAMES[found.label]}."
        return Verdict(kind, f"{drawn} {_models_say(found)}.", _line(KNOWN_WORDS[kind], drawn), known=True)
    if found.crowd is not None:
        return _by_crowd(found, found.crowd)
    if found.conflicting_duplicates:
        others = " and ".join(dict.fromkeys(NAMES[duplicate.label] for duplicate in found.conflicting_duplicates))
        twin = f"The same picture is also in the data as {others}."
        because = f"{twin} At least one of the labels is wrong, and a model may simply remember one of them."
        return Verdict(UNCLEAR, because, _line(WORDS[UNCLEAR], twin))
    kind = by_doubt(found.label_issue_score, found.against)
    if kind == LABEL and found.other_data and found.against < found.models:
        kind = UNCLEAR
    return Verdict(kind, f"{_models_say(found)}. {_measured(found, kind)}", _line(WORDS[kind], _share(found, kind)))


def by_doubt(doubt: float, against: int) -> str:
    """The verdict without votes: :data:`LABEL` from a doubt of :data:`DOUBTFUL` on, whatever the models say.

    Up to :data:`FIRM` it is :data:`MODEL`, or :data:`NEITHER` where no model is ``against`` the label; between the two,
    :data:`UNCLEAR`.
    """
    if doubt >= DOUBTFUL:
        return LABEL
    if doubt > FIRM:
        return UNCLEAR
    return MODEL if against else NEITHER


def _models_say(found: Evidence) -> str:
    if not found.against:
        return f"{_begin(_models(found.models, found.models, 'agrees', 'agree'))} with the label"
    if found.together == found.against:
        return f"{_begin(_models(found.against, found.models))} {NAMES[found.answer]} instead"
    return f"{_begin(_models(found.against, found.models, 'contradicts', 'contradict'))} the label"


def _measured(found: Evidence, kind: str) -> str:
    """What a crowd did with faces like this one, and with all faces of the verdict."""
    like = f"Of 100 faces like this one, a crowd rejected the label of about {_in_100(found.label_issue_score)}"
    measured = shipped_table().measured(kind, found.models)
    if measured is None or found.other_data:
        return f"{like}."
    of = f"{plural(measured.faces, 'face')} of PublicTest with this verdict"
    if kind in (MODEL, NEITHER):
        return f"{like}; of {of} it kept {100 * (1 - measured.share):.0f} in 100."
    return f"{like}; of {of} it rejected {100 * measured.share:.0f} in 100."


def _share(found: Evidence, kind: str) -> str:
    """The same for this face alone, said of what the verdict says; a guess where the data are others."""
    guess = ", if people doubt these labels as they doubt FER-2013's" if found.other_data else ""
    did, share = "rejected", found.label_issue_score
    if kind in (MODEL, NEITHER):
        did, share = "kept", 1 - share
    return f"Of faces like this one, the crowd {did} the label in {_in_100(share)} of 100{guess}."


def _in_100(share: float) -> str:
    """1 to 99: no share of a model is a promise."""
    return f"{min(max(100 * share, 1), 99):.0f}"


def _line(words: str, sentence: str) -> str:
    """The verdict and one sentence as one."""
    return f"{words.removeprefix('Neither: ').capitalize()}: {sentence[0].lower()}{sentence[1:]}"


def label_issue_words(score: float) -> str:
    """A label doubt of 0..1 in words."""
    return next((words for limit, words in _LABEL_ISSUE_WORDS if score <= limit), "very doubtful")


def _by_crowd(found: Evidence, crowd: CrowdAnswer) -> Verdict:
    kind, because = _crowd_says(found, crowd)
    return Verdict(kind, because, _line(WORDS[kind], because))


def _crowd_says(found: Evidence, crowd: CrowdAnswer) -> tuple[str, str]:
    label = NAMES[found.label]
    gives = f"{crowd.votes} of its {plural(crowd.of, 'vote')}"
    if crowd.tie:
        return UNCLEAR, f"The crowd is split, too: {crowd.answer} and another answer have {gives} each."
    if crowd.votes < MAJORITY * crowd.of:
        return UNCLEAR, f"The crowd is split, too: {crowd.answer} leads with {gives}."
    if crowd.answer == UNKNOWN:
        return UNCLEAR, f"The crowd cannot tell, either: {gives} are for “unknown”."
    if crowd.answer != label:
        none = "" if crowd.answer in NAMES else ", which is none of the seven classes"
        return LABEL, f"The crowd gives {gives} to “{crowd.answer}”{none}, and {crowd.for_label} to {label}."
    if found.against:
        return MODEL, f"The crowd gives {gives} to {label}, as the label does."
    return NEITHER, f"The crowd gives {gives} to {label}, and {_models(found.models, found.models)} so, too."


def _crowd_answer(crowd: Crowd, row: int, label: int) -> CrowdAnswer:
    answer, votes = crowd.answers(row)[0]
    each = crowd.votes[row]
    tie = REASONS[int(crowd.reasons[row])] == TIE
    return CrowdAnswer(answer, votes, int(each[label]), int(each.sum(dtype=np.int64)), tie)


def _conflicting_duplicates(audit: Audit, row: int) -> tuple[ConflictingDuplicate, ...]:
    exact = [int(other) for other in audit.exact(row)]
    nearly = [duplicate.row for duplicate in audit.near_duplicates(row) if duplicate.row not in exact]
    return tuple(
        ConflictingDuplicate(other, int(audit.labels[other]), str(audit.splits[other]), other in exact)
        for other in [*exact, *nearly]
        if audit.labels[other] != audit.labels[row]
    )


def _models(count: int, total: int, one: str = "says", many: str = "say") -> str:
    """``all 3 models say``, ``2 of 3 models say``, ``the model says``."""
    if total == 1:
        return f"the model {one}"
    if count == total:
        return f"{'both' if total == 2 else f'all {total}'} models {many}"
    return f"{count} of {total} models {one if count == 1 else many}"


def _begin(words: str) -> str:
    """The same at the beginning of a sentence."""
    return words[0].upper() + words[1:]
