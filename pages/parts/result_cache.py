"""Results that took long, kept for all visitors, where the page must know whether it has one before it asks for it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class ResultCache(Generic[Value]):
    """The results asked for last, by key; safe to share between threads.

    Streamlit's caches cannot say whether they hold something, and nothing that reports progress may run inside them.
    """

    def __init__(self, most: int) -> None:
        """``most``: how many are kept, 1 or more."""
        self._most = most
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Value | None:
        """The result, or None where it is not there (any more)."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def put(self, key: Hashable, value: Value) -> None:
        """Keep a result; the one that nobody asked for the longest goes."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > self._most:
                self._values.popitem(last=False)
