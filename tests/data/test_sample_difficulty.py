"""The drawn sample is worth exploring: a small CNN learns it, but not perfectly, and errs between neighbours."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_core import emotions
from fer_core.data.sample import draw_sample

# Keras runs in a child process: the tests' own process stays as light as the app's.
TRAIN = """
import json, sys
import numpy as np
import keras
from keras import layers

data = np.load(sys.argv[1])
keras.utils.set_random_seed(0)
stack = [layers.Input((48, 48, 1)), layers.Rescaling(1 / 255)]
for width in (16, 32, 64):
    stack += [
        layers.Conv2D(width, 3, padding="same", use_bias=False),
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),
        layers.MaxPooling2D(),
    ]
model = keras.Sequential([*stack, layers.Flatten(), layers.Dropout(0.3), layers.Dense(7, activation="softmax")])
epochs, batch = 12, 32
steps = epochs * -(-len(data["train_x"]) // batch)
rate = keras.optimizers.schedules.CosineDecay(1e-3, steps)
model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
model.fit(data["train_x"], data["train_y"], epochs=epochs, batch_size=batch, verbose=0)
print(json.dumps(model.predict(data["test_x"], verbose=0).argmax(axis=1).tolist()))
"""


@pytest.fixture(scope="module")
def confusion(tmp_path_factory: pytest.TempPathFactory) -> NDArray[np.int64]:
    """Counts 7×7 on PublicTest and PrivateTest together; rows are the true classes."""
    sample = draw_sample()
    training = sample.splits == emotions.TRAINING
    faces, labels = sample.images[..., None].astype(np.float32), sample.labels.astype(np.int32)
    path: Path = tmp_path_factory.mktemp("difficulty") / "faces.npz"
    np.savez(path, train_x=faces[training], train_y=labels[training], test_x=faces[~training])
    done = subprocess.run(
        [sys.executable, "-c", TRAIN, str(path)], capture_output=True, text=True, check=False, timeout=1000
    )
    assert done.returncode == 0, done.stderr
    predicted = json.loads(done.stdout.splitlines()[-1])
    counts = np.zeros((emotions.COUNT, emotions.COUNT), np.int64)
    np.add.at(counts, (labels[~training], predicted), 1)
    return counts


@pytest.mark.slow
def test_a_small_cnn_reaches_eighty_to_ninety_seven_percent(confusion: NDArray[np.int64]) -> None:
    assert 0.80 <= np.trace(confusion) / confusion.sum() <= 0.97


@pytest.mark.slow
def test_fear_and_surprise_are_among_the_most_confused(confusion: NDArray[np.int64]) -> None:
    both_ways = confusion + confusion.T
    pairs = {
        (one, other): both_ways[one, other] for one in range(emotions.COUNT) for other in range(one + 1, emotions.COUNT)
    }
    most = sorted(pairs, key=lambda pair: pairs[pair], reverse=True)[:3]
    assert (emotions.index_of("fear"), emotions.index_of("surprise")) in most
    # Neighbours are confused, strangers are not: a happy face is hardly ever taken for a surprised one.
    assert pairs[emotions.index_of("happy"), emotions.index_of("surprise")] < pairs[2, 5]
