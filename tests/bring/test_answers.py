"""Answers brought without their model: understood, refused in a sentence, scored, and sealed as a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from factories import make_noise, make_probabilities
from PIL import Image

from fer_core.bring.answer_values import ANSWERS, LOGITS, PER_CENT, PROBABILITIES, SHARES, VOTES
from fer_core.bring.answers import TRIED_NOTE, ClosedError, bring, look, metrics_of
from fer_core.bring.orders import ALPHABETICAL, DECLARED, FER
from fer_core.data.dataset import Dataset, load_dataset, write_dataset
from fer_core.emotions import NAMES, PRIVATE_TEST, PUBLIC_TEST, TRAINING
from fer_core.errors import FerError, ModelError, RunError
from fer_core.runs import ledger
from fer_core.runs.card import card_of
from fer_core.runs.contracts import Origin
from fer_core.runs.folder import RunFolder
from fer_core.runs.listing import list_runs
from fer_core.runs.predictions import probabilities_of

SORTED = sorted(NAMES)


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("noise") / "noise"
    make_noise(folder)
    return folder


@pytest.fixture
def data(noise: Path) -> Dataset:
    return load_dataset(noise)


def test_rows(data: Dataset) -> np.ndarray:
    return np.flatnonzero(data.splits != TRAINING)


test_rows.__test__ = False  # type: ignore[attr-defined]


def table(data: Dataset, accuracy: float = 0.7, order: list[str] | None = None) -> pd.DataFrame:
    """Probabilities for the test faces, shuffled, under the names of the columns' classes."""
    rows = test_rows(data)
    frame = pd.DataFrame(make_probabilities(data.labels[rows], accuracy), columns=list(NAMES))
    frame = frame[order or list(NAMES)]
    frame.insert(0, "row", rows)
    return frame.sample(frac=1, random_state=1)


def written(frame: pd.DataFrame, path: Path, **options: object) -> Path:
    frame.to_csv(path, index=False, **options)  # type: ignore[call-overload]
    return path


def true_accuracy(data: Dataset, frame: pd.DataFrame) -> float:
    answers = np.array([NAMES.index(name) for name in frame[list(NAMES)].idxmax(axis=1)])
    return float(np.mean(answers == data.labels[frame["row"]]))


def test_probabilities_become_a_run_of_which_every_figure_is_theirs(home: Path, data: Dataset, tmp_path: Path) -> None:
    frame = table(data, order=SORTED)
    found = look(written(frame, tmp_path / "net.csv"), data)
    assert (found.kind, found.assumed.order.name, found.doubtful) == (PROBABILITIES, DECLARED, False)
    run = bring(found, data, home / "runs" / "net", "My net")
    info = next(one for one in list_runs() if one.name == "net")
    assert info.complete, info.problem
    assert (info.origin, info.has_model, info.is_brought) == (Origin.PREDICTIONS, False, True)
    metrics, stored = run.metrics(), run.predictions()
    assert metrics is not None
    assert stored is not None
    assert set(metrics["splits"]) == {PUBLIC_TEST, PRIVATE_TEST}
    n = sum(scores["n"] for scores in metrics["splits"].values())
    right = sum(scores["n"] * scores["accuracy"] for scores in metrics["splits"].values())
    assert right / n == pytest.approx(true_accuracy(data, frame))
    expected = frame.set_index("row").loc[stored["row"], list(NAMES)].to_numpy()
    np.testing.assert_allclose(probabilities_of(stored), expected, atol=1e-5)
    record = run.import_record()
    assert record["source"] == "net.csv"
    assert record["classes"] == SORTED
    assert record["evidence"]["chosen_by"] == "evidence"
    assert record["evidence"]["split"] == PUBLIC_TEST


def test_columns_in_another_order_than_they_say_are_asked_about(home: Path, data: Dataset, tmp_path: Path) -> None:
    """Alphabetical probabilities under FER-2013's names: 40 points would be lost without a word."""
    frame = table(data, order=SORTED)
    frame.columns = ["row", *NAMES]
    path = written(frame, tmp_path / "net.csv")
    found = look(path, data)
    assert found.doubtful
    assert "--classes alphabetical" in found.question()
    with pytest.raises(ModelError, match="in doubt"):
        bring(found, data, home / "runs" / "net", "net")
    assert list_runs() == []
    chosen = look(path, data, classes="alphabetical")
    assert not chosen.doubtful
    assert chosen.assumed.accuracy == pytest.approx(found.likeliest.accuracy)
    record = bring(chosen, data, home / "runs" / "net", "net").import_record()
    assert (record["order"], record["evidence"]["chosen_by"]) == (ALPHABETICAL, "owner")


