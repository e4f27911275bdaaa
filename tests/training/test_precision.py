"""Which arithmetic a training picks by itself."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from fer_core.runs.recipe import Recipe
from fer_core.training import build


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
    monkeypatch.setattr(build, "_has_gpu", lambda: False)
    monkeypatch.setattr(build, "_images_per_second", lambda *_: pytest.fail("it was timed"))
    precision, reason = build.choose_precision(Recipe("custom_cnn", precision="auto"))
    assert precision == "float32"
    assert "bfloat16" in reason
