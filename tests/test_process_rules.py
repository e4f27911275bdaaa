"""Two processes, one rule: the app's process never imports TensorFlow or Keras, ``fer_core`` never Streamlit."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from factories import make_run

from fer_core.data.importer import import_dataset
from fer_core.settings import settings

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"tensorflow", "keras", "tf_keras_vis"}
CORE = sorted((ROOT / "fer_core").rglob("*.py"))
APP = [ROOT / "streamlit_app.py", *sorted((ROOT / "pages").rglob("*.py"))]


def every_node(tree: ast.AST) -> Iterator[ast.AST]:
    return ast.walk(tree)


def nodes_that_run_on_import(tree: ast.AST) -> Iterator[ast.AST]:
    """Without the insides of functions, and without imports for type checkers alone, which cost nothing at run time."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        yield node
        yield from nodes_that_run_on_import(node)


def imports(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Names of all modules that any import statement among the nodes asks for."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def offenders(
    paths: list[Path], forbidden: set[str], *, among: Callable[[ast.AST], Iterator[ast.AST]] = every_node
) -> dict[str, set[str]]:
    """The files that ask for something forbidden, each with what it asks for."""
    found = {path: {name.split(".")[0] for name in imports(among(parse(path)))} & forbidden for path in paths}
    return {str(path.relative_to(ROOT)): names for path, names in found.items() if names}


def run_python(program: str, **environment: str) -> str:
    """Output of a program in a fresh interpreter at the project's root."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_the_core_never_asks_for_streamlit_or_pages() -> None:
    assert offenders(CORE, {"streamlit", "pages"}) == {}


def test_the_core_asks_for_keras_only_inside_functions() -> None:
    assert offenders(CORE, HEAVY, among=nodes_that_run_on_import) == {}


def test_pages_never_ask_for_keras() -> None:
    assert offenders(APP, HEAVY) == {}


def test_ray_is_asked_for_in_the_cluster_alone_and_nothing_but_its_commands_asks_for_that() -> None:
    cluster = ROOT / "fer_core" / "cluster"
    others = [path for path in (*CORE, *APP) if cluster not in path.parents]
    assert offenders(others, {"ray"}) == {}
    users = {
        path.relative_to(ROOT).as_posix()
        for path in others
        if any(name.startswith("fer_core.cluster") for name in imports(every_node(parse(path))))
    }
    assert users <= {"fer_core/cli/sweep.py", "fer_core/cli/score.py"}
    # Inside functions: every command is registered whenever one of them runs.
    at_once = [name for user in users for name in imports(nodes_that_run_on_import(parse(ROOT / user)))]
    assert [name for name in at_once if name.startswith("fer_core.cluster")] == []


def modules_that_pages_use() -> set[str]:
    """Every module of ``fer_core`` that a page or a part of one imports, at its top or in a function."""
    found = set()
    for path in APP:
        for name in imports(every_node(parse(path))):
            parts = name.split(".")
            # "from package import name" may name a module or something in it.
            for length in (len(parts), len(parts) - 1):
                place = ROOT.joinpath(*parts[:length])
                if parts[0] == "fer_core" and place.with_suffix(".py").exists():
                    found.add(".".join(parts[:length]))
    return found


def test_what_pages_use_of_the_core_loads_neither_streamlit_nor_keras() -> None:
    modules = sorted(modules_that_pages_use())
    assert len(modules) >= 10
    program = (
        "import importlib, json, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        f"print(json.dumps([name for name in {sorted(HEAVY | {'streamlit'})!r} if name in sys.modules]))"
    )
    assert json.loads(run_python(program)) == []


VISIT_ALL = """
import io, json, sys
from types import SimpleNamespace
import numpy as np
from PIL import Image
import streamlit.testing.v1.app_test as app_test
from apptest import WarmPagesManager, open_app
app_test.PagesManager = WarmPagesManager
problems = []
def visit(page, **query):
    app = open_app(page, **query)
    problems.extend(f"{page} {query}: {error.message}" for error in app.exception)
    return app
visit("home")
for view in ("Faces", "Classes", "Bring real data"):
    visit("dataset", view=view)
visit("train")
visit("bring")
visit("sweeps")
visit("compare")
table = next(frame.value for frame in visit("mistakes", table="true", take="true").dataframe if "Row" in frame.value)
for panel in ("Evidence", "Similar faces", "Your mark", "How sure"):
    opened = visit("mistakes", face=str(table["Row"][0]), panel=panel)
if not any("Face with the map" in one.proto.body for one in opened.get("html")):
    problems.append("mistakes shows no class map")
visit("explain", data="sample", **{"explain.row": str(table["Row"][0])})
for view in ("Methods", "Averages", "Look inside", "Robustness"):
    visit("explain", data="sample", **{"explain.row": str(table["Row"][0]), "explain.view": view})
# AppTest has no browser to hold a camera's other end.
from pages.parts.live import camera
camera.get_global_relay = camera.newest_only = lambda *relay: None
camera.webrtc_streamer = lambda key, **options: SimpleNamespace(
    state=SimpleNamespace(playing=False, signalling=False)
)
visit("live")
visit("poke")
visit("limits")
visit("lessons")
visit("leaderboard")
visit("run")
visit("run", run="mine", **{f"card.{name}": "true" for name in ("figures", "recipe", "network", "limits", "files")})
picture = io.BytesIO()
Image.fromarray(np.zeros((48, 48), dtype=np.uint8)).save(picture, "PNG")
app = visit("photo")
app.file_uploader[0].set_value([("face.png", picture.getvalue(), "image/png")])
app.run()
# The table of the models' answers: without it nothing was predicted.
assert any("Probability (%%)" in table.value for table in app.dataframe), "no model has answered"
problems.extend(error.message for error in app.exception)
print(json.dumps({"problems": problems, "heavy": [name for name in %r if name in sys.modules]}))
"""


def test_visiting_every_page_loads_no_keras(home: Path) -> None:
    dataset = import_dataset("sample", settings().datasets_dir / "sample")
    about = {"fingerprint": dataset.info.fingerprint}
    make_run(settings().runs_dir / "mine", labels=dataset.labels, splits=dataset.splits, data=about)
    pages = {path.stem for path in (ROOT / "pages").glob("*.py")}
    visited = {page for page in pages if f'visit("{page}"' in VISIT_ALL}
    assert visited == pages, f"visit {pages - visited} too"
    assert json.loads(run_python(VISIT_ALL % (sorted(HEAVY),))) == {"problems": [], "heavy": []}
