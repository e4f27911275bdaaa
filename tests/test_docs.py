"""What the documents say is what the project does."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from fer_core.cli import COMMANDS, build_parser
from fer_core.formatting import interval, percent
from fer_core.settings import PROJECT_ROOT

README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [PROJECT_ROOT / "README.md", PROJECT_ROOT / "CHANGELOG.md", *sorted((PROJECT_ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_the_readme_opens_with_the_two_commands() -> None:
    head = README.split("##")[0]
    blocks = re.findall(r"```\n(.*?)\n```", head, flags=re.DOTALL)
    assert blocks == [
        "pip install -r requirements.txt && streamlit run streamlit_app.py",
        "pip install -r requirements-dev.txt && pytest",
    ]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_in_the_documents_are_understood(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    lines = re.findall(r"^python -m fer_core (.+)$", text, flags=re.MULTILINE)
    parser = build_parser()
    for line in lines:
        parser.parse_args(shlex.split(line))
    if document.name == "README.md":
        assert {line.split()[0] for line in lines} == set(COMMANDS)


def test_the_readmes_figures_are_those_of_the_shipped_models() -> None:
    shipped = sorted((PROJECT_ROOT / "models").glob("*/metrics.json"))
    assert shipped
    for path in shipped:
        scores = json.loads(path.read_text(encoding="utf-8"))["splits"]["PrivateTest"]
        clean = scores["without_near_duplicates"]
        row = (
            f"| `{path.parent.name}` | {percent(scores['accuracy'])} ({interval(scores)}) "
            f"| {scores['n']:,} | {percent(clean['accuracy'])} | {clean['n']:,} |"
        )
        assert row in README, f"README needs the row: {row}"


def test_every_requirement_says_why_it_is_bounded_as_it_is() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (PROJECT_ROOT / name).read_text(encoding="utf-8").splitlines()
        for before, line in zip(["", *lines], lines, strict=False):
            if re.match(r"[a-z]", line) and re.search(r"[<>=]=?\d", line):
                assert before.startswith("#") or re.match(r"[a-z]", before), f"{name}: {line} has no reason above it"
