"""A sample of drawn faces, so that everything works before any download.

Nobody's picture is in it: every face is drawn from facial action units (:mod:`.action_units`) and made-up looks
(:mod:`.appearance`). It shows how models learn, fail and explain themselves; it says nothing about real faces.
"""

from __future__ import annotations

from fer_core.data.sample.action_units import ACTION_UNITS, PROTOTYPES
from fer_core.data.sample.appearance import Appearance
from fer_core.data.sample.populate import Sample, draw_sample
from fer_core.data.sample.redraw import DrawnFace, drawn_face, new_face
from fer_core.data.sample.render import REGIONS, draw_face

__all__ = [
    "ACTION_UNITS",
    "PROTOTYPES",
    "REGIONS",
    "Appearance",
    "DrawnFace",
    "Sample",
    "draw_face",
    "draw_sample",
    "drawn_face",
    "new_face",
]
