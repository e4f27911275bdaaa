"""TensorBoard's event files, written by hand: a TFRecord of protobuf messages."""

from __future__ import annotations

import struct
from pathlib import Path


def field(number: int, data: bytes) -> bytes:
    """A field of bytes, text or a message."""
    assert len(data) < 128
    return bytes([number << 3 | 2, len(data)]) + data


def event(tag: str, step: int, value: float) -> bytes:
    """One number."""
    inside = field(1, tag.encode()) + b"\x15" + struct.pack("<f", value)
    return b"\x09" + struct.pack("<d", 0.0) + bytes([2 << 3, step]) + field(5, field(1, inside))


def write_events(path: Path, columns: dict[str, list[float]], *, cut: int = 0) -> Path:
    """``columns``: numbers by tag, one a step. ``cut``: bytes that are missing at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    steps = range(len(next(iter(columns.values()))))
    events = [event(tag, step, values[step]) for step in steps for tag, values in columns.items()]
    version = b"\x09" + struct.pack("<d", 0.0) + field(3, b"brain.Event:2")
    records = [struct.pack("<QI", len(one), 0) + one + bytes(4) for one in (version, *events)]
    data = b"".join(records)
    path.write_bytes(data[: len(data) - cut])
    return path
