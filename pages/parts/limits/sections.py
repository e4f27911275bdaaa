"""The parts of Limits."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from fer_core.emotions import PRIVATE_TEST
from fer_core.errors import RunError
from fer_core.evaluation.weak_points import SURE, CountedShare, WeakPoints, weak_points
from fer_core.formatting import percent
from fer_core.runs import protocol
from fer_core.runs.listing import ModelInfo
from pages.parts import frame, messages
from pages.parts.data import AUDIT
from pages.parts.runs import data_title


def meaning() -> None:
    """What an answer is, and is not."""
    st.header("An expression is not a feeling", anchor=False)
    st.markdown(
        "A model here answers one question: *which of seven words would those who labelled FER-2013 have given this "
        "picture?* It does not know what the person feels, thinks or intends.\n\n"
        "- People smile when they are happy more often than chance would have it. They also smile when they are "
        "polite, nervous or in pain, and many happy people do not smile. The same face goes with many feelings, and "
        "the same feeling with many faces: a review of over a thousand studies found no face that gives a feeling "
        "away reliably ([Barrett et al., 2019](https://doi.org/10.1177/1529100619832930)).\n"
        "- Seven words are few. A model must choose one of them, even for a face that is bored, tired or in pain, "
        "and even for a picture without any face.\n"
        "- The seven numbers add up to 100 %. They are shares of the model's choice, not of a mixture of feelings."
    )


def mistakes(infos: Sequence[ModelInfo]) -> None:
    """How often each run is wrong, also where it looks sure."""
    st.header("How wrong they are", anchor=False)
    found: list[tuple[ModelInfo, WeakPoints]] = []
    for info in infos:
        try:
            points = _weak_points(str(info.path), info.folder.state_key(), info)
        except RunError as error:
            st.warning(messages.told(error), icon=":material/broken_image:")
            continue
        if points is not None:
            found.append((info, points))
    if not found:
        st.info("No run has been measured yet, so there are no numbers to show.", icon=":material/info:")
        frame.link("train", "Train a model", icon=":material/model_training:")
        return
    st.markdown(
        f"Measured on **{PRIVATE_TEST}**. {protocol.WHAT_CHOSE} {protocol.footnotes(info for info, _ in found)}"
    )
    st.markdown(
        f"A model that gives its answer {percent(SURE, 0)} or more looks sure. "
        "Look at how often it is wrong all the same."
    )
    st.dataframe(
        pd.DataFrame(
            {
                "Model": points.name,
                "Wrong": _words(points.wrong),
                "Wrong when sure": _words(points.sure_wrong),
                "Hardest class, missed": f"{points.hardest}: {_words(points.missed)}",
                "Data": data_title(info.data),
            }
            for info, points in found
        ),
        hide_index=True,
        alt=f"How often each run is wrong on {PRIVATE_TEST}: of all faces, of those it is sure about, of its hardest "
        "class; each with its 95 % interval and number of faces.",
    )
    st.caption("Shares with their 95 % Wilson interval and the number of faces they are of.")
    with st.container(horizontal=True, key="mistake-links"):
        frame.link("mistakes", "See these faces", icon=":material/search:")
        frame.link("compare", "What if a model may say “unsure”?", icon=":material/compare:")


def data() -> None:
    """What is wrong with FER-2013."""
    st.header("What is wrong with the data", anchor=False)
    st.markdown(
        "- **Labels are noisy.** People agree with FER-2013's labels on about 65 ± 5 % of the faces "
        "([Goodfellow et al., 2013](https://arxiv.org/abs/1307.0414)). A model that scores above "
        "that agrees with those who labelled; it does not read faces better than people. When ten people voted on "
        "each face, many got another label ([Barsoum et al., 2016](https://arxiv.org/abs/1608.01041)).\n"
        "- **Test faces were seen in training.** Thousands of faces occur twice, some in both. Every number here "
        "comes a second time without such twins.\n"
        "- **Classes are uneven.** In FER-2013 547 of 35,887 faces are labelled disgust, 8,989 happy. What a model "
        "says about disgust rests on 55 faces of PrivateTest.\n"
        "- **Nobody knows who is in it.** The pictures come from web searches for words such as “angry”: actors and "
        "stock photographs, often posed. Nobody recorded age, gender, skin colour or country, and nobody was asked. "
        "So nobody can measure on it whether a model treats people alike, and we do not claim that ours do."
    )
    frame.link("dataset", "See the faults, face by face", icon=":material/content_copy:", query={"view": AUDIT})


def people() -> None:
    """Whom a model may treat unfairly."""
    st.header("Whom it may treat unfairly", anchor=False)
    st.markdown(
        "- Two commercial systems read more anger or contempt into the faces of Black than of white basketball "
        "players, smile for smile ([Rhue, 2018](https://doi.org/10.2139/ssrn.3281765)). Ours learned from pictures of "
        "the same kind.\n"
        "- Faces that are turned, partly covered, very old or very young, or shaped by a palsy are rare in the data. "
        "Expect more mistakes there. The Explain page lets you cover or turn a face and watch.\n"
        "- Light, camera and distance move the answer, too: a model that is right in your office may be wrong at your "
        "window."
    )


def law() -> None:
    """What is forbidden, in the European Union; and good manners everywhere."""
    st.header("What you may not do with it", anchor=False)
    st.markdown(
        "In the European Union, the AI Act ([Regulation 2024/1689](https://eur-lex.europa.eu/eli/reg/2024/1689/oj)) "
        "says of systems that infer emotions from faces, voices and other biometric data:\n\n"
        "- **At work and in schools and universities it is forbidden** to infer people's emotions, except for medical "
        "or safety reasons (Article 5(1)(f), since 2 February 2025). So do not watch a class, an exam, an interview or "
        "a team with it. Studying how such models fail, on data and on your own face, is another matter, and the "
        "reason why this program exists.\n"
        "- **Elsewhere it counts as high-risk** (Annex III, point 1(c)), with duties for those who offer and use it.\n"
        "- **People must be told** that such a system is applied to them (Article 50(3)). Pictures of faces are "
        "personal data, too: the [GDPR](https://eur-lex.europa.eu/eli/reg/2016/679/oj) holds.\n\n"
        "Wherever you are: show only yourself, or people who said yes and may say no. Never decide anything about "
        "anybody with it: not in hiring, teaching, policing, at a border, or in health care."
    )


def _words(share: CountedShare) -> str:
    if not share.n:
        return "no such face"
    return f"{percent(share.value)} ({share.low * 100:.1f}–{share.high * 100:.1f} %; n = {share.n:,})"


@st.cache_data(show_spinner=False, max_entries=50)
def _weak_points(path: str, sealed: tuple[int, ...], _info: ModelInfo) -> WeakPoints | None:
    return weak_points(_info.folder)
