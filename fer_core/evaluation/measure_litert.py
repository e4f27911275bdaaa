"""Measure a complete run with its LiteRT file alone: no TensorFlow, a fifth of the memory. For child processes.

What LiteRT answers is what the app shows: an export is refused where its file and ``model.keras`` differ. Embeddings
are read from the same network, opened with what its last dense layer reads as one output more.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_core.data.audit import near_duplicates_of
from fer_core.data.face_rows import FaceRows, batches
from fer_core.data.spooled_rows import SpooledRows
from fer_core.emotions import TRAINING
from fer_core.errors import RunError
from fer_core.evaluation.measure import measure, open_rows, opened_before, seal_measured, write_test_predictions
from fer_core.evaluation.scores import accuracies
from fer_core.inference.models import load_model
from fer_core.progress import Meter, ProgressCallback
from fer_core.runs.contracts import Metrics
from fer_core.runs.embeddings import write_embeddings
from fer_core.runs.evaluations import EMBEDDINGS, PREDICTIONS, folder_name, home_of_evaluations
from fer_core.runs.folder import RunFolder
from fer_core.runs.transaction import change
from fer_core.runs.vote import member_folders, read_vote

if TYPE_CHECKING:
    from fer_core.data.dataset import Dataset

BATCH = 16
"""Faces at once: hosts are small, and nobody waits for the last tenth of speed."""


def measure_with_litert(folder: RunFolder, dataset: Dataset, progress: ProgressCallback | None = None) -> Metrics:
    """Predictions, embeddings (not of votes) and metrics of a complete run. Returns the metrics.

    They are kept where :func:`~fer_core.runs.evaluations.home_of_evaluations` says, so that a shipped run need not be
    writable. Raises ``RunError`` where the run is not complete or its model is damaged, or the data have no test faces.
    """
    if folder.manifest() is None:
        raise RunError(f"the run {folder.name} is not complete, so it cannot be measured.")
    predictor = load_model(folder.path)
    home = home_of_evaluations(folder.path)
    # Of what ships nothing is chosen any more, so its last figures may be known; its looks are counted all the same.
    shipped, model = home.parent != folder.path, folder.promised_model()
    final = shipped and not opened_before(folder, dataset.info.fingerprint, model)
    rows, opened = open_rows(folder, dataset, model, home, final=final)
    root = folder.path if home.parent == folder.path else home
    root.mkdir(parents=True, exist_ok=True)
    # May take minutes, which are told; from then on it is known.
    near_duplicates_of(dataset, progress)
    meter = Meter(progress, "faces", f"{folder.name} looks at the test faces")
    probabilities = np.concatenate([predictor.predict(batch) for batch in _batches(dataset, rows, meter)])
    del predictor  # its memory is needed for the embeddings
    with change(root) as prepared:
        path = prepared.directory((home / folder_name(dataset.info.record())).relative_to(root).as_posix())
        frame = write_test_predictions(path / PREDICTIONS, dataset, rows, probabilities)
        if not folder.is_vote:
            _write_embeddings(path / EMBEDDINGS, folder, dataset, rows, progress)
        metrics = measure(
            frame,
            dataset,
            load_model(folder.path, threads=1),
            _files(folder),
            litert=accuracies(frame, probabilities),
            opened=opened,
        )
        seal_measured(folder, prepared, path, metrics, model, new_model=False)
    return metrics


def _files(folder: RunFolder) -> dict[str, Path | list[Path]]:
    """The model files whose sizes are told."""
    if folder.is_vote:
        return {"model.tflite": [member.tflite_path for member in member_folders(folder, read_vote(folder))]}
    return {path.name: path for path in (folder.keras_path, folder.tflite_path) if path.exists()}


def _batches(dataset: Dataset, rows: npt.NDArray[np.intp], meter: Meter) -> Iterator[npt.NDArray[np.uint8]]:
    """The faces of these rows, uint8 (B, 48, 48), B at most :data:`BATCH`, and a report before each batch."""
    for number, batch in enumerate(batches(FaceRows(dataset.images, rows), BATCH)):
        meter.update(number * BATCH, len(rows))
        yield batch
    meter.finish(len(rows))


def _write_embeddings(
    path: Path, folder: RunFolder, dataset: Dataset, rows: npt.NDArray[np.intp], progress: ProgressCallback | None
) -> None:
    embedder = LitertEmbedder(folder.tflite_path)
    training_rows = dataset.rows(TRAINING)
    with SpooledRows(path.parent) as faces, SpooledRows(path.parent) as known:
        for which, spooled, words in (
            (rows, faces, "test faces again"),
            (training_rows, known, "Training faces, for those alike"),
        ):
            meter = Meter(progress, "faces", f"{folder.name} looks at the {words}")
            for batch in _batches(dataset, which, meter):
                spooled.append(embedder(batch))
        write_embeddings(
            path, rows, dataset.splits[rows], faces, training_rows, known, fingerprint=dataset.info.fingerprint
        )


class LitertEmbedder:
    """What the last dense layer of a LiteRT file reads of faces."""

    def __init__(self, path: Path) -> None:
        """Raises ``RunError`` for a file that does not end in one dense layer of seven classes."""
        from ai_edge_litert.interpreter import Interpreter
        from ai_edge_litert.tools import flatbuffer_utils as files

        model = files.read_model(str(path))
        graph = model.subgraphs[0]
        index = _read_by_the_last_dense_layer(model, graph, files, path)
        graph.outputs = [*graph.outputs, index]
        # With signatures the interpreter would look for a name of the new output.
        model.signatureDefs = None
        self._interpreter = Interpreter(model_content=bytes(files.convert_object_to_bytearray(model)))
        self._index, self._batch = index, 0

    def __call__(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Embeddings float32 (B, d) of faces uint8 (B, 48, 48)."""
        interpreter, batch = self._interpreter, images.astype(np.float32)[..., None]
        entry = interpreter.get_input_details()[0]["index"]
        if len(batch) != self._batch:
            interpreter.resize_tensor_input(entry, batch.shape)
            interpreter.allocate_tensors()
            self._batch = len(batch)
        interpreter.set_tensor(entry, batch)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(self._index), dtype=np.float32).reshape(len(batch), -1)


def _read_by_the_last_dense_layer(model: Any, graph: Any, files: Any, path: Path) -> int:
    """The number of the tensor that it reads: (B, d), of the one dense layer that the probabilities are made from."""
    made_by = {int(index): operator for operator in graph.operators for index in operator.outputs}
    kind = {id(operator): model.operatorCodes[operator.opcodeIndex].builtinCode for operator in graph.operators}
    seven = [int(index) for index in graph.outputs if len(graph.tensors[index].shape) == 2]
    at = made_by.get(seven[0]) if len(seven) == 1 else None
    while at is not None and kind[id(at)] != files.BuiltinOperator.FULLY_CONNECTED:
        at = made_by.get(int(at.inputs[0]))
    if at is None:
        raise RunError(f"{path} does not end in a dense layer, so there is no telling what its answer is made from.")
    return int(at.inputs[0])