def test_the_owner_may_insist_on_the_order_that_does_worse(data: Dataset, tmp_path: Path) -> None:
    frame = table(data, order=SORTED)
    frame.columns = ["row", *NAMES]
    path = written(frame, tmp_path / "net.csv")
    for said in (FER, ",".join(NAMES)):
        found = look(path, data, classes=said)
        assert not found.doubtful
        assert found.assumed.accuracy < found.likeliest.accuracy


def as_csv(separator: str, decimal: str = ".", encoding: str = "utf-8") -> Callable[[pd.DataFrame, Path], Path]:
    def write(frame: pd.DataFrame, folder: Path) -> Path:
        return written(frame, folder / "net.csv", sep=separator, decimal=decimal, encoding=encoding)

    return write


def as_parquet(frame: pd.DataFrame, folder: Path) -> Path:
    frame.to_parquet(folder / "net.parquet")
    return folder / "net.parquet"


def with_index(frame: pd.DataFrame, folder: Path) -> Path:
    frame.sort_values("row").drop(columns="row").reset_index(drop=True).to_csv(folder / "net.csv")
    return folder / "net.csv"


def in_order(frame: pd.DataFrame, folder: Path) -> Path:
    return written(frame.sort_values("row").drop(columns="row"), folder / "net.csv")


def without_header(frame: pd.DataFrame, folder: Path) -> Path:
    return written(frame, folder / "net.csv", header=False)


def our_own(frame: pd.DataFrame, folder: Path) -> Path:
    """As the app's own download calls its columns."""
    renamed = frame.rename(columns={name: f"p{label}" for label, name in enumerate(NAMES)})
    return written(renamed.assign(split="PublicTest", label=0, near_duplicate=False), folder / "net.csv")


def prefixed(frame: pd.DataFrame, folder: Path) -> Path:
    return written(frame.rename(columns={name: f"prob_{name.title()}" for name in NAMES}), folder / "net.csv")


def numbered_with_rows(frame: pd.DataFrame, folder: Path) -> Path:
    renamed = frame.rename(columns={name: str(label) for label, name in enumerate(NAMES)})
    return written(renamed[[*map(str, range(7)), "row"]], folder / "net.csv")


def per_cent_signs(frame: pd.DataFrame, folder: Path) -> Path:
    return written(
        frame.assign(**{name: (100 * frame[name]).map("{:.5f} %".format) for name in NAMES}), folder / "a.csv"
    )


def lists(frame: pd.DataFrame, folder: Path) -> Path:
    values = [str(row) for row in frame[list(NAMES)].to_numpy().tolist()]
    return written(pd.DataFrame({"row": frame["row"], "probs": values}), folder / "net.csv")


def lists_in_parquet(frame: pd.DataFrame, folder: Path) -> Path:
    pd.DataFrame({"row": frame["row"], "probs": list(frame[list(NAMES)].to_numpy())}).to_parquet(folder / "net.parquet")
    return folder / "net.parquet"


def per_cent_with_commas(frame: pd.DataFrame, folder: Path) -> Path:
    shares = frame[list(NAMES)].map(lambda value: f"{100 * value:.5f} %".replace(".", ","))
    return written(pd.concat([frame[["row"]], shares], axis=1), folder / "net.csv", sep=";")


def below_comments(frame: pd.DataFrame, folder: Path) -> Path:
    path = folder / "net.csv"
    path.write_text("# my net, run 3\nsep=;\n" + frame.to_csv(index=False, sep=";"))
    return path


def in_brackets(frame: pd.DataFrame, folder: Path) -> Path:
    return written(frame.rename(columns={name: f"P({name.title()})" for name in NAMES}), folder / "net.csv")


def by_savetxt(frame: pd.DataFrame, folder: Path) -> Path:
    np.savetxt(folder / "net.txt", frame.sort_values("row")[list(NAMES)].to_numpy())
    return folder / "net.txt"


