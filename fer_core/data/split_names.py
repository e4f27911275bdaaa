"""What words for a split mean, in the languages of ``class_words.json``."""

from __future__ import annotations

from functools import lru_cache

from fer_core import emotions
from fer_core.data.class_names import NOISE, pieces_of
from fer_core.errors import DataError

_SPLIT_NOISE = NOISE | {"data", "dataset", "set", "split", "folder", "fer", "pictures", "photos"}
# As folders and columns are called, in the languages of class_words.json.
_SPLIT_WORDS = {
    emotions.TRAINING: "train training trainset trainingset traindata fit trn entrenamiento apprentissage entrainement "
    "addestramento treinamento treino trainieren egitim обучение обучающая тренировка 训练 訓練 学習 학습 훈련",
    emotions.PUBLIC_TEST: "val valid validation validate validationset valset dev devel development publictest vld "
    "validacion validazione validacao validierung validatie dogrulama валидация 验证 驗證 検証 검증",
    emotions.PRIVATE_TEST: "test testing tests testset testdata eval evaluation privatetest tst holdout heldout prueba "
    "pruebas teste testes testen тест тестовая 测试 測試 テスト 테스트",
}
_SETS = (
    "daten datensatz satz set data 集合 数据集 數據集 数据 數據 集 データ セット データセット 데이터 데이터셋 세트 셋"
)
"""What other words for a split end with, in one word: Trainingsdaten, 训练集."""
_SETS_PLAIN = tuple("".join(pieces_of(word)) for word in _SETS.split())
_SPLITS = {"".join(pieces_of(word)): split for split, words in _SPLIT_WORDS.items() for word in words.split()}


@lru_cache(maxsize=20_000)
def split_of(word: str) -> str | None:
    """Training, PublicTest or PrivateTest by what a source calls it; None for any other word."""
    pieces = pieces_of(word)
    kept = [piece for piece in pieces if piece not in _SPLIT_NOISE]
    found = _SPLITS.get("".join(pieces)) or _SPLITS.get("".join(kept))
    if found is None and len(kept) == 1:
        end = max((one for one in _SETS_PLAIN if kept[0].endswith(one)), key=len, default="")
        stem = kept[0].removesuffix(end) if end else ""
        found = _SPLITS.get(stem) or _SPLITS.get(stem.removesuffix("s"))
    return found


def split_choices(text: str) -> dict[str, str]:
    """What ``--splits`` says, by the source's word in small letters: ``dev=validation,eval=test``, or ``all=test``.

    Raises ``DataError`` for what is no pair, or no split.
    """
    chosen: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        word, sign, said = (piece.strip() for piece in part.partition("="))
        split = split_of(said)
        if not (word and sign) or split is None:
            raise DataError(
                f"--splits: {part!r} is not understood. Give pairs such as dev=validation,eval=test (train, validation "
                "or test on the right), or all=test."
            )
        chosen[word.casefold()] = split
    if not chosen:
        raise DataError("--splits is empty. Give pairs such as dev=validation,eval=test.")
    return chosen
