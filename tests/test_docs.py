"""What the documents say is what the project does."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

from fer_core.cli import COMMANDS, build_parser
from fer_core.formatting import interval, percent
from fer_core.runs.folder import RunFolder
from fer_core.settings import PROJECT_ROOT

README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
GUIDES = [
    *(PROJECT_ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((PROJECT_ROOT / "docs").glob("*.md")),
]
DOCUMENTS = [PROJECT_ROOT / "CHANGELOG.md", *GUIDES]
NOT_HERE = {".venv", "datasets", "runs", "reviews", "cache", "dist"}
"""Folders that documents name and git ignores: what people import, train and build. See ``.gitignore``."""
LOGS = {"log.txt"}
"""Names of files that only a running app writes."""
THEIRS = {"classes.txt"}
"""Names of files that people bring."""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text) + re.findall(r'src="([^"]+)"', text):
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
    if document.name == "command-line.md":
        assert {line.split()[0] for line in lines} == set(COMMANDS)


def test_the_readmes_figures_are_those_of_the_shipped_models() -> None:
    shipped = [RunFolder(path.parent) for path in sorted((PROJECT_ROOT / "models").glob("*/run.json"))]
    assert shipped
    for run in shipped:
        metrics = run.metrics()
        assert metrics is not None, run.evaluation_problems()
        scores = metrics["splits"]["PrivateTest"]
        clean = scores["without_near_duplicates"]
        row = (
            f"| `{run.name}` | {percent(clean['accuracy'])} ({interval(clean)}) | {clean['n']:,} "
            f"| {percent(scores['accuracy'])} ({interval(scores)}) | {scores['n']:,} |"
        )
        assert row in README, f"README needs the row: {row}"


def test_every_requirement_says_why_it_is_bounded_as_it_is() -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-ray.txt"):
        lines = (PROJECT_ROOT / name).read_text(encoding="utf-8").splitlines()
        for before, line in zip(["", *lines], lines, strict=False):
            if re.match(r"[a-z]", line) and re.search(r"[<>=]=?\d", line):
                assert before.startswith("#") or re.match(r"[a-z]", before), f"{name}: {line} has no reason above it"


@cache
def repository() -> tuple[PurePosixPath, ...]:
    """Every file that belongs to the project: tracked by git or new, and there."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return tuple(PurePosixPath(name) for name in listed if (PROJECT_ROOT / name).is_file())


def folders_to_explain() -> set[str]:
    """Folders that the README's tree must have: the top ones, two more levels of the core and of the pages."""
    levels = {"fer_core": 3, "pages": 3}
    found = {parent.parts for file in repository() for parent in file.parents if parent.parts}
    return {
        "/".join(parts) for parts in found if not parts[0].startswith(".") and len(parts) <= levels.get(parts[0], 1)
    }


def tree_of(text: str) -> Iterator[tuple[str, str]]:
    """Path and comment of each line of the README's tree. Folders end with a slash; two spaces are one level."""
    [tree] = re.findall(r"^```\n(streamlit_app\.py.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    above: list[str] = []
    for line in tree.splitlines():
        indent, name, comment = re.fullmatch(r"( *)(\S+) *(.*)", line).groups()
        above = [*above[: len(indent) // 2], name]
        yield "".join(above), comment


def test_the_readmes_tree_explains_every_folder_once_and_no_other() -> None:
    lines = list(tree_of(README))
    assert [name for name, comment in lines if not comment] == []
    named = [name.rstrip("/") for name, _ in lines if name.endswith("/")]
    assert len(named) == len(set(named))
    assert folders_to_explain() - set(named) == set()
    assert set(named) - folders_to_explain() == set()
    files = [name for name, _ in lines if not name.endswith("/")]
    assert [name for name in files if not (PROJECT_ROOT / name).is_file()] == []


def words_in_code(document: Path) -> set[str]:
    """Every word between single backticks, without punctuation around it."""
    text = re.sub(r"^```.*?^```$", "", document.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return {word.strip(",;:()\"'") for code in re.findall(r"`([^`]+)`", text) for word in code.split()}


def is_missing(word: str) -> bool:
    """Whether it looks like a file, a folder or a module of this project, and there is none."""
    if re.fullmatch(r"fer_core(\.\w+)+", word):
        return not is_known(word)
    first, _, last = word.partition(".")
    if (
        first
        and last.isidentifier()
        and last not in ("json", "parquet", "yaml")
        and (PROJECT_ROOT / "fer_core" / first).is_dir()
    ):
        return not is_known(f"fer_core.{word}") and not is_known(f"pages.parts.{word}")
    if re.fullmatch(r"[\w-]+\.(py|md|toml|txt|yml)", word):
        return word not in LOGS | THEIRS and all(file.name != word for file in repository())
    if not re.fullmatch(r"[\w.<>*-]+(/[\w.<>*-]*)+", word) or word.split("/")[0] in NOT_HERE:
        return False
    # "<name>" stands for any name.
    pattern = re.sub(r"<[^>]*>", "*", word.rstrip("/"))
    return not any(PROJECT_ROOT.glob(pattern))


def is_known(dotted: str) -> bool:
    """Whether it is a module, or the last module on the way says the next name."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        place = PROJECT_ROOT.joinpath(*parts[:length])
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if file.is_file():
                return all(re.search(rf"\b{name}\b", file.read_text(encoding="utf-8")) for name in parts[length:][:1])
    return False


@pytest.mark.parametrize("document", GUIDES, ids=lambda path: path.name)
def test_files_and_modules_that_the_documents_name_exist(document: Path) -> None:
    assert sorted(filter(is_missing, words_in_code(document))) == []


@pytest.mark.parametrize(
    ("word", "missing"),
    [
        ("fer_core/settings.py", False),
        ("fer_core/setings.py", True),
        ("training/gone.py", True),
        ("models/*/run.json", False),
        ("models/<name>/absent.json", True),
        ("datasets/fer2013", False),
        ("gone.py", True),
        ("settings.py", False),
        ("fer_core.settings.settings", False),
        ("fer_core.settings.absent", True),
        ("fer_core.load_model", False),
        ("fer_core.gone", True),
        ("evaluation.aligned", True),
        ("evaluation.aligned_predictions", False),
        ("access.check", False),
    ],
)
def test_what_counts_as_missing(word: str, missing: bool) -> None:
    assert is_missing(word) == missing


def test_every_attack_that_the_security_page_names_is_a_test() -> None:
    text = (PROJECT_ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::([\w:]+)`", text)
    assert len(named) > 15
    assert len(named) == len(re.findall(r"`tests/", text))
    for file, test in named:
        *classes, function = test.split("::")
        source = (PROJECT_ROOT / file).read_text(encoding="utf-8")
        missing = [one for one in (*(f"class {name}" for name in classes), f"def {function}(") if one not in source]
        assert not missing, f"{file} has no {missing}"


def test_every_benchmark_stands_in_their_readme() -> None:
    """Two that write tables which ship did not."""
    text = (PROJECT_ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    scripts = [path for path in (PROJECT_ROOT / "benchmarks").glob("*.py") if '"__main__"' in path.read_text("utf-8")]
    assert len(scripts) > 10
    assert [path.name for path in scripts if f"python benchmarks/{path.name}" not in text] == []