@pytest.mark.parametrize(
    "write",
    [
        per_cent_with_commas,
        below_comments,
        in_brackets,
        by_savetxt,
        numbered_with_rows,
        per_cent_signs,
        lists,
        lists_in_parquet,
        as_csv(","),
        as_csv(";", ","),
        as_csv("\t", encoding="utf-8-sig"),
        as_csv(",", encoding="utf-16"),
        as_parquet,
        with_index,
        in_order,
        without_header,
        our_own,
        prefixed,
    ],
)
def test_every_form_of_the_same_table_is_read_alike(
    data: Dataset, tmp_path: Path, write: Callable[[pd.DataFrame, Path], Path]
) -> None:
    frame = table(data)
    found = look(write(frame, tmp_path), data)
    assert not found.doubtful
    assert np.array_equal(found.rows, test_rows(data))
    np.testing.assert_allclose(found.probabilities, frame.sort_values("row")[list(NAMES)], atol=1e-6)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda values: np.log(values + 1e-9), LOGITS),
        (lambda values: 3 * np.log(values + 1e-9) + 5, LOGITS),
        (lambda values: 100 * values, PER_CENT),
        (lambda values: values**0.5 / 2, SHARES),
        (lambda values: values.round(2), PROBABILITIES),
    ],
)
def test_what_the_numbers_are_is_found_out(
    data: Dataset, tmp_path: Path, change: Callable[[np.ndarray], np.ndarray], kind: str
) -> None:
    frame = table(data).sort_values("row")
    before = frame[list(NAMES)].to_numpy()
    frame[list(NAMES)] = change(before.astype(np.float64))
    found = look(written(frame, tmp_path / "net.csv"), data)
    assert found.kind == kind
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-9)
    assert np.mean(found.probabilities.argmax(axis=1) == before.argmax(axis=1)) > 0.98


@pytest.mark.parametrize("words", [True, False])
def test_answers_alone_are_enough(home: Path, data: Dataset, tmp_path: Path, words: bool) -> None:
    frame = table(data)
    named = frame[list(NAMES)].idxmax(axis=1)
    answer = named.str.replace("happy", "Happiness") if words else named.map(NAMES.index)
    path = written(pd.DataFrame({"row": frame["row"], "answer": answer}), tmp_path / "said.csv")
    found = look(path, data)
    assert found.kind == ANSWERS
    run = bring(found, data, home / "runs" / "said", "said")
    metrics = run.metrics()
    assert metrics is not None
    assert not run.tells_confidence
    assert "ECE" not in card_of(run)
    assert "temperature" not in metrics
    n = sum(scores["n"] for scores in metrics["splits"].values())
    right = sum(scores["n"] * scores["accuracy"] for scores in metrics["splits"].values())
    assert right / n == pytest.approx(true_accuracy(data, frame))


def test_an_array_is_about_the_split_whose_labels_it_fits(home: Path, data: Dataset, tmp_path: Path) -> None:
    """PublicTest and PrivateTest have as many faces each: only the labels tell them apart."""
    frame = table(data).set_index("row")
    path = tmp_path / "net.npy"
    np.save(path, frame.loc[data.rows(PUBLIC_TEST), list(NAMES)].to_numpy())
    found = look(path, data)
    assert found.splits == (PUBLIC_TEST,)
    assert np.array_equal(found.rows, data.rows(PUBLIC_TEST))
    assert any("PublicTest, in their order" in note for note in found.notes)
    np.save(path, frame.loc[data.rows(PRIVATE_TEST), list(NAMES)].to_numpy())
    with pytest.raises(ModelError, match="--split"):
        look(path, data)
    found = look(path, data, split=PRIVATE_TEST, out=home / "runs" / "net")
    assert (found.splits, found.tried_on) == ((PRIVATE_TEST,), PRIVATE_TEST)
    assert look(path, data, split=PUBLIC_TEST).splits == (PUBLIC_TEST,)


