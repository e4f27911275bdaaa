"""What words for a split mean, in many languages, and what is typed after --splits."""

from __future__ import annotations

import pytest

from fer_core.data.split_names import split_choices, split_of
from fer_core.errors import DataError


@pytest.mark.parametrize(
    ("word", "split"),
    [
        ("train", "Training"),
        ("Training_set", "Training"),
        ("val", "PublicTest"),
        ("Validation", "PublicTest"),
        ("dev", "PublicTest"),
        ("PublicTest", "PublicTest"),
        ("test", "PrivateTest"),
        ("PrivateTest", "PrivateTest"),
        ("Train Images", "Training"),
        ("fer_val_80", "PublicTest"),
        ("01_test", "PrivateTest"),
        ("Entrenamiento", "Training"),
        ("apprentissage", "Training"),
        ("Validación", "PublicTest"),
        ("Eğitim", "Training"),
        ("测试", "PrivateTest"),
        ("holdout", "PrivateTest"),
        ("Trainingsdaten", "Training"),
        ("Validierungsdatensatz", "PublicTest"),
        ("测试集", "PrivateTest"),
        ("訓練データ", "Training"),
        ("테스트셋", "PrivateTest"),
        ("contest", None),
        ("set", None),
        ("happy", None),
        ("faces", None),
        ("data", None),
    ],
)
def test_split_words(word: str, split: str | None) -> None:
    assert split_of(word) == split


def test_splits_are_said() -> None:
    assert split_choices("Fold1=train, all=test") == {"fold1": "Training", "all": "PrivateTest"}
    for text in ("", "dev", "dev=somewhere"):
        with pytest.raises(DataError, match="--splits"):
            split_choices(text)
