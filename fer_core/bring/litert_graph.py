"""A LiteRT graph opened and asked as it stands, whatever it is about. Child processes only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fer_core.bring.litert_file import write_litert

Floats = npt.NDArray[np.float32]


class LitertGraph:
    """One graph with one input and one output in float32.

    Attributes:
        takes: the sizes of its input, None where any will do.
        gives: the sizes of its output as the file has them.
    """

    def __init__(self, model: Any, path: Path) -> None:
        """``model``: a tree of objects, which is written to ``path``. Raises ``ValueError`` or ``RuntimeError``, as
        LiteRT does."""
        from ai_edge_litert.interpreter import Interpreter

        write_litert(model, path)
        self._interpreter = Interpreter(model_path=str(path), num_threads=1)
        given, answer = self._interpreter.get_input_details()[0], self._interpreter.get_output_details()[0]
        self._input, self._output, self._batch = given["index"], answer["index"], 0
        # A size that is free stands as -1 in the signature alone.
        self.takes = tuple(None if size < 0 else int(size) for size in given["shape_signature"])
        self.gives = tuple(int(size) for size in answer["shape"])

    def __call__(self, rows: Floats) -> Floats:
        """Its answers float32 (B, …) to float32 (B, …). Raises ``ValueError`` or ``RuntimeError``, as LiteRT does."""
        if len(rows) != self._batch:
            self._interpreter.resize_tensor_input(self._input, rows.shape)
            self._interpreter.allocate_tensors()
            self._batch = len(rows)
        self._interpreter.set_tensor(self._input, rows)
        self._interpreter.invoke()
        return np.array(self._interpreter.get_tensor(self._output), dtype=np.float32)
