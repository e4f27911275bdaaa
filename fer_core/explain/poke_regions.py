"""Where brows, eyes and mouth are in most faces of FER-2013."""

from __future__ import annotations

from fer_core.explain.regions import Box

STANDARD: dict[str, Box] = {
    "brows": (8, 8, 40, 15),
    "eyes": (8, 14, 40, 22),
    "mouth": (13, 34, 35, 45),
}
"""(x0, y0, x1, y1) in pixels, x1 and y1 exclusive: read off the mean of every seventh Training face. Faces that are
turned or cut otherwise need a box moved by hand.
"""
