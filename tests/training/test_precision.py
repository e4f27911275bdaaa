"""Which arithmetic a training picks by itself."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from fer_core.runs.recipe import Recipe
from fer_core.training import build, known_precision


@pytest.mark.parametrize(
    ("flags", "lacking"),
    [("fpu sse avx2 fma", True), ("fpu avx512f avx512_bf16", False), ("fpu avx2 amx_bf16", False), (None, False)],
)
def test_units_are_told_by_the_processors_flags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str | None, lacking: bool
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    cpuinfo = tmp_path / "cpuinfo"
    if flags is not None:
        cpuinfo.write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    assert build.lacks_bfloat16(cpuinfo) is lacking
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert not build.lacks_bfloat16(cpuinfo)


def test_minutes_went_into_timing_bfloat16_where_it_is_emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "lacks_bfloat16", lambda: True)
    monkeypatch.setattr(build, "_has_gpu", lambda _: False)
    monkeypatch.setattr(build, "_images_per_second", lambda *_: pytest.fail("it was timed"))
    precision, reason = build.choose_precision(Recipe("custom_cnn", precision="auto"))
    assert precision == "float32"
    assert "bfloat16" in reason


def test_both_ways_were_timed_again_for_each_training(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    timed: list[str] = []
    monkeypatch.setattr(build, "lacks_bfloat16", lambda: False)
    monkeypatch.setattr(build, "_images_per_second", lambda _, policy: timed.append(policy) or float(len(timed)))
    first = build.choose_precision(Recipe("custom_cnn", precision="auto"))
    assert first[0] == "mixed_bfloat16"
    assert build.choose_precision(Recipe("custom_cnn", precision="auto")) == first
    assert timed == ["float32", "mixed_bfloat16"]
    # Another network, and a note that somebody spoiled.
    build.choose_precision(Recipe("vgg16", precision="auto"))
    known_precision.path().write_text("[]")
    build.choose_precision(Recipe("custom_cnn", precision="auto"))
    assert len(timed) == 6
