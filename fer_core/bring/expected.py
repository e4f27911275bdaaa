"""What a stranger's network itself says of faces: what is built of it is compared with that. Child processes only."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from fer_core.bring.adapter import adapted_faces, scale_called
from fer_core.bring.evidence import OutputKind
from fer_core.bring.messages import Build
from fer_core.bring.orders import OTHER, Order, rearranged
from fer_core.bring.trial import Network, as_probabilities

Floats = npt.NDArray[np.float32]
Adapter = Callable[[Floats], Floats]
"""From faces float32 (B, 48, 48, 1), 0..255, to a network's pictures float32 (B, height, width, channels)."""
BATCH = 32


def keras_adapter(network: Network, scale: str) -> Adapter:
    """The layers before ``network`` at that scale, as Keras computes them."""
    from keras import Model

    model = Model(*adapted_faces(scale_called(scale), network.height, network.width, network.channels))
    return lambda faces: np.asarray(model.predict_on_batch(faces), dtype=np.float32)


def expected(
    network: Network, adapter: Adapter, wanted: Build, order: Order, images: npt.NDArray[np.uint8]
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """What the network says (n, 7) of faces uint8 (n, 48, 48), and bool (n,): where that can be compared.

    It cannot where all went to classes that are left out. Its answers are taken for the kind that was found on all
    faces that it was tried on: these here, being fewer, may look like another.
    """
    parts = [
        network(adapter(images[start : start + BATCH, ..., None].astype(np.float32)))
        for start in range(0, len(images), BATCH)
    ]
    probabilities = as_probabilities(np.concatenate(parts), OutputKind(wanted["output"]))
    kept = np.array([label != OTHER for label in order.labels])
    return rearranged(probabilities, order), probabilities[:, kept].sum(axis=1) > 1e-3
