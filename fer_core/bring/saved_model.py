"""SavedModel folders: their operations read as data, then converted to LiteRT. Child processes only."""

from __future__ import annotations

import stat
from pathlib import Path

from fer_core.bring.kinds import MOST_BYTES, SAVED_MODEL
from fer_core.errors import ModelError

MOST_FILES = 200
MOST_GRAPH_BYTES = 512 * 1024**2
_FORBIDDEN = frozenset(
    {
        "ReadFile",
        "WriteFile",
        "MatchingFiles",
        "PyFunc",
        "PyFuncStateless",
        "EagerPyFunc",
        "LoadLibrary",
        "Save",
        "Abort",
    }
)
"""Operations that read or write files, or call programs. Restoring its own variables needs others."""


def convert(folder: Path, out: Path) -> None:
    """Write the network of a SavedModel as the LiteRT file ``out``. Raises ``ModelError``."""
    check(folder)
    import tensorflow as tf

    try:
        content = tf.lite.TFLiteConverter.from_saved_model(str(folder))
        content.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        out.write_bytes(content.convert())
    except (MemoryError, KeyboardInterrupt):
        raise
    except Exception as error:  # the converter raises bare exceptions of several kinds
        words = " ".join(str(error).split())[:200]
        raise ModelError(f"it cannot be converted to LiteRT, with which the app asks models: {words}") from error


def check(folder: Path) -> None:
    """Raises ``ModelError`` for a folder that holds links, too much, no graph, or operations on files and programs."""
    files = list(folder.rglob("*"))[: MOST_FILES + 1]
    if len(files) > MOST_FILES:
        raise ModelError(f"its folder holds more than {MOST_FILES} files, and no SavedModel does.")
    kinds = [path.lstat() for path in files]
    if any(not (stat.S_ISREG(one.st_mode) or stat.S_ISDIR(one.st_mode)) for one in kinds):
        raise ModelError("its folder holds links or what is no file.")
    if sum(one.st_size for one in kinds) > MOST_BYTES:
        raise ModelError(f"it has more than {MOST_BYTES / 1e9:.1f} GB.")
    graph = folder / SAVED_MODEL
    if graph.stat().st_size > MOST_GRAPH_BYTES:
        raise ModelError("its graph is too large.")
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    model = SavedModel()
    try:
        model.ParseFromString(graph.read_bytes())
    except Exception as error:  # protobuf's DecodeError has moved between versions
        raise ModelError(f"its {SAVED_MODEL} is cut off or damaged. Copy or save it again.") from error
    if not model.meta_graphs:
        raise ModelError(f"its {SAVED_MODEL} holds no graph.")
    for meta in model.meta_graphs:
        nodes = [*meta.graph_def.node, *(node for one in meta.graph_def.library.function for node in one.node_def)]
        if found := sorted({node.op for node in nodes} & _FORBIDDEN):
            raise ModelError(f"it holds the operation {found[0]}, which reads files or runs programs.")
