"""Accuracies as a slim strip of HTML: a line a run, its interval on a common scale, chance and people marked.

HTML and not a figure: it is small, is there at once, and can be read aloud line by line.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from fer_core.plots.style import MUTED, run_colour

CHANCE, PEOPLE = 1 / 7, 0.65
"""What guessing reaches where all classes are alike; what people reach on FER-2013 (Goodfellow et al., 2013)."""

_STYLE = """<style>
.strip{display:grid;grid-template-columns:minmax(6em,auto) minmax(6em,1fr) auto auto;gap:.15em .9em;align-items:center;
font-size:.9rem;line-height:1.35}
.strip .track{position:relative;height:1.3em}
.strip .mark{position:absolute;top:0;bottom:0;border-left:2px dotted}
.strip .bar{position:absolute;top:.4em;height:.5em;min-width:2px;opacity:.45}
.strip .dot{position:absolute;top:.15em;width:3px;height:1em;margin-left:-1px}
.strip .figure{white-space:nowrap;font-variant-numeric:tabular-nums}
.strip .words{font-size:.8rem;position:relative;height:1.3em}
.strip .words span{position:absolute;white-space:nowrap;transform:translateX(-50%)}
.strip .line{display:contents}
@media (max-width:640px){.strip{display:block}.strip .line{display:grid;grid-template-columns:1fr 9.5em;gap:0 .6em;
margin-bottom:.4em}.strip .track,.strip .beside{grid-row:2}.strip .words{grid-column:1}.strip .figure{text-align:right}
.strip .line>i{display:none}}
</style>"""


@dataclass(frozen=True)
class Line:
    """One run: ``accuracy`` with its 95 % interval, all 0..1; ``beside`` stands at the end of its line."""

    name: str
    accuracy: float
    low: float
    high: float
    beside: str = ""


def strip(lines: Sequence[Line], *, chance: float = CHANCE, people: float | None = None) -> str:
    """HTML. ``chance``, ``people``: 0..1, marked on the scale from 0 to 100 %; ``people`` None leaves them out."""
    marks = [(chance, "chance"), *([(people, "people")] if people is not None else [])]
    dotted = "".join(f'<i class="mark" style="left:{100 * at:.1f}%;border-color:{MUTED}"></i>' for at, _ in marks)
    cells = []
    for position, line in enumerate(lines):
        colour = run_colour(position)
        left, width = 100 * line.low, 100 * (line.high - line.low)
        words = f"({left:.1f}–{100 * line.high:.1f})"
        cells.append(
            f'<div class="line"><b>{html.escape(line.name)}</b>'
            f'<div class="track" aria-hidden="true">{dotted}'
            f'<i class="bar" style="left:{left:.1f}%;width:{width:.1f}%;background:{colour}"></i>'
            f'<i class="dot" style="left:{100 * line.accuracy:.1f}%;background:{colour}"></i></div>'
            f'<span class="figure"><b>{100 * line.accuracy:.1f} %</b> {words}</span>'
            f'<span class="figure beside">{html.escape(line.beside)}</span></div>'
        )
    words = "".join(f'<span style="left:{100 * at:.1f}%">{word} {100 * at:.0f} %</span>' for at, word in marks)
    cells.append(f'<div class="line"><i></i><div class="words" aria-hidden="true">{words}</div><i></i><i></i></div>')
    return f'{_STYLE}<div class="strip" role="figure" aria-label="Accuracy of each run">{"".join(cells)}</div>'
