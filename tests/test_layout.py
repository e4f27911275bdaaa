"""One way down: a package imports only what stands below it, and no modules import each other in a circle.

Imports inside functions and imports for types alone count like any other.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ORDER = (
    "pages",
    "pages.parts.<page>",
    "pages.parts",
    "fer_core.cli",
    "fer_core.cluster",
    "fer_core.plots",
    "fer_core.access",
    "fer_core.leaderboard",
    "fer_core.lessons",
    "fer_core.game",
    "fer_core.review",
    "fer_core.bring",
    "fer_core.corruptions",
    "fer_core.explain",
    "fer_core.sweeps",
    "fer_core.evaluation",
    "fer_core.training",
    "fer_core.inference",
    "fer_core.runs",
    "fer_core.zoo",
    "fer_core.data",
    "fer_core.stats",
    "fer_core",
)
"""From the top floor to the ground, which is the modules that lie in ``fer_core`` itself."""
FACADES = ("fer_core", "fer_core.__main__", "streamlit_app")
"""What only hands on to the house: the three public functions, and the two ways to start."""


def modules(root: Path) -> dict[str, Path]:
    """Every module of the app by its dotted name; a package's ``__init__`` by the package's."""
    paths = [root / "streamlit_app.py", *(root / "pages").rglob("*.py"), *(root / "fer_core").rglob("*.py")]
    found = {}
    for path in paths:
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(source: str, known: Mapping[str, Path]) -> Iterator[str]:
    """The known modules that the source imports anywhere."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                one = f"{node.module}.{alias.name}"
                if (name := one if one in known else node.module) in known:
                    yield name


def graph(root: Path) -> dict[str, set[str]]:
    """What each module imports; facades are left out on both sides."""
    known = modules(root)
    return {
        name: {one for one in imports(path.read_text(encoding="utf-8"), known) if one not in (*FACADES, name)}
        for name, path in known.items()
        if name not in FACADES
    }


def floor(module: str) -> str:
    """Which entry of :data:`ORDER` a module belongs to."""
    parts = module.split(".")
    if parts[0] == "pages":
        if parts[:2] != ["pages", "parts"]:
            return "pages"
        return "pages.parts.<page>" if len(parts) > 3 else "pages.parts"
    package = ROOT.joinpath(*parts[:2]).is_dir()
    return ".".join(parts[:2]) if package else "fer_core"


def against_the_order(edges: Mapping[str, set[str]]) -> list[str]:
    return sorted(
        f"{module} imports {one}"
        for module, targets in edges.items()
        for one in targets
        if ORDER.index(floor(module)) > ORDER.index(floor(one))
    )


def circles(edges: Mapping[str, set[str]]) -> list[list[str]]:
    """Modules that import each other in a circle, found by taking away whatever imports nothing that is left."""
    left = {module: {one for one in targets if one in edges} for module, targets in edges.items()}
    while free := [module for module, targets in left.items() if not targets]:
        for module in free:
            del left[module]
        for targets in left.values():
            targets.difference_update(free)
    # What stays lies in a circle or above one.
    above: dict[str, set[str]] = defaultdict(set)
    for module, targets in left.items():
        for one in targets:
            above[one].add(module)
    return [sorted(module for module in left if above[module])] if left else []


def test_every_package_has_a_floor() -> None:
    packages = {f"fer_core.{path.parent.name}" for path in (ROOT / "fer_core").glob("*/__init__.py")}
    assert packages == {name for name in ORDER if name.startswith("fer_core.")}


def test_every_import_leads_down() -> None:
    assert against_the_order(graph(ROOT)) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(graph(ROOT)) == []


def test_the_parts_of_one_page_are_used_by_that_page_alone() -> None:
    wrong = [
        f"{module} imports {one}"
        for module, targets in graph(ROOT).items()
        for one in targets
        if floor(one) == "pages.parts.<page>" and one.split(".")[2] not in (module.split(".")[1:3])
    ]
    assert wrong == []


def test_wrong_ways_and_circles_are_noticed() -> None:
    """Lazy imports and imports for types, too."""
    lazy = "def f():\n    from fer_core.cli import runs\n"
    typed = "if TYPE_CHECKING:\n    from fer_core.cli.runs import run\n"
    known = {"fer_core.cli.runs": Path(), "fer_core.stats.metrics": Path()}
    for source in (lazy, typed):
        edges = {"fer_core.stats.metrics": set(imports(source, known))}
        assert against_the_order(edges) == ["fer_core.stats.metrics imports fer_core.cli.runs"]
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert circles({"a": {"b"}, "b": set()}) == []


def test_the_architecture_names_every_floor_in_this_order_and_all_that_lies_on_the_ground() -> None:
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    table = [
        line.split("|")[2].strip() for line in text.splitlines() if line.startswith(("| top |", "| |", "| ground |"))
    ]
    *floors, ground = table
    written = [re.findall(r"`([^`]+)`", floor)[-1].strip("/").replace("/", ".") for floor in floors]
    assert tuple(written) == ORDER[:-1]
    stands = {path.stem for path in (ROOT / "fer_core").glob("[!_]*.py")}
    assert set(re.findall(r"`(\w+)`", ground)) == stands
