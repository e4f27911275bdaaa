"""Embeddings: reduction, neighbours, the file, and what the models of the zoo give."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest
from edited_runs import measured_on, reseal_evaluation
from factories import make_run
from sklearn.decomposition import PCA
from sklearn.metrics.pairwise import cosine_similarity

from fer_core.errors import RunError
from fer_core.files import write_parquet
from fer_core.runs.embeddings import nearest, principal_axes, read_embeddings, write_embeddings
from fer_core.runs.folder import RunFolder

Floats = npt.NDArray[np.float32]
FINGERPRINT = "0" * 64


def drawn(n: int, d: int, seed: int) -> Floats:
    """float32 (n, d), correlated and off centre, as what comes out of a ReLU is."""
    generator = np.random.default_rng(seed)
    mixed = generator.normal(size=(n, d)) @ np.random.default_rng(7).normal(size=(d, d))
    return np.maximum(mixed + 3, 0).astype(np.float32)


def written(path: Path, faces: Floats, training: Floats) -> RunFolder:
    """A run with these embeddings: Training has the rows 0..m-1, the others follow."""
    folder = make_run(path)
    rows = len(training) + np.arange(len(faces))
    splits = ["PublicTest"] * len(faces)
    known = np.arange(len(training))
    about = rows, splits, faces.copy(), known, training.copy()
    reseal_evaluation(folder, lambda one: write_embeddings(one.embeddings_path, *about, fingerprint=FINGERPRINT))
    return folder


def test_the_components_are_those_of_scikit_learn_but_for_scale_and_sign(tmp_path: Path) -> None:
    faces, training = drawn(50, 40, 1), drawn(300, 40, 2)
    folder = written(tmp_path / "run", faces, training)
    found = read_embeddings(folder)
    assert found is not None
    reference = PCA(32, svd_solver="full").fit(training.astype(np.float64))
    expected = reference.transform(faces)
    expected /= np.sqrt(training.astype(np.float64).var(axis=0).sum())
    assert found.vectors.shape == (50, 32)
    told = json.loads(pq.read_metadata(measured_on(folder).embeddings_path).metadata[b"fer_embeddings"])
    assert told["dimensions"] == 40
    assert found.variance_kept == pytest.approx(reference.explained_variance_ratio_.sum(), abs=1e-5)
    assert np.allclose(np.abs(found.vectors), np.abs(expected), atol=2e-3)


def test_the_neighbours_are_those_of_a_plain_search_in_all_dimensions(tmp_path: Path) -> None:
    faces, training = drawn(600, 40, 1), drawn(300, 40, 2)
    found = read_embeddings(written(tmp_path / "run", faces, training))
    assert found is not None
    mean = training.mean(axis=0)
    cosines = cosine_similarity(faces - mean, training - mean)
    expected = np.sort(cosines, axis=1)[:, :-6:-1]
    assert np.allclose(found.similarity, expected, atol=1e-3)
    assert np.allclose(np.take_along_axis(cosines, found.nearest.astype(np.int64), axis=1), expected, atol=1e-5)


def test_a_twin_in_training_is_the_nearest_with_a_similarity_of_one(tmp_path: Path) -> None:
    faces, training = drawn(20, 8, 1), drawn(100, 8, 2)
    faces[3] = training[41]
    found = read_embeddings(written(tmp_path / "run", faces, training))
    assert found is not None
    assert found.nearest[3, 0] == 41
    assert found.similarity[3, 0] == 1


def test_of_equally_similar_faces_the_first_comes_first() -> None:
    training = np.array([[0, 1], [2, 0], [1, 0], [3, 0]], dtype=np.float32)
    positions, cosines = nearest(np.array([[5, 0]], dtype=np.float32), training, 3)
    assert positions.tolist() == [[1, 2, 3]]
    assert cosines.tolist() == [[1, 1, 1]]


def test_a_row_of_zeros_is_like_nothing() -> None:
    _, cosines = nearest(np.zeros((1, 2), np.float32), np.eye(2, dtype=np.float32), 2)
    assert cosines.tolist() == [[0, 0]]


def test_where_nothing_varies_the_components_say_so() -> None:
    axes, total, variance_kept = principal_axes(np.zeros((4, 3), np.float32))
    assert axes.shape == (3, 3)
    assert (total, variance_kept) == (0, 1)


def test_without_training_faces_there_are_vectors_and_no_neighbours(tmp_path: Path) -> None:
    found = read_embeddings(written(tmp_path / "run", drawn(30, 8, 1), np.empty((0, 8), np.float32)))
    assert found is not None
    assert found.vectors.shape == (30, 8)
    assert found.nearest.shape == found.similarity.shape == (30, 0)


def test_with_few_training_faces_there_are_few_neighbours(tmp_path: Path) -> None:
    found = read_embeddings(written(tmp_path / "run", drawn(30, 8, 1), drawn(2, 8, 2)))
    assert found is not None
    assert found.nearest.shape == (30, 2)
    assert set(found.nearest.ravel().tolist()) == {0, 1}


def test_huge_embeddings_fit_half_precision(tmp_path: Path) -> None:
    """A hidden layer is not bounded, and float16 ends at 65,504."""
    found = read_embeddings(written(tmp_path / "run", drawn(30, 8, 1) * 1e6, drawn(50, 8, 2) * 1e6))
    assert found is not None
    assert np.abs(found.vectors).max() < 20


def test_rows_lead_to_positions_and_unknown_rows_to_none(tmp_path: Path) -> None:
    found = read_embeddings(written(tmp_path / "run", drawn(30, 8, 1), drawn(50, 8, 2)))
    assert found is not None
    assert found.positions([79, 50, 49, 80, -1]).tolist() == [29, 0, -1, -1, -1]
    assert found.positions(51) == 1


def test_a_run_without_the_file_has_no_embeddings(tmp_path: Path) -> None:
    assert read_embeddings(make_run(tmp_path / "run")) is None


def test_a_damaged_file_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    folder = written(tmp_path / "run", drawn(30, 8, 1), drawn(50, 8, 2))
    path = measured_on(folder).embeddings_path
    table, whole = pq.read_table(path), path.read_bytes()

    path.write_bytes(whole[:-100])
    again = re.escape(f"python -m fer_core evaluate {folder.path} --data")
    with pytest.raises(RunError, match=f"not what its manifest promises.*{again}"):
        read_embeddings(folder)
    reseal_evaluation(folder, lambda one: None)
    with pytest.raises(RunError, match=f"cannot be read.*{again}"):
        read_embeddings(folder)
    for changed, why in (
        (table.replace_schema_metadata({}), "cannot be read"),
        (table.drop_columns(["nearest2"]), "cannot be read"),
        (table.drop_columns(["similarity4"]), "do not fit"),
        (table.take(list(range(29, -1, -1))), "not in order"),
        (table.drop_columns([name for name in table.column_names if name[0] == "e"]), "an embedding is missing"),
    ):
        reseal_evaluation(folder, lambda one, changed=changed: write_parquet(changed, one.embeddings_path))
        with pytest.raises(RunError, match=why):
            read_embeddings(folder)


def test_embeddings_of_other_faces_than_the_metrics_are_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", data={"fingerprint": "1" * 64})
    other = written(tmp_path / "other", drawn(30, 8, 1), drawn(50, 8, 2))
    content = measured_on(other).embeddings_path.read_bytes()
    reseal_evaluation(run, lambda one: one.embeddings_path.write_bytes(content))
    with pytest.raises(RunError, match=r"other faces than metrics\.json"):
        read_embeddings(run)


def test_numbers_that_are_not_finite_are_not_written(tmp_path: Path) -> None:
    faces = drawn(30, 8, 1)
    faces[2, 3] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        written(tmp_path / "run", faces, drawn(50, 8, 2))
    assert {path.name for path in measured_on(RunFolder(tmp_path / "run")).path.iterdir()} == {
        "evaluation.json",
        "metrics.json",
        "predictions.parquet",
    }


@pytest.mark.slow
@pytest.mark.parametrize(("name", "dimensions", "layer"), [("custom_cnn", 256, "average"), ("vgg16", 256, "hidden")])
def test_both_heads_give_what_their_last_layer_reads(name: str, dimensions: int, layer: str) -> None:
    from keras import Model

    from fer_core.evaluation.embeddings import embed, embedding_model
    from fer_core.zoo.registry import get

    model = get(name).build(input_size=48)
    images = np.random.default_rng(0).integers(0, 256, (300, 48, 48), dtype=np.uint8)
    rows = np.arange(299, 9, -1)
    embeddings = embed(embedding_model(model), images[rows])
    assert embeddings.shape == (290, dimensions)
    assert embeddings.dtype == np.float32
    faces = images[rows[:3], ..., None].astype(np.float32)
    inner = Model(model.input, model.get_layer(layer).output).predict_on_batch(faces)
    assert np.allclose(embeddings[:3], inner, atol=1e-5), "dropout must not act"
    kernel, bias = model.get_layer("probabilities").get_weights()
    logits = embeddings[:3] @ kernel + bias
    answers = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert np.allclose(answers, model.predict_on_batch(faces), atol=1e-5)


@pytest.mark.slow
def test_a_model_with_an_unknown_head_is_refused_by_name() -> None:
    from keras import Sequential, layers

    from fer_core.evaluation.embeddings import embedding_model

    model = Sequential([layers.Input((48, 48, 1)), layers.Flatten(), layers.Dense(7)], name="strange")
    with pytest.raises(RunError, match="strange has no layer called 'probabilities'"):
        embedding_model(model)
