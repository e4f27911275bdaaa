"""The part of the build that pyproject.toml cannot say: the models that ship travel inside the package."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.errors import FileError

MODELS = Path(__file__).resolve().parent / "models"


class BuildWithModels(build_py):
    """Builds the package, and copies ``models/`` to ``fer_core/_models``, where :mod:`fer_core.settings` looks."""

    def run(self) -> None:
        """Raises ``FileError`` where there is no model to copy."""
        if self.editable_mode:
            super().run()  # it stays a working copy, which has its models beside it
            return
        package = Path(self.build_lib) / "fer_core"
        # What an earlier build has left: setuptools would ship its modules, too, though they have been renamed since.
        shutil.rmtree(package, ignore_errors=True)
        super().run()
        runs = sorted(path.parent for path in MODELS.glob("*/run.json"))
        if not runs:
            raise FileError(f"{MODELS} holds no run, so the wheel could predict nothing. Build from a whole clone.")
        (package / "_models").mkdir()
        shutil.copy2(MODELS / "ledger.jsonl", package / "_models")
        for run in runs:
            shutil.copytree(run, package / "_models" / run.name, ignore=shutil.ignore_patterns(".*"))


setup(cmdclass={"build_py": BuildWithModels})
