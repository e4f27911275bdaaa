"""Whether a sentence names a place on the computer that the app runs on."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from fer_core.settings import PROJECT_ROOT, settings

_PATH = re.compile(
    r"""(?<![\w/.])/(?!/)(?=[\w.~])       # /home/…, not and/or, not https://…
    | (?<!\w)~[\w-]*/                    # ~/…, ~somebody/…
    | (?<!\w)[A-Za-z]:[\\/](?!/)         # C:\…
    | \\\\\w                             # \\server""",
    re.VERBOSE,
)


def names_a_place(words: str) -> bool:
    """Whether the words hold a path that begins at the root of a disk or at somebody's home. Addresses are none."""
    if _PATH.search(words):
        return True
    known = (PROJECT_ROOT, settings().home, settings().models_dir, Path.home(), Path(tempfile.gettempdir()))
    return any(len(place.parts) > 1 and str(place) in words for place in known)
