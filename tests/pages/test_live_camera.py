"""The camera's side of Live: what reaches a slow reader, and servers of one's own."""

from __future__ import annotations

import asyncio

import pytest
from aiortc.contrib.media import MediaRelay
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from fer_core.errors import FerError
from pages.parts.live import camera as live_camera


def test_a_slow_reader_misses_pictures_and_gets_none_late() -> None:
    class Camera(MediaStreamTrack):
        kind = "video"
        number = 0

        async def recv(self) -> int:  # type: ignore[override]
            await asyncio.sleep(0.005)
            self.number += 1
            if self.number > 60:
                raise MediaStreamError
            return self.number

    async def watch() -> tuple[list[int], list[int], bool]:
        relay, camera = MediaRelay(), Camera()
        live_camera.newest_only(relay)
        live_camera.newest_only(relay)
        slow = relay.subscribe(camera)
        got, late, ended = [], [], []
        slow.on("ended", lambda: ended.append(True))
        try:
            while True:
                got.append(await slow.recv())
                late.append(camera.number - got[-1])  # type: ignore[operator]
                await asyncio.sleep(0.05)
        except MediaStreamError:
            return got, late, bool(ended)  # type: ignore[return-value]

    got, late, ended = asyncio.run(watch())
    assert 1 < len(got) < 40
    assert got == sorted(set(got))
    assert max(late) <= 1
    assert ended, "the end reaches a slow reader, too"


def test_servers_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(live_camera.ICE_VARIABLE, "[]")
    assert live_camera.ice_servers() == []
    monkeypatch.setenv(live_camera.ICE_VARIABLE, '[{"urls": "turn:example.org:3478"}]')
    assert live_camera.ice_servers() == [{"urls": "turn:example.org:3478"}]
    for wrong in ("none", "{}", '["turn:example.org"]'):
        monkeypatch.setenv(live_camera.ICE_VARIABLE, wrong)
        with pytest.raises(FerError, match=live_camera.ICE_VARIABLE):
            live_camera.ice_servers()
