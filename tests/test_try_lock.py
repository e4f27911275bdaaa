"""A lock that is tried: one has it, the other knows; it is free again whatever happened."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from fer_core.try_lock import try_lock


def test_one_has_it_the_other_hears_no_and_afterwards_it_is_free(tmp_path: Path) -> None:
    def is_free(patience_s: float = 0.0) -> bool:
        with try_lock(tmp_path / ".lock", patience_s) as free:
            return free

    with ThreadPoolExecutor(1) as pool:
        with try_lock(tmp_path / ".lock") as mine:
            assert mine
            assert not is_free()
            waiting = pool.submit(is_free, 60.0)
            # It goes on trying, and says nothing meanwhile.
            assert not wait([waiting], 0.3).done
        assert waiting.result()
    with pytest.raises(ZeroDivisionError), try_lock(tmp_path / ".lock"):
        raise ZeroDivisionError
    assert is_free()


def test_a_lock_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"), try_lock(tmp_path / "file" / ".lock"):
        raise AssertionError("there is nothing to be locked")
