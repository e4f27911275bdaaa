"""A Keras architecture read as data: is there anything in it but built-in layers? Imports no Keras.

Whoever opens a Keras model runs what its configuration names: Lambda layers hold Python code, custom classes and
functions are looked up by module, vocabularies are read from paths. Keras' own safe mode was ignored for ``.h5`` files
(CVE-2025-9905) and left holes in ``.keras`` files (CVE-2025-1550, CVE-2025-8747). So whatever is not listed here is
refused, and what is left is written anew from the checked values before Keras sees it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from fer_core.errors import ModelError
from fer_core.runs.reading import shown

MOST_LAYERS = 5000
MOST_DEPTH = 100
MOST_UNITS = 65_536
"""The largest number that a size in an architecture may be: a dense layer of AlexNet has 9,216 inputs."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MODELS = frozenset({"Functional", "Sequential", "Model"})
LAYERS = _words(
    """
    Activation ActivityRegularization AdditiveAttention Add AlphaDropout Attention Average BatchNormalization
    Bidirectional CenterCrop Concatenate Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose
    Convolution1D Convolution2D Convolution2DTranspose Convolution3D ConvLSTM1D ConvLSTM2D ConvLSTM3D Cropping1D
    Cropping2D Cropping3D Dense DepthwiseConv1D DepthwiseConv2D Dot Dropout ELU EinsumDense Flatten GRU GRUCell
    GaussianDropout GaussianNoise GroupNormalization GroupQueryAttention Identity Input InputLayer LSTM LSTMCell
    LayerNormalization LeakyReLU Masking Maximum Minimum MultiHeadAttention Multiply Normalization PReLU Permute
    RMSNormalization RNN RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop
    RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHeight RandomHue RandomInvert RandomPerspective
    RandomPosterization RandomRotation RandomSaturation RandomSharpness RandomShear RandomTranslation RandomWidth
    RandomZoom ReLU RepeatVector Rescaling Reshape Resizing SeparableConv1D SeparableConv2D SeparableConvolution2D
    SimpleRNN SimpleRNNCell Softmax SpatialDropout1D SpatialDropout2D SpatialDropout3D SpectralNormalization
    StackedRNNCells Subtract ThresholdedReLU TimeDistributed UnitNormalization UpSampling1D UpSampling2D UpSampling3D
    ZeroPadding1D ZeroPadding2D ZeroPadding3D
    """
) | frozenset(
    f"{where}{kind}Pool{end}{n}D"
    for where in ("", "Global")
    for kind in ("Max", "Avg", "Average")
    for end in ("", "ing")
    for n in (1, 2, 3)
)
PARTS = _words(
    """
    DTypePolicy Policy FloatDTypePolicy SeedGenerator
    Constant GlorotNormal GlorotUniform HeNormal HeUniform IdentityInitializer Identity LecunNormal LecunUniform Ones
    Orthogonal OrthogonalInitializer RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros
    L1 L2 L1L2 OrthogonalRegularizer MaxNorm MinMaxNorm NonNeg UnitNorm
    """
)
VALUES = frozenset({"__keras_tensor__", "__tensor__", "__numpy__", "__ellipsis__", "__slice__", "__bytes__"})
ACTIVATIONS = _words(
    """
    celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear log_sigmoid
    log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid
    sparsemax squareplus swish tanh tanh_shrink threshold
    """
)
_CODE = {
    "Lambda": "a Lambda layer, which holds a program of its own",
    "__lambda__": "a Python lambda, which is a program of its own",
    "TFSMLayer": "a layer that opens another SavedModel",
    "TorchModuleWrapper": "a layer that holds a PyTorch module",
    "JaxLayer": "a layer that holds a program of its own",
    "FlaxLayer": "a layer that holds a program of its own",
    "TFOpLambda": "TensorFlow operations outside of layers (Keras 2 calls them TFOpLambda)",
    "SlicingOpLambda": "TensorFlow operations outside of layers (Keras 2 calls them SlicingOpLambda)",
    "TensorFlowOpLayer": "TensorFlow operations outside of layers (Keras 2 calls them TensorFlowOpLayer)",
}
_HOMES = re.compile(
    r"(?:keras|keras\.src|keras\.api|tf_keras|tf_keras\.src|tensorflow\.keras|tensorflow\.python\.keras)"
    r"(?:\.(?:_tf_keras|v2|keras|engine|layers|models|initializers|regularizers|constraints|dtype_policies|random|saving"
    r"|mixed_precision|optimizers|src)[a-z0-9_.]*)?"
)
_OPERATIONS = re.compile(r"keras\.src\.ops\.(?:numpy|nn|math|image|core|linalg)")
_OPERATION = re.compile(r"[A-Z][A-Za-z0-9]*")
_SIZES = _words(
    """
    units filters input_dim output_dim num_heads key_dim value_dim head_dim size kernel_size batch_shape
    batch_input_shape input_shape target_shape target_size height width n pool_size padding cropping num_query_heads
    num_key_value_heads strides dilation_rate depth_multiplier
    """
)
_DROPPED = frozenset({"compile_config", "training_config"})
_REBUILD = "Build the network of Keras' own layers alone, copy the weights with set_weights, and save that"


