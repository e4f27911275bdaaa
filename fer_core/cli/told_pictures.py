"""What ``predict`` prints, told as it comes: as sentences, or as one JSON object that is never whole in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from fer_core.cli.terminal import one_line, output
from fer_core.formatting import percent, plural
from fer_core.inference.pictures import Reading
from fer_core.inference.predict_json import ClipEntry, MomentEntry, PictureEntry, Report


class Teller(Protocol):
    """Takes what is found in the order in which it is found: pictures, then videos."""

    begun: bool
    """Whether anything was told: only then is :meth:`end` called."""

    def picture(self, reading: Reading) -> None: ...

    def moment(self, path: Path, entry: MomentEntry) -> None:
        """One moment of the video that is being read."""

    def video(self, entry: ClipEntry) -> None:
        """A video that was read to its end; its moments were told before."""

    def broken_off(self, path: Path, reason: str) -> None:
        """A video of which moments may have been told, and which could not be read to its end."""

    def end(self, problems: Sequence[tuple[Path, str]], passed: int, out: Path | None) -> None: ...


class JsonTeller:
    """Prints the members of one object one by one, each entry of its lists on a line of its own."""

    def __init__(self, head: Report) -> None:
        """``head``: as from :func:`fer_core.inference.predict_json.report_head`; its empty lists are filled here."""
        self.begun = False
        self._head = {key: value for key, value in head.items() if not isinstance(value, list) or value}
        self._list, self._empty = "", True
        self._clip_moments: int | None = None

    def picture(self, reading: Reading) -> None:
        self._item("pictures", json.dumps(reading.to_json()))

    def moment(self, path: Path, entry: MomentEntry) -> None:
        self._open_clip(path)
        output(("," if self._clip_moments else "") + json.dumps(entry))
        self._clip_moments = (self._clip_moments or 0) + 1

    def video(self, entry: ClipEntry) -> None:
        self._close_clip(entry["file"], {key: value for key, value in entry.items() if key not in ("file", "moments")})

    def broken_off(self, path: Path, reason: str) -> None:
        if self._clip_moments is not None:
            self._close_clip(str(path), {"broken_off": reason})

    def end(self, problems: Sequence[tuple[Path, str]], passed: int, out: Path | None) -> None:
        for name in ("pictures", "videos"):
            self._enter(name)
        output("],")
        output(f'"problems": {json.dumps([{"file": str(path), "reason": reason} for path, reason in problems])},')
        output(f'"passed_over": {passed}')
        output("}")

    def _open_clip(self, path: Path) -> None:
        if self._clip_moments is None:
            self._item("videos", f'{{"file": {json.dumps(str(path))}, "moments": [')
            self._clip_moments = 0

    def _close_clip(self, file: str, rest: Mapping[str, object]) -> None:
        self._open_clip(Path(file))
        output("], " + json.dumps(rest)[1:])
        self._clip_moments = None

    def _item(self, name: str, text: str) -> None:
        self._enter(name)
        output(text if self._empty else f",{text}")
        self._empty = False

    def _enter(self, name: str) -> None:
        """Be in the list of that name: after the head, and after the list before it."""
        if not self.begun:
            output("{")
            for key, value in self._head.items():
                output(f"{json.dumps(key)}: {json.dumps(value)},")
            self.begun = True
        order = ["", "pictures", "videos"]
        while order.index(self._list) < order.index(name):
            if self._list:
                output("],")
            self._list, self._empty = order[order.index(self._list) + 1], True
            output(f'"{self._list}": [')


class TextTeller:
    """Prints a few lines for each picture and video. ``titles``: of the models, by name."""

    def __init__(self, titles: Mapping[str, str], clear: Callable[[], None]) -> None:
        """``clear`` is called before anything is printed, to take a progress line off a terminal."""
        self.begun = False
        self._titles, self._clear = titles, clear

    def picture(self, reading: Reading) -> None:
        self._tell(_lines(reading.to_json(), self._titles))

    def moment(self, path: Path, entry: MomentEntry) -> None:
        """Moments are for tables and machines."""

    def video(self, entry: ClipEntry) -> None:
        self._tell(_video_lines(entry, self._titles))

    def broken_off(self, path: Path, reason: str) -> None:
        """The reason is told at the end, with all problems."""

    def end(self, problems: Sequence[tuple[Path, str]], passed: int, out: Path | None) -> None:
        lines = [f"{plural(passed, 'other file')} in the folders passed over."] if passed else []
        if out is not None:
            lines.append(f"Written: {one_line(out)}")
        self._tell(lines)

    def _tell(self, lines: Sequence[str]) -> None:
        self.begun = True
        if lines:
            self._clear()
            output("\n".join(lines))


def _lines(entry: PictureEntry, titles: Mapping[str, str]) -> list[str]:
    if not entry["faces"]:
        return [f"{one_line(entry['file'])}: no face found. A larger, upright, frontal face is found more easily."]
    lines = []
    for number, face in enumerate(entry["faces"], start=1):
        box = face["box"]
        lines.append(
            f"{one_line(entry['file'])}, face {number} of {len(entry['faces'])}, {box['width']}×{box['height']} "
            f"pixels at x {box['x']}, y {box['y']}"
        )
        lines += _answers(face["probabilities"], titles)
    return lines


def _video_lines(entry: ClipEntry, titles: Mapping[str, str]) -> list[str]:
    name, frames = one_line(entry["file"]), entry["frames"]
    lines = [
        f"{name}: {entry['seconds']:.1f} s, {plural(frames, 'frame')}, a face in "
        f"{percent(entry['frames_with_faces'] / frames)} of them, {plural(len(entry['faces']), 'face')} in all"
    ]
    if entry["note"]:
        lines.append(f"  {entry['note']}")
    for face in entry["faces"]:
        lines.append(
            f"{name}, face {face['face']}, from {face['first_s']:.1f} to {face['last_s']:.1f} s, mean of "
            f"{plural(face['frames'], 'frame')}"
        )
        lines += _answers(face["probabilities"], titles)
    return lines


def _answers(probabilities: dict[str, dict[str, float]], titles: Mapping[str, str]) -> list[str]:
    """A line for each model, the likeliest class first."""
    lines = []
    for name, values in probabilities.items():
        ranked = sorted(values.items(), key=lambda item: -item[1])
        lines.append(f"  {one_line(titles[name])}: " + ", ".join(f"{what} {100 * p:.1f} %" for what, p in ranked))
    return lines
