"""Where Ray keeps its sockets and logs: nobody else's, and not left behind by a command that was killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fer_core.cluster.engine import OWNER, PREFIX, short_folder
from fer_core.leftovers import DAY_S
from fer_core.processes import ProcessMark
from fer_core.settings import PROJECT_ROOT


def left_by_a_killed_command(where: Path) -> Path:
    code = (
        "import os, signal, sys; from pathlib import Path; from fer_core.cluster.engine import short_folder\n"
        f"with short_folder(Path({str(where)!r})): os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT_ROOT, timeout=60)
    (left,) = where.glob(f"{PREFIX}*")
    return left


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_the_folder_of_a_killed_command_stayed_for_good(tmp_path: Path) -> None:
    left = left_by_a_killed_command(tmp_path)
    with short_folder(tmp_path) as mine:
        assert not left.exists()
        with short_folder(tmp_path) as second:
            assert mine.is_dir(), "of a command that lives"
            assert second != mine
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_other_accounts_do_not_get_into_the_folder(tmp_path: Path) -> None:
    with short_folder(tmp_path) as folder:
        folder.chmod(0o777)  # as Ray does
        assert folder.parent.stat().st_mode & 0o077 == 0


def test_what_cannot_be_told_stays_for_a_day(tmp_path: Path) -> None:
    elsewhere, unsaid, old, link = (tmp_path / f"{PREFIX}{name}" for name in ("a", "b", "c", "d"))
    for folder in (elsewhere, unsaid, old):
        folder.mkdir()
    me = ProcessMark.me()
    (elsewhere / OWNER).write_text(str(ProcessMark("0123456789ab", me.pid, me.start)))
    link.symlink_to(tmp_path)
    then = old.stat().st_mtime - DAY_S - 60
    os.utime(old, (then, then))
    with short_folder(tmp_path):
        assert (elsewhere.exists(), unsaid.exists(), old.exists(), link.is_symlink()) == (True, True, False, True)
