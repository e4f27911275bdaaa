"""The owner's password: compared in constant time, with few attempts for one session and for all of them together."""

from __future__ import annotations

import hmac
import os
import threading
import time
from collections import deque
from collections.abc import Callable

from fer_core.errors import AccessError

VARIABLE = "FER_EXPLORER_OWNER_PASSWORD"
SHORTEST = 12
"""Characters. At :data:`ATTEMPTS_OF_ALL` a minute twelve random letters are not guessed."""
ATTEMPTS = 5
ATTEMPTS_OF_ALL = 30
SECONDS = 60.0


def password() -> str | None:
    """The owner's password from the environment, where Streamlit puts the app's secrets; None if there is none.

    Raises ``AccessError`` for one that is too short to protect anything.
    """
    found = os.environ.get(VARIABLE)
    if not found:
        return None
    if len(found) < SHORTEST:
        raise AccessError(
            f"{VARIABLE} is shorter than {SHORTEST} characters, so nobody can unlock with it. Use a longer one."
        )
    return found


class Attempts:
    """Wrong attempts of the last minute. Sessions are cheap for whoever guesses, so they are counted together, too."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._wrong: deque[tuple[float, str]] = deque()

    def unlock(self, given: str, session: str) -> bool:
        """Whether ``given`` is the owner's password; a wrong one counts against ``session`` and against all.

        Raises ``AccessError`` where there is no password, or while there were too many wrong ones.
        """
        right = password()
        if right is None:
            raise AccessError("This app has no owner's password.")
        with self._lock:
            now = self._clock()
            while self._wrong and now - self._wrong[0][0] > SECONDS:
                self._wrong.popleft()
            mine = sum(one == session for _, one in self._wrong)
            if mine >= ATTEMPTS or len(self._wrong) >= ATTEMPTS_OF_ALL:
                raise AccessError("Too many wrong passwords. Wait a minute, then try again.")
            if hmac.compare_digest(given.encode(), right.encode()):
                return True
            self._wrong.append((now, session))
            return False


ATTEMPTS_HERE = Attempts()
"""Those of this process: all visitors of one server share it."""
