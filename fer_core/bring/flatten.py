"""A Keras model with all models within it laid open: one flat graph from faces to answers. Child processes only.

Class maps, layer tables and gradient methods need the tensor between any two layers, and a model within a model is a
layer that hides its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer_core.bring.adapter import ADAPTER_LAYERS
from fer_core.errors import ModelError
from fer_core.zoo.heads import PROBABILITIES

if TYPE_CHECKING:
    import keras

MOST_OPERATIONS = 5000
_ONLY_IN_TRAINING = (
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "ActivityRegularization",
)


def flattened(model: keras.Model, x: keras.KerasTensor) -> keras.KerasTensor:
    """What ``model``, with one input, makes of ``x``: its layers called anew, those of models within it by themselves.

    What works in training alone (dropout, random changes of pictures) is left out. Layers are shared with ``model``;
    those of equal names are renamed. Raises ``ModelError`` for a graph of more than :data:`MOST_OPERATIONS`.
    """
    return _Laying().lay(model, x)


class _Laying:
    def __init__(self) -> None:
        # The adapter's own and that of our last layer are taken already.
        self._names: dict[str, Any] = dict.fromkeys((PROBABILITIES, *ADAPTER_LAYERS))
        self._count = 0

    def lay(self, model: Any, x: Any) -> Any:
        from keras import Sequential

        if isinstance(model, Sequential):
            for layer in model.layers:
                x = self._call(layer, (x,), {})
            return x
        made = {id(model.inputs[0]): x}
        for depth in sorted(model._nodes_by_depth, reverse=True):
            for node in model._nodes_by_depth[depth]:
                if node.is_input:
                    continue
                args, kwargs = node.arguments.fill_in(made)
                outputs = self._call(node.operation, args, kwargs)
                outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
                made.update((id(old), new) for old, new in zip(node.outputs, outputs, strict=True))
        return made[id(model.outputs[0])]

    def _call(self, operation: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        from keras import Sequential
        from keras.src.models.functional import Functional

        self._count += 1
        if self._count > MOST_OPERATIONS:
            raise ModelError(f"the network has more than {MOST_OPERATIONS:,} layers.")
        kind = type(operation).__name__
        if kind in _ONLY_IN_TRAINING or kind.startswith("Random") or kind == "InputLayer":
            return args[0]
        if isinstance(operation, Sequential | Functional) and len(operation.inputs) == 1 and len(args) == 1:
            return self.lay(operation, args[0])
        known = self._names.setdefault(operation.name, operation)
        if known is not operation:
            number = next(n for n in range(2, MOST_OPERATIONS) if f"{operation.name}_{n}" not in self._names)
            operation.name = f"{operation.name}_{number}"
            self._names[operation.name] = operation
        return operation(*args, **{name: value for name, value in kwargs.items() if name not in ("training", "mask")})
