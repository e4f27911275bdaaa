"""A report as one HTML file that needs nothing else: text, tables and pictures inside it, to hand in or to keep.

Everything that is not named HTML is text and shown as such, so names and notes of people cannot become markup.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass, field

_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{line-height:1.2}h2{margin-top:2rem;border-bottom:1px solid #8888}
table{border-collapse:collapse;font-size:.9rem;margin:.5rem 0}
th,td{border:1px solid #8886;padding:.2rem .5rem;text-align:right}
th:first-child,td:first-child{text-align:left}
img{max-width:100%;height:auto;image-rendering:pixelated}
figure{margin:1rem 0}figcaption,.note{font-size:.85rem}
.scroll{overflow-x:auto}
@media print{h2,figure,table{break-inside:avoid}}
"""


@dataclass
class Report:
    """A report that is written from the top down; :meth:`text` is the whole of it.

    ``style``: CSS for what this report alone holds.
    """

    title: str
    style: str = ""
    _parts: list[str] = field(default_factory=list)

    def heading(self, text: str) -> None:
        """Begin a section."""
        self._parts.append(f"<h2>{html.escape(text)}</h2>")

    def paragraph(self, text: str, *, note: bool = False) -> None:
        """A paragraph of plain text; a ``note`` is small. Nothing for an empty one."""
        if text:
            self._parts.append(f"<p{' class=note' if note else ''}>{html.escape(text)}</p>")

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], colours: Sequence[Sequence[str]] = ()) -> None:
        """A table of plain text. ``colours``: where given, a ``#RRGGBB`` for each cell, or an empty text for none.

        Raises ``ValueError`` for rows of another length than the head.
        """
        if any(len(row) != len(head) for row in rows):
            raise ValueError(f"every row needs {len(head)} cells")
        lines = ["".join(f"<th>{html.escape(cell)}</th>" for cell in head)]
        for number, row in enumerate(rows):
            fills = colours[number] if colours else [""] * len(row)
            lines.append("".join(_cell(cell, fill) for cell, fill in zip(row, fills, strict=True)))
        body = "".join(f"<tr>{line}</tr>" for line in lines)
        self._parts.append(f'<div class="scroll"><table>{body}</table></div>')

    def picture(self, data: bytes, alt: str, caption: str = "", *, kind: str = "jpeg") -> None:
        """A picture, already encoded as ``jpeg`` or ``png``."""
        source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
        below = f"<figcaption>{html.escape(caption)}</figcaption>" if caption else ""
        self._parts.append(f'<figure><img src="{source}" alt="{html.escape(alt)}">{below}</figure>')

    def markup(self, trusted: str) -> None:
        """HTML of our own making, such as a strip of accuracies. Never what somebody typed."""
        self._parts.append(trusted)

    def text(self) -> str:
        """The whole file, to be written as UTF-8."""
        title = html.escape(self.title)
        head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
        body = "\n".join(self._parts)
        return (
            f'<!doctype html>\n<html lang="en"><head>{head}<style>{_STYLE}{self.style}</style></head>\n'
            f"<body><h1>{title}</h1>\n{body}\n</body></html>\n"
        )


def _cell(text: str, fill: str) -> str:
    if not fill:
        return f"<td>{html.escape(text)}</td>"
    red, green, blue = (int(fill[at : at + 2], 16) for at in (1, 3, 5))
    # Black or white by the fill's lightness, whatever the page's own colours are.
    ink = "#000" if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "#fff"
    return f'<td style="background:{fill};color:{ink}">{html.escape(text)}</td>'
