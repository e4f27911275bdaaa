"""The YuNet face detector as a file: where it is kept and whether it is there; ``yunet_fetch`` sees to that."""

from __future__ import annotations

from pathlib import Path

from fer_core.files import sha256_of
from fer_core.settings import settings

YUNET_FILE = "face_detection_yunet_2026may.onnx"
YUNET_URL = (
    "https://github.com/opencv/opencv_zoo/raw/47534e27c9851bb1128ccc0102f1145e27f23f98/"
    f"models/face_detection_yunet/{YUNET_FILE}"
)
"""OpenCV Zoo, pinned to a commit; MIT licence. The first YuNet file that both OpenCV 4 and OpenCV 5 read."""
YUNET_SHA256 = "ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0"
YUNET_BYTES = 229_738


def yunet_path() -> Path:
    """Where the YuNet face detector is kept, there or not."""
    return settings().cache_dir / YUNET_FILE


def yunet_ready() -> bool:
    """True if the YuNet file is there and has the right content."""
    path = yunet_path()
    return path.is_file() and path.stat().st_size == YUNET_BYTES and sha256_of(path) == YUNET_SHA256