def test_contempt_is_left_out_and_missing_classes_are_never_answered(home: Path, data: Dataset, tmp_path: Path) -> None:
    frame = table(data)
    eight = frame.assign(Contempt=frame["happy"] / 2)
    eight[[*NAMES, "Contempt"]] = eight[[*NAMES, "Contempt"]].div(1 + frame["happy"] / 2, axis=0)
    record = bring(look(written(eight, tmp_path / "eight.csv"), data), data, home / "runs" / "a", "a").import_record()
    assert record["left_out"] == ["contempt"]
    six = frame.drop(columns="disgust")
    six[six.columns[1:]] = six[six.columns[1:]].div(six[six.columns[1:]].sum(axis=1), axis=0)
    run = bring(look(written(six, tmp_path / "six.csv"), data), data, home / "runs" / "b", "b")
    assert run.import_record()["missing"] == ["disgust"]
    stored = run.predictions()
    assert stored is not None
    assert (stored["p1"] == 0).all()


def test_only_whole_splits_are_scored(data: Dataset, tmp_path: Path) -> None:
    frame = table(data)
    some = frame[~frame["row"].isin(data.rows(PRIVATE_TEST)[:5])]
    found = look(written(some, tmp_path / "net.csv"), data)
    assert found.splits == (PUBLIC_TEST,)
    assert any("135 of the 140 faces of PrivateTest" in note for note in found.notes)
    with pytest.raises(ModelError, match="no split as a whole"):
        look(written(some.iloc[:200], tmp_path / "net.csv"), data)


def test_answers_for_a_sealed_private_test_are_a_look_which_is_counted(
    home: Path, data: Dataset, tmp_path: Path
) -> None:
    """They were scored without a line in the ledger."""
    frame = table(data)
    public = look(written(frame[frame["row"].isin(data.rows(PUBLIC_TEST))], tmp_path / "public.csv"), data)
    assert "opened" not in metrics_of(bring(public, data, home / "runs" / "public", "public"))
    assert not (home / ledger.FILE).exists()
    both = look(written(frame, tmp_path / "both.csv"), data)
    assert any("ledger" in note for note in both.notes)
    assert not any("ledger" in note for note in public.notes)
    run = bring(both, data, home / "runs" / "both", "both")
    assert metrics_of(run)["opened"]["looks"] == 1
    assert [line["run"] for line in ledger.read(home / ledger.FILE)] == ["both"]
    assert "1 look" in card_of(run)
    with pytest.raises(ModelError, match="owner"):
        bring(both, data, home / "runs" / "visitors", "visitors", visitor="a" * 32)
    theirs = look(both.source, data, visitor=True)
    assert theirs.splits == (PUBLIC_TEST,)
    assert any("owner" in note for note in theirs.notes)
    bring(theirs, data, home / "runs" / "visitors", "visitors", visitor="a" * 32)
    assert len(ledger.read(home / ledger.FILE)) == 1
    (home / ledger.FILE).write_text("{")
    with pytest.raises(RunError, match="line 1"):
        bring(both, data, home / "runs" / "again", "again")
    assert not (home / "runs" / "again").exists()


