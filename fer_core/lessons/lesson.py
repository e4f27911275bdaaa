"""A lesson as a file: Markdown with one heading a step, so that a teacher writes one in ten minutes.

A title, ``minutes:``, and what the lesson is about; then the steps. Each has a heading, the page that it leads to
(``go:``, as it stands in the browser's address), what to look at, and, if it asks something, answers to choose from as
a task list with the right one ticked, and what is true as a quotation::

    # Is 70 % good?

    minutes: 3

    You find out what an accuracy is worth.

    ## Somebody who guesses

    go: compare?data=fer2013

    Seven expressions: how often is somebody right who guesses?

    - [ ] half of the time
    - [x] one time in seven

    > One in seven is 14 %. Everything above it was learnt.

``predict: first``, below ``go:``, keeps the page closed until the question is answered or skipped: where the answer
stands on the page, who sees both at once reads it there. ``shows:`` names words that the page must show, for the test
of the lesson.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from fer_core.errors import FerError

MOST_STEPS = 20
MOST_MINUTES = 90
_OPTION = re.compile(r"[-*+] \[( |x|X)\] +(.+)")
_FIELD = re.compile(r"(minutes|go|predict|shows) *: *(.*)", flags=re.IGNORECASE)


class LessonError(FerError):
    """A lesson's file is not what it should be. The message names the line."""


@dataclass(frozen=True)
class Step:
    """One page to look at.

    Attributes:
        title: its heading.
        page: the last part of the page's address, ``home`` for the start page.
        query: what stands behind the question mark there, by name.
        text: Markdown, what to look at or to predict.
        options: what one may answer; none where nothing is asked.
        right: the index of the option that is true, -1 where nothing is asked.
        reveal: Markdown, what is true; empty where nothing is asked.
        shows: words that the page shows, for tests.
        predict_first: whether the page stays closed until the question is answered or skipped.
    """

    title: str
    page: str
    query: dict[str, list[str]]
    text: str
    options: tuple[str, ...]
    right: int
    reveal: str
    shows: tuple[str, ...]
    predict_first: bool = False


@dataclass(frozen=True)
class Lesson:
    """A lesson. ``name`` is its file's, without the ending; links call it so."""

    name: str
    title: str
    minutes: int
    lead: str
    steps: tuple[Step, ...]


def parse_lesson(name: str, text: str, pages: Collection[str]) -> Lesson:
    """The lesson that a file's ``text`` holds; ``pages`` are those that steps may lead to.

    Raises :class:`LessonError`, which says in which line what is missing or cannot be understood.
    """
    sections = list(_sections(text))
    if not sections or not sections[0].is_title:
        raise LessonError('It does not begin with a title, such as "# Is 70 % good?".')
    head, *rest = sections
    head.allow("minutes")
    if wrong := next((one for one in rest if one.is_title), None):
        raise LessonError(f'Line {wrong.line}: a lesson has one title. A step\'s heading begins with "##".')
    minutes = head.fields.get("minutes", "")
    if not (minutes.isascii() and minutes.isdigit() and 1 <= int(minutes) <= MOST_MINUTES):
        raise LessonError(f'It does not say how long it takes, as in "minutes: 3" (1 to {MOST_MINUTES}).')
    if not 1 <= len(rest) <= MOST_STEPS:
        raise LessonError(
            f'It has {len(rest)} steps; 1 to {MOST_STEPS} can be. A step begins with "## " and its heading.'
        )
    return Lesson(name, head.heading, int(minutes), head.body, tuple(_step(one, pages) for one in rest))


@dataclass(frozen=True)
class _Section:
    """A heading of a file, and what stands below it."""

    line: int
    is_title: bool
    heading: str
    fields: dict[str, str]
    body: str
    options: tuple[tuple[str, bool], ...]
    quoted: str

    def allow(self, *names: str) -> None:
        if odd := [name for name in self.fields if name not in names]:
            raise LessonError(f'Line {self.line}: "{odd[0]}:" does not belong under "{self.heading}".')


def _sections(text: str) -> Iterator[_Section]:
    start, lines = 0, text.removeprefix("\ufeff").splitlines()
    heads = [number for number, line in enumerate(lines) if re.match(r"##? \S", line)]
    for line in lines[: heads[0] if heads else len(lines)]:
        if line.strip():
            return
    for start, end in zip(heads, [*heads[1:], len(lines)], strict=True):
        yield _section(start + 1, lines[start:end])


def _section(number: int, lines: list[str]) -> _Section:
    fields: dict[str, str] = {}
    body: list[str] = []
    options: list[tuple[str, bool]] = []
    quoted: list[str] = []
    for line in lines[1:]:
        if not body and (field := _FIELD.fullmatch(line.strip())):
            fields[field[1].lower()] = field[2].strip()
        elif option := _OPTION.fullmatch(line.strip()):
            options.append((option[2].strip(), option[1] != " "))
        elif line.startswith(">"):
            quoted.append(line[1:].removeprefix(" "))
        elif line.strip() or body:
            body.append(line)
    marks, _, heading = lines[0].partition(" ")
    return _Section(
        number,
        marks == "#",
        heading.strip(),
        fields,
        "\n".join(body).strip(),
        tuple(options),
        "\n".join(quoted).strip(),
    )


def _step(section: _Section, pages: Collection[str]) -> Step:
    where = f'Line {section.line}, "{section.heading}"'
    section.allow("go", "predict", "shows")
    page, query = _address(section.fields.get("go", ""), where, pages)
    if not section.body:
        raise LessonError(f"{where}: it does not say what to look at.")
    right = [number for number, (_, true) in enumerate(section.options) if true]
    if section.options and (len(section.options) < 2 or len(right) != 1 or not section.quoted):
        raise LessonError(
            f'{where}: what is asked needs two answers or more ("- [ ] …"), just one of them ticked ("- [x] …"), and '
            'below them what is true ("> …").'
        )
    if section.quoted and not section.options:
        raise LessonError(
            f'{where}: what is true ("> …") is told after a choice, and there are no answers ("- [ ] …").'
        )
    predict = section.fields.get("predict")
    if predict is not None and (predict.lower() != "first" or not section.options):
        raise LessonError(f'{where}: "predict:" can only say "first", and only in a step that asks.')
    if len({text for text, _ in section.options}) < len(section.options):
        raise LessonError(f"{where}: two of the answers are the same.")
    return Step(
        section.heading,
        page,
        query,
        section.body,
        tuple(text for text, _ in section.options),
        right[0] if right else -1,
        section.quoted,
        tuple(words for part in section.fields.get("shows", "").split("|") if (words := part.strip())),
        predict is not None,
    )


def _address(go: str, where: str, pages: Collection[str]) -> tuple[str, dict[str, list[str]]]:
    """Page and query of ``compare?view=Classes``, or of a whole address that was copied out of the browser."""
    try:
        parts = urlsplit(go)
        query = parse_qs(parts.query, max_num_fields=50)
    except ValueError:
        raise LessonError(f"{where}: {go[:80]!r} is no address.") from None
    page = parts.path.strip("/").rpartition("/")[2]
    if not page and parts.scheme:
        page = "home"
    if page not in pages:
        raise LessonError(
            f'{where}: it does not say which page to look at, as in "go: compare?view=Classes". '
            f"There are {', '.join(sorted(pages))}."
        )
    # What the copied address said of the lesson that was on there.
    return page, {name: values for name, values in query.items() if name not in ("lesson", "step")}
