"""What crosses the border of a module says what it is: no ``dict[str, Any]`` in the signature of a public function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VAGUE = ("dict[str, Any]", "Mapping[str, Any]")


def vague(source: str) -> Iterator[str]:
    """Public functions and methods that take or return a dictionary of anything, and other names for one."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and ast.unparse(node.value) in VAGUE:
            yield ast.unparse(node.targets[0])
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            arguments = node.args
            given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            annotations = [one.annotation for one in given] + [node.returns]
            if any(text in ast.unparse(one) for one in annotations if one is not None for text in VAGUE):
                yield node.name


def test_no_dictionary_of_anything_crosses_the_border_of_a_module() -> None:
    paths = [*(ROOT / "fer_core").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    found = [f"{path.relative_to(ROOT)}: {name}" for path in paths for name in vague(path.read_text(encoding="utf-8"))]
    assert not found, "\n".join(found)


def test_the_rule_sees_parameters_results_and_methods_and_leaves_private_ones_alone() -> None:
    source = """
def takes(a: Mapping[str, Any]): ...
def gives() -> tuple[dict[str, Any], str]: ...
class Thing:
    def method(self, *, b: dict[str, Any] | None): ...
Alias = Mapping[str, Any]
def _private(a: dict[str, Any]) -> dict[str, Any]: ...
def fine(a: Mapping[str, object]) -> dict[str, int]: ...
"""
    assert list(vague(source)) == ["takes", "gives", "Alias", "method"]