def test_no_accuracy_on_private_test_is_told_before_its_look_is_in_the_ledger(
    home: Path, noise: Path, data: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table of orders told how many PrivateTest answers are right, and whoever then went away had not looked."""
    from fer_core.cli import main

    frame = table(data, order=SORTED)
    frame.columns = ["row", *NAMES]
    path = written(frame[frame["row"].isin(data.rows(PRIVATE_TEST))], tmp_path / "net.csv")
    with pytest.raises(ClosedError, match="a look"):
        look(path, data)
    with pytest.raises(ModelError, match="owner"):
        look(path, data, visitor=True)
    assert not (home / ledger.FILE).exists()
    arguments = ["predictions", "import", str(path), "--data", str(noise)]
    assert main(arguments) == 2
    assert "of PrivateTest" in capsys.readouterr().err
    [told] = ledger.read(home / ledger.FILE)
    assert (told["run"], told["note"]) == ("net", TRIED_NOTE)
    # The same answers scored under the same name tell nothing new.
    assert main([*arguments, "--classes", "alphabetical"]) == 0
    assert ledger.read(home / ledger.FILE) == [told]
    assert metrics_of(RunFolder(home / "runs" / "net"))["opened"]["looks"] == 1
    assert main([*arguments, "--classes", "alphabetical", "--name", "again"]) == 0
    assert [line["run"] for line in ledger.read(home / ledger.FILE)] == ["net", "again"]


@pytest.mark.parametrize(
    ("public", "training", "tried_on"), [(60, 0, "PublicTest"), (20, 50, "Training and PublicTest")]
)
def test_the_order_is_tried_on_other_faces_than_private_test_where_enough_have_answers(
    home: Path, data: Dataset, tmp_path: Path, public: int, training: int, tried_on: str
) -> None:
    rows = np.concatenate([data.rows(TRAINING)[:training], data.rows(PUBLIC_TEST)[:public], data.rows(PRIVATE_TEST)])
    frame = pd.DataFrame(make_probabilities(data.labels[rows], 0.8), columns=SORTED).assign(row=rows)
    found = look(written(frame, tmp_path / "net.csv"), data)
    assert (found.tried_on, found.tried) == (tried_on, public + training)
    assert found.likeliest.order.name == FER
    assert found.splits == (PRIVATE_TEST,)
    assert not (home / ledger.FILE).exists()
    with pytest.raises(ModelError, match="owner"):
        look(tmp_path / "net.csv", data, visitor=True)


def test_lines_that_count_from_0_are_not_taken_for_training_faces(data: Dataset, tmp_path: Path) -> None:
    """An index of the answers, read as row numbers, was all about Training, and nothing else was tried."""
    moved = write_dataset(
        tmp_path / "moved", data.images, data.labels, np.where(np.arange(len(data)) < 280, TRAINING, PUBLIC_TEST)
    )
    rows = moved.rows(PUBLIC_TEST)
    pd.DataFrame(make_probabilities(moved.labels[rows], 0.8), columns=list(NAMES)).to_csv(tmp_path / "net.csv")
    assert np.array_equal(look(tmp_path / "net.csv", moved).rows, rows)


def test_answers_for_a_part_of_private_test_are_no_look(home: Path, data: Dataset, tmp_path: Path) -> None:
    frame = table(data)
    path = written(frame[frame["row"].isin(data.rows(PRIVATE_TEST)[1:])], tmp_path / "net.csv")
    with pytest.raises(ModelError, match="no split as a whole"):
        look(path, data, out=home / "runs" / "net")
    assert not (home / ledger.FILE).exists()


def test_faces_are_known_by_the_names_of_their_files(tmp_path: Path, data: Dataset) -> None:
    names = [f"{data.splits[row]}/{NAMES[data.labels[row]]}/face_{row}.png" for row in range(len(data))]
    named = write_dataset(tmp_path / "named", data.images, data.labels, data.splits, title="Named", source_names=names)
    frame = table(named)
    for keep in (lambda name: name, lambda name: name.rsplit("/", 1)[-1], lambda name: f"C:\\data\\{name}"):
        files = frame.assign(row=[keep(names[row]) for row in frame["row"]]).rename(columns={"row": "filename"})
        found = look(written(files, tmp_path / "net.csv"), named)
        assert np.array_equal(found.rows, test_rows(named))
    files.loc[files.index[0], "filename"] = "nobody.png"
    with pytest.raises(ModelError, match=r"nobody\.png"):
        look(written(files, tmp_path / "net.csv"), named)


def broken(change: Callable[[pd.DataFrame], object]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def apply(frame: pd.DataFrame) -> pd.DataFrame:
        new = frame.reset_index(drop=True).astype({"row": object})
        result = change(new)
        return result if isinstance(result, pd.DataFrame) else new

    return apply


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (broken(lambda frame: frame.__setitem__("row", [*frame["row"][:-1], frame["row"][0]])), "more than once"),
        (broken(lambda frame: frame.__setitem__("row", [*frame["row"][:-1], 420])), "row 420"),
        (broken(lambda frame: frame.__setitem__("row", [*frame["row"][:-1], -1])), "row -1"),
        (broken(lambda frame: frame.__setitem__("row", [*frame["row"][:-1], "x"])), "'x'"),
        (broken(lambda frame: frame.__setitem__("happy", [np.nan, *frame["happy"][1:]])), "happy is empty"),
        (broken(lambda frame: frame.__setitem__("happy", ["nan", *frame["happy"][1:]])), "NaN"),
        (broken(lambda frame: frame.__setitem__("happy", ["high", *frame["happy"][1:]])), "'high'"),
        (broken(lambda frame: frame.__setitem__("happy", [3.0, *frame["happy"][1:]])), "add up"),
        (broken(lambda frame: frame.__setitem__("happy", [-0.01, *frame["happy"][1:]])), "no probability"),
        (broken(lambda frame: frame[["row", "happy", "sad"]]), "neither"),
        (broken(lambda frame: frame.iloc[:0]), "no face"),
        (broken(lambda frame: frame.assign(glad=frame["sad"]).drop(columns=["sad", "angry", "fear"])), "neither"),
    ],
)
def test_what_does_not_hold_together_is_said_in_a_sentence(
    data: Dataset, tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], word: str
) -> None:
    path = written(change(table(data)), tmp_path / "net.csv")
    with pytest.raises(ModelError, match=word):
        look(path, data)


@pytest.mark.parametrize("form", ["csv", "npy"])
def test_true_and_false_are_answers(data: Dataset, tmp_path: Path, form: str) -> None:
    frame = table(data).sort_values("row")
    best = frame[list(NAMES)].to_numpy().argmax(axis=1)
    flags = np.eye(7, dtype=bool)[best]
    path = tmp_path / f"net.{form}"
    if form == "csv":
        written(pd.DataFrame(flags, columns=list(NAMES)).assign(row=frame["row"].to_numpy()), path)
    else:
        np.save(path, flags)
    assert np.array_equal(look(path, data).probabilities.argmax(axis=1), best)


def test_names_of_files_need_a_dataset_that_knows_its_own(data: Dataset, tmp_path: Path) -> None:
    """Each name was taken for all faces at once."""
    frame = table(data).assign(row="C:\\faces\\1.png").rename(columns={"row": "file"})
    with pytest.raises(ModelError, match="its own were called"):
        look(written(frame, tmp_path / "net.csv"), data)


def test_files_that_hold_no_answers_are_refused(data: Dataset, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
            return (Path.touch, (tmp_path / "ran",))  # type: ignore[return-value]

    def array(value: object) -> bytes:
        np.save(tmp_path / "x.npy", np.asarray(value), allow_pickle=True)
        return (tmp_path / "x.npy").read_bytes()

    for name, content, word in (
        ("a.npy", array([Evil()]), "programs"),
        ("a.npy", array(np.zeros((3, 48, 48))), "3×48×48"),
        ("a.npy", array(np.full((280, 7), 1j)), "array of numbers"),
        ("a.npy", array(np.full((17, 7), 1 / 7)), "17 lines"),
        ("a.npy", b"nonsense", "no NumPy"),
        ("a.parquet", b"nonsense", "no Parquet"),
        ("a.csv", b"", "no"),
        ("a.csv", b"\x80\x81", "UTF-8"),
        ("a.pt", b"PK", "np.save"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(ModelError, match=word):
            look(path, data)
    assert not (tmp_path / "ran").exists()


def test_the_command_shows_the_table_and_stops_where_it_is_in_doubt(
    home: Path, noise: Path, data: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from fer_core.cli import main

    frame = table(data, order=SORTED)
    frame.columns = ["row", *NAMES]
    path = str(written(frame, tmp_path / "my net.csv"))
    arguments = ["predictions", "import", path, "--data", str(noise)]
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert "--classes alphabetical" in said
    assert "affectnet" in said
    assert main([*arguments, "--classes", "alphabetical", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert Path(result["run"]) == home / "runs" / "my-net"
    assert result["import"]["classes"] == SORTED
    assert main(["runs", "my-net"]) == 0
    assert "no model to ask" in capsys.readouterr().out
    picture = tmp_path / "face.png"
    Image.fromarray(np.asarray(data.images[0])).save(picture)
    for command in (
        ["evaluate", "my-net", "--data", str(noise)],
        ["export", "my-net", "--data", str(noise)],
        ["predict", str(picture), "--model", "my-net"],
        ["explain", "face", "--row", "0", "--data", str(noise), "--models", "my-net", "--out", str(tmp_path / "f.png")],
    ):
        assert main(command) == 2, command
        assert "no model to ask" in capsys.readouterr().err, command


def test_a_run_of_answers_that_lost_its_account_is_damaged(home: Path, data: Dataset, tmp_path: Path) -> None:
    run = bring(look(written(table(data), tmp_path / "net.csv"), data), data, home / "runs" / "net", "net")
    record = run.import_path.read_text(encoding="utf-8")
    run.import_path.write_text(record.replace("net.csv", "own.csv"), encoding="utf-8")
    assert "import.json" in list_runs()[0].problem
    run.import_path.unlink()
    assert "import.json" in list_runs()[0].problem
    found = look(tmp_path / "net.csv", data)
    with pytest.raises(FerError, match="exists already"):
        bring(found, data, run.path, "net")


def test_numbers_of_votes_are_shares_and_no_logits(data: Dataset, tmp_path: Path) -> None:
    """Three votes to two are 60 %; as logits they would be 73 %."""
    frame = table(data)
    frame[list(NAMES)] = np.round(frame[list(NAMES)] * 10).astype(int)
    found = look(written(frame, tmp_path / "votes.csv"), data)
    assert found.kind == VOTES
    wanted = frame.sort_values("row")[list(NAMES)].to_numpy()
    np.testing.assert_allclose(found.probabilities, wanted / wanted.sum(axis=1, keepdims=True))
    frame.iloc[3, 1:] = 0
    with pytest.raises(ModelError, match="no vote in line 4"):
        look(written(frame, tmp_path / "votes.csv"), data)


def test_more_than_eight_columns_of_which_three_are_none_of_the_seven_are_understood(
    data: Dataset, tmp_path: Path
) -> None:
    """FER+'s ten were refused as a model of ten classes."""
    frame = table(data)
    for name in ("contempt", "unknown", "NF"):
        frame[name] = 0.1
    frame[list(NAMES)] *= 0.7
    found = look(written(frame, tmp_path / "ten.csv"), data)
    assert found.assumed.order.classes == (*NAMES, "other")
    np.testing.assert_allclose(found.probabilities[:, -1], 0.3, atol=1e-6)


def votes(data: Dataset) -> pd.DataFrame:
    """Whole numbers of votes on the test faces in the dataset's order, in FER+'s ten columns."""
    frame = table(data).sort_values("row")
    frame[list(NAMES)] = np.round(frame[list(NAMES)] * 10).astype(int)
    frame = frame.assign(contempt=1, unknown=np.arange(len(frame)) % 3, NF=0)
    return frame[["neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt", "unknown", "NF"]]


@pytest.mark.parametrize("form", ["npy", "csv"])
def test_ferpluss_ten_columns_need_no_names(form: str, data: Dataset, tmp_path: Path) -> None:
    """An array has none, so it was refused as one of ten classes, and the same votes as a table were brought."""
    frame = votes(data)
    path = tmp_path / f"votes.{form}"
    if form == "npy":
        np.save(path, frame.to_numpy(dtype=np.uint8))
    else:
        frame.to_csv(path, index=False, header=False)
    found = look(path, data)
    assert (found.kind, found.doubtful) == (VOTES, False)
    assert found.assumed.order.classes == (*frame.columns[:7], "other")
    wanted = frame.to_numpy() / frame.to_numpy().sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.probabilities[:, :7], wanted[:, :7])
    np.testing.assert_allclose(found.probabilities[:, 7], wanted[:, 7:].sum(axis=1))
    assert any("FER+" in note for note in found.notes)
    said = look(path, data, classes="ferplus")
    assert said.by_owner
    np.testing.assert_allclose(said.probabilities, found.probabilities)


def test_ten_columns_in_another_order_are_asked_about_and_can_be_named(data: Dataset, tmp_path: Path) -> None:
    frame = votes(data)
    frame = frame[sorted(frame.columns)]
    np.save(tmp_path / "votes.npy", frame.to_numpy())
    with pytest.raises(ModelError, match="Name them all in their order"):
        look(tmp_path / "votes.npy", data)
    with pytest.raises(ModelError, match="Name them all after --classes"):
        look(tmp_path / "votes.npy", data, classes="alphabetical")
    found = look(tmp_path / "votes.npy", data, classes=",".join(frame.columns))
    assert (found.by_owner, found.doubtful) == (True, False)
    assert set(found.assumed.order.classes) == {*NAMES, "other"}
    assert not any("FER+" in note for note in found.notes)
    assert found.assumed.accuracy == found.fits[0].accuracy
    with pytest.raises(ModelError, match="9 classes are named"):
        look(tmp_path / "votes.npy", data, classes=",".join(frame.columns[:9]))
    np.save(tmp_path / "nine.npy", frame.to_numpy()[:, :9])
    with pytest.raises(ModelError, match="9 answers a face"):
        look(tmp_path / "nine.npy", data)
