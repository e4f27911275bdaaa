"""Any number of files listed and cut into shards, which are handed out as they are scored."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from scored import make_model, make_pictures, request

from fer_core.cluster.scoring import places, scorer, scoring
from fer_core.cluster.scoring.listing import Shard
from fer_core.cluster.scoring.places import Entry
from fer_core.cluster.scoring.scoring import score

ROOT = Path(__file__).resolve().parents[2]


def many(number: int) -> Iterator[Entry]:
    """Files that are there once and listed again and again."""
    return (Entry("happy/00000.png", 2_000) for _ in range(number))


def test_any_number_of_files_is_listed_in_the_memory_of_a_few(tmp_path: Path) -> None:
    """In a process of its own, whose peak is read before and after."""
    code = f"""
        import sys
        sys.path.insert(0, {str(ROOT / "tests")!r})
        from pathlib import Path
        from peak_memory import peak_bytes
        from fer_core.cluster.scoring.listing import cut, read_list, write_list
        from fer_core.cluster.scoring.places import Entry
        path = Path({str(tmp_path / "files.jsonl")!r})
        for number in (2_000, 200_000):
            listing = write_list((Entry(f"some/folder/of/pictures/{{n}}.png", 2_000) for n in range(number)), path)
            shards = sum(1 for shard in cut(read_list(path)))
            assert (listing.files, listing.shards, shards) == (number, number // 1_000, number // 1_000)
            print(peak_bytes())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    few, many = map(int, done.stdout.split())
    assert many - few < 5e6, done.stderr


def test_shards_are_handed_out_as_they_are_scored_and_not_before(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_model()
    source = make_pictures(tmp_path / "source", 1)
    monkeypatch.setattr(places.Folder, "entries", lambda self: many(3_000))
    monkeypatch.setattr(scorer.Scorer, "_content", lambda self, entry: f"{entry.name} was not read")
    read: list[int] = []
    done: list[int] = []
    real = scoring.cut

    def cut(entries: Iterator[Entry]) -> Iterator[Shard]:
        for shard in real(entries):
            read.append(shard.number)
            assert len(read) - len(done) <= 1
            yield shard

    monkeypatch.setattr(scoring, "cut", cut)
    real_score = scorer.Scorer.score
    monkeypatch.setattr(
        scorer.Scorer, "score", lambda self, shard: (real_score(self, shard), done.append(shard.number))[0]
    )
    assert score(request(source, tmp_path / "out")).unreadable == 3_000
    assert read == done == [0, 1, 2]
