"""How good the models are, as HTML: a bar a model on the scale from 0 to 100 %, with chance and people marked."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from fer_core.emotions import COUNT
from fer_core.formatting import interval, percent
from fer_core.game.result import PEOPLE, PEOPLE_GIVE_OR_TAKE
from fer_core.plots.style import ACCENT
from fer_core.runs.contracts import SplitScores

STYLE = """<style>
.how-good { border-collapse: collapse; width: 100%; max-width: 52rem; font-size: 0.9rem; }
.how-good th, .how-good td { padding: 3px 8px 3px 0; font-weight: 400; text-align: left; vertical-align: middle; }
.how-good th small { display: block; opacity: 0.8; }
.how-good td:last-child { white-space: nowrap; text-align: right; padding-right: 0; }
.how-good .scale { width: 60%; min-width: 7rem; padding-right: 0.8rem; }
.how-good .track { position: relative; height: 1.15rem; background: rgba(127,127,143,0.15); }
.how-good .track * { position: absolute; top: 0; height: 100%; }
.how-good .marks { position: relative; height: 1.4rem; font-size: 0.8rem; white-space: nowrap; }
.how-good .marks span { position: absolute; transform: translateX(-50%); }
@media (max-width: 640px) {
  .how-good th { max-width: 7rem; overflow-wrap: anywhere; }
  .how-good td:last-child small { display: block; }
  .how-good .scale { width: 45%; }
  .how-good .marks { font-size: 0.7rem; }
}
</style>"""


@dataclass(frozen=True)
class Bar:
    """A model, what it was measured on (may be empty), and how it did."""

    name: str
    about: str
    scores: SplitScores


def table(bars: Sequence[Bar], *, people: bool, alt: str) -> str:
    """One line a model. ``people``: whether the data are those that people were asked about. ``alt``: as a caption for
    screen readers.
    """
    chance = 100 / COUNT
    marks = [f'<span style="left:{chance:.1f}%">chance {chance:.0f} %</span>']
    lines = f'<i style="left:{chance:.1f}%;width:2px;background:currentColor;opacity:0.7"></i>'
    if people:
        low, width = PEOPLE - PEOPLE_GIVE_OR_TAKE, 2 * PEOPLE_GIVE_OR_TAKE
        marks.append(f'<span style="left:{PEOPLE}%">people {PEOPLE} ± {PEOPLE_GIVE_OR_TAKE} %</span>')
        lines += (
            f'<i style="left:{low}%;width:{width}%;border:1px dashed currentColor;border-width:0 1px;opacity:0.75;'
            'box-sizing:border-box"></i>'
        )
    rows = "".join(_row(bar, lines) for bar in bars)
    return (
        f'{STYLE}<table class="how-good" aria-label="{html.escape(alt, quote=True)}"><thead><tr><td></td>'
        f'<td class="scale"><div class="marks">{"".join(marks)}</div></td><td></td></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _row(bar: Bar, lines: str) -> str:
    scores = bar.scores
    low, high = 100 * scores["accuracy_low"], 100 * scores["accuracy_high"]
    about = f"<small>{html.escape(bar.about)}</small>" if bar.about else ""
    fill = f'<i style="left:0;width:{100 * scores["accuracy"]:.1f}%;background:{ACCENT};opacity:0.55"></i>'
    whisker = f'<i style="left:{low:.1f}%;width:{max(0.6, high - low):.1f}%;background:{ACCENT}"></i>'
    return (
        f'<tr title="n = {scores["n"]:,} faces"><th scope="row">{html.escape(bar.name)}{about}</th>'
        f'<td class="scale"><div class="track" aria-hidden="true">{fill}{whisker}{lines}</div></td>'
        f"<td>{percent(scores['accuracy'])} <small>{interval(scores)}</small></td></tr>"
    )