@dataclass(frozen=True)
class Architecture:
    """A checked architecture.

    Attributes:
        config: what Keras may build it from, plain JSON values.
        classes: the names of the layers' classes, each once.
    """

    config: dict[str, Any]
    classes: tuple[str, ...]


def check_configuration(value: object, where: str) -> Architecture:
    """The architecture that ``value``, parsed JSON, describes. ``where`` names the file in messages.

    Raises ``ModelError`` for anything that is no architecture, that holds or names code, or that is too large. Losses,
    metrics and optimisers are left out, since they may be anybody's and a prediction needs none. Half precision becomes
    single precision, which LiteRT needs.
    """
    if not isinstance(value, dict) or "class_name" not in value or not isinstance(value.get("config"), (dict, list)):
        raise ModelError(f"{where} holds no architecture of Keras: it should name a class and its configuration.")
    if value["class_name"] not in MODELS:
        raise _unknown(str(value["class_name"]), where)
    walk = _Walk(where)
    checked = walk.copy(value, 0, "")
    return Architecture(checked, tuple(sorted(walk.classes)))


class _Walk:
    """Copies plain values, and looks at each on the way."""

    def __init__(self, where: str) -> None:
        self._where = where
        self.classes: set[str] = set()
        self._objects = 0

    def copy(self, value: Any, depth: int, key: str) -> Any:
        if depth > MOST_DEPTH:
            raise ModelError(f"{self._where} nests its layers more than {MOST_DEPTH} levels deep. {_REBUILD}.")
        if isinstance(value, dict):
            return self._dictionary(value, depth)
        if isinstance(value, list):
            return [self.copy(one, depth + 1, key) for one in value]
        if key in _SIZES and isinstance(value, int | float) and abs(value) > MOST_UNITS:
            raise ModelError(
                f"{self._where} asks for a layer with {key} {value:,.0f}, which no memory would hold; at most "
                f"{MOST_UNITS:,} are built."
            )
        if isinstance(value, str) and key == "dtype":
            return _single(value)
        return value

    def _dictionary(self, value: dict[str, Any], depth: int) -> dict[str, Any]:
        if "class_name" in value:
            self._check(value)
        copied = {key: self.copy(one, depth + 1, key) for key, one in value.items() if key not in _DROPPED}
        if value.get("class_name") in ("DTypePolicy", "Policy", "FloatDTypePolicy") and isinstance(
            copied.get("config"), dict
        ):
            copied["config"] = {"name": _single(str(copied["config"].get("name", "float32")))}
        return copied

    def _check(self, value: dict[str, Any]) -> None:
        name, module = value["class_name"], value.get("module")
        self._objects += 1
        if self._objects > 40 * MOST_LAYERS:
            raise ModelError(f"{self._where} has more than {MOST_LAYERS:,} layers. {_REBUILD}.")
        if not isinstance(name, str):
            raise ModelError(f"{self._where} is damaged: the name of a class is no text.")
        if name in _CODE:
            raise ModelError(
                f"{self._where} holds {_CODE[name]}, so it is not opened. {_REBUILD}; or bring its probabilities."
            )
        if name in VALUES:
            return
        if name == "function":
            self._function(value)
            return
        if module is not None and not isinstance(module, str):
            raise ModelError(f"{self._where} is damaged: the module of {shown(name)[:40]} is no text.")
        if module and _OPERATIONS.fullmatch(module) and _OPERATION.fullmatch(name):
            self.classes.add(name)
            return
        registered = value.get("registered_name")
        if (
            name not in LAYERS | PARTS | MODELS
            or (module is not None and not _HOMES.fullmatch(module))
            or registered not in (None, name, f"Keras>{name}")
        ):
            raise _unknown(str(registered or name), self._where)
        if name in LAYERS:
            self.classes.add(name)

    def _function(self, value: dict[str, Any]) -> None:
        name, module = value.get("config"), value.get("module")
        if name in ACTIVATIONS and (module in (None, "builtins") or str(module).startswith("keras.")):
            return
        raise _unknown(str(name), self._where)


def _single(name: str) -> str:
    return "float32" if name in ("mixed_float16", "mixed_bfloat16", "float16", "bfloat16", "float64") else name


def _unknown(name: str, where: str) -> ModelError:
    return ModelError(
        f"{where} needs {shown(name)[:60]}, which is none of Keras' own layers or functions, so it is not opened. "
        f"{_REBUILD}; or bring its probabilities."
    )
