"""How a child process ended that should not have, in one set of words: what ended it, what that means, what to do."""

from __future__ import annotations

import signal
from collections.abc import Iterable

MEMORY = "The system does that when memory runs out: close other programs or ask for less, then try again."
"""What SIGKILL usually means, where no person sent it."""
DEFECT = "That is a defect, in this program or in a library that it uses: try again, and report it if it comes back."
_MEANINGS = {
    "SIGKILL": MEMORY,
    "SIGTERM": "Somebody asked it to end, or the computer is shutting down. Start it again.",
    "SIGHUP": "Its terminal or session was closed. Start it again.",
    "SIGINT": "Somebody pressed Ctrl+C. Start it again.",
    "SIGXCPU": "It used more time than it is allowed here. Ask for less.",
    "SIGBUS": "A file changed under it, or the disk is full: free some space, then try again.",
    **dict.fromkeys(("SIGSEGV", "SIGABRT", "SIGILL", "SIGFPE"), DEFECT),
}
_MOST = 400
"""Letters of its last words."""


def how_it_ended(code: int, said: Iterable[str] = ()) -> str:
    """Sentences to follow a colon: what ended a process with that exit code, what it means, and what to do.

    ``code`` as :class:`subprocess.Popen` has it: below zero for a signal. ``said``: its last lines, the latest last.
    """
    # A shell, and a container, tell of a signal by 128 and its number.
    number = -code if code < 0 else code - 128
    if number > 0:
        try:
            name = signal.Signals(number).name
        except ValueError:
            name = f"signal {number}"
        return f"it was ended by {name}. {_MEANINGS.get(name, 'Start it again.')}"
    lines = [line.strip() for line in said if line.strip()]
    # Of what Python says of an error that nobody caught, the last line is for people.
    failed = any(line.startswith('File "') or not line.strip("^~") for line in lines)
    words = " ".join(" ".join(lines[-1:] if failed else lines).split())
    shown = words if len(words) <= _MOST else "…" + words[-_MOST:]
    return f"exit code {code}. It said: {shown or 'nothing.'}" + (f" {DEFECT}" if failed else "")
