"""The parts of Limits."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from fer_core.emotions import PRIVATE_TEST
from fer_core.errors import RunError
from fer_core.evaluation.hard_faces import GROUPS, SOURCE, Hard, shipped_hard_faces
from fer_core.evaluation.weak_points import SURE, CountedShare, WeakPoints, weak_points
from fer_core.formatting import listed, percent, plain, points
from fer_core.runs import protocol
from fer_core.runs.listing import VOTE, ModelInfo
from fer_core.runs.weakest import FEWEST_TO_JUDGE
from pages.parts import frame, known_data, messages
from pages.parts.data import AUDIT, KEY
from pages.parts.runs import data_title, foremost

FEWEST_SURE = 100
"""Where a run is sure of fewer faces, how many of these are wrong says little: of eight, none may be by chance."""
_STYLE = """<style>
.fer-wrong { border-collapse: collapse; width: 100%; max-width: 56rem; font-size: 0.875rem; line-height: 1.35; }
.fer-wrong th, .fer-wrong td {
  border-bottom: 1px solid rgba(127, 127, 143, 0.25);
  padding: 0.35rem 0.5rem 0.35rem 0;
  text-align: left;
  vertical-align: top;
}
.fer-wrong tbody th { font-weight: 400; }
.fer-wrong thead th { font-weight: 600; vertical-align: bottom; }
.fer-wrong span { white-space: nowrap; }
</style>"""


def meaning() -> None:
    """What an answer is, and is not."""
    box = st.expander("An expression is not a feeling", icon=":material/psychology_alt:")
    box.markdown(
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
            points = _weak_points(str(info.path), info.folder.state_key(), info.display_name, info)
        except RunError as error:
            st.warning(messages.told(error), icon=":material/broken_image:")
            continue
        if points is not None:
            found.append((info, points))
    if not found:
        st.info("No run has been measured yet, so there are no numbers to show.", icon=":material/info:")
        frame.link("train", "Train a model", icon=":material/model_training:")
        return
    by_data: dict[str, list[tuple[ModelInfo, WeakPoints]]] = {}
    for info, points in found:
        by_data.setdefault(_fingerprint(info), []).append((info, points))
    records = [info.data for info, _ in found if info.data]
    first = foremost(records)["fingerprint"] if records else ""
    # What is said, and the links, belong to the first table: below the last they would seem to be about other data.
    _table(by_data[first])
    told = [points for _, points in by_data[first]]
    st.markdown(f"{_wrong_in_short(told)} {_unjudged(told)}".strip())
    with st.container(horizontal=True, key="mistake-links"):
        # Whatever the sidebar has chosen: the faces are those of the first table.
        about = {KEY: known.name} if (known := known_data.with_fingerprint(first)) else {}
        frame.link("mistakes", "See these faces", icon=":material/search:", query=about)
        frame.link(
            "compare",
            "What if a model may say “unsure”?",
            icon=":material/compare:",
            query={**about, "view": "Certainty"},
        )
    for of in [fingerprint for fingerprint in by_data if fingerprint != first]:
        _table(by_data[of])
        if few := _unjudged([points for _, points in by_data[of]]):
            st.caption(few)
    without = (
        "without faces that have a twin in Training"
        if all(points.without_twins for _, points in found)
        else "without faces that have a twin in Training where it is known which do"
    )
    with st.expander("What these numbers mean", icon=":material/help:"):
        st.markdown(
            f"Measured on **{PRIVATE_TEST}**, {without}. **Sure**: the model gives its answer {percent(SURE, 0)} "
            "or more. In brackets the 95 % Wilson interval and the number of faces. "
            f"{protocol.WHAT_CHOSE} {protocol.footnotes(info for info, _ in found)}"
        )


def _fingerprint(info: ModelInfo) -> str:
    return info.data["fingerprint"] if info.data else ""


def _table(found: Sequence[tuple[ModelInfo, WeakPoints]]) -> None:
    """The runs on the same data: in a column of its own, the data's name would be cut off on small screens."""
    title = data_title(found[0][0].data)
    told = [points for _, points in found]
    st.caption(f"**{plain(title)}**, {PRIVATE_TEST}{_which_faces(told)}")
    alt = (
        f"How often each run is wrong on {PRIVATE_TEST} of {title}: of these faces, of those it is sure about, of its "
        "hardest class; each with its 95 % interval and number of faces."
    )
    names = ("Model", "Wrong", "Wrong when sure", "Hardest class, missed")
    heads = "".join(f'<th scope="col">{name}</th>' for name in names)
    rows = "".join(
        f'<tr><th scope="row">{html.escape(points.name)}</th><td>{_words(points.wrong)}</td>'
        f"<td>{_words(points.sure_wrong)}</td><td>{_hardest(points)}</td></tr>"
        for points in told
    )
    # As HTML, whose cells break: of a table of Streamlit's a phone shows two columns.
    st.html(
        f'{_STYLE}<table class="fer-wrong" aria-label="{html.escape(alt, quote=True)}"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _which_faces(told: Sequence[WeakPoints]) -> str:
    """Where it is so, that faces with a twin do not count: elsewhere the app tells of all."""
    if not all(points.without_twins for points in told):
        return ""
    counted = {(points.wrong.n, points.faces) for points in told}
    if len(counted) > 1:
        return ", faces without a twin in Training"
    [(n, faces)] = counted
    return f", {n:,} faces without a twin in Training (of {faces:,})"


def data() -> None:
    """What is wrong with FER-2013."""
    box = st.expander("What is wrong with the data", icon=":material/content_copy:")
    box.markdown(
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
    with box:
        frame.link("dataset", "See the faults, face by face", icon=":material/content_copy:", query={"view": AUDIT})


def people(infos: Sequence[ModelInfo]) -> None:
    """On whom a model may err more: what others found, and what was measured here."""
    st.header("On whom", anchor=False)
    found = _hard(infos)
    name, hard = next(((name, of) for name, of in found if name == VOTE), found[0]) if found else ("", {})
    lines = [f"| | Others found | Measured here{f', with {plain(name)}' if name else ''} |", "|---|---|---|"]
    lines += [f"| **{who}** | {known} | {_measured(hard, groups)} |" for who, known, groups in _PEOPLE]
    st.markdown("\n".join(lines))
    st.caption("“Others”: other faces, as many of each label. Not measured: FER-2013 does not say who is pictured.")
    if not found:
        return
    st.markdown(_in_short(name, hard))
    with st.expander("Every model, on faces that are hard", icon=":material/visibility_off:"):
        st.markdown(
            f"PrivateTest faces without twins, marked by [Wang et al., 2020]({SOURCE}). In each cell: how many are "
            "right, and in brackets how far that is from the other faces with as many of each label, in points, with "
            "its 95 % interval. Of so many intervals, one in twenty misses by chance. A hand before the mouth may help "
            "because it is itself a sign: of fear and surprise, mostly."
        )
        st.dataframe(
            pd.DataFrame(
                {"": f"{GROUPS[group]} (n = {next(iter(found))[1][group].n})"}
                | {run: _cell(of[group]) for run, of in found if group in of}
                for group in GROUPS
            ),
            hide_index=True,
            alt="How often each run is right on faces behind glasses, turned or covered, against other faces.",
        )


_PEOPLE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Glasses", f"Networks err more ([Wang et al., 2020]({SOURCE}))", ("glasses",)),
    ("Turned heads", f"Networks err more ([the same]({SOURCE}))", ("turned",)),
    ("A hand or a hat in the face", f"Networks err more ([the same]({SOURCE}))", ("mouth", "sides", "forehead")),
    (
        "Beards",
        "People and a program name anger better with one "
        "([Craig et al., 2019](https://doi.org/10.1177/0956797619834876))",
        (),
    ),
    (
        "Children",
        "Eight commercial systems did worse than on adults "
        "([Bryant and Howard, 2019](https://doi.org/10.1145/3306618.3314284))",
        (),
    ),
    (
        "Old people",
        "Networks err more, most on neutral, sad and angry "
        "([Gaya-Morey et al., 2025](https://arxiv.org/abs/2507.07638))",
        (),
    ),
    (
        "Skin colour",
        "Two commercial systems saw more anger in Black players, smile for smile "
        "([Rhue, 2018](https://doi.org/10.2139/ssrn.3281765)); networks differ, too "
        "([Xu et al., 2020](https://arxiv.org/abs/2007.10075))",
        (),
    ),
)
"""Who; what is known elsewhere; and the groups of faces on which it was measured here, none where it was not."""


def _hard(infos: Sequence[ModelInfo]) -> list[tuple[str, dict[str, Hard]]]:
    """Each run that was measured on hard faces, and its figures by group."""
    figures = shipped_hard_faces()
    found = []
    for info in infos:
        evaluation = info.folder.evaluation(figures.fingerprint) if info.name in figures.models else None
        if evaluation is not None and (of := figures.of(info.name, evaluation.model)):
            found.append((info.display_name, of))
    return found


def _measured(found: Mapping[str, Hard], groups: Sequence[str]) -> str:
    if not groups:
        return "not measured"
    hard = [found[group] for group in groups if group in found]
    if not hard:
        return "not measured with these runs"
    n = sum(one.n for one in hard)
    right, expected = (sum(one.n * getattr(one, value) for one in hard) / n for value in ("accuracy", "expected"))
    return f"{percent(right, 0)} of {n} right, of others {percent(expected, 0)}"


def _in_short(name: str, hard: Mapping[str, Hard]) -> str:
    """Which groups differ beyond chance."""
    parts = []
    for word, kinds in (
        ("worse", [group for group, one in hard.items() if one.gap_high < 0]),
        ("better", [group for group, one in hard.items() if one.gap_low > 0]),
    ):
        if kinds:
            where = [f"{GROUPS[group].lower()} ({points(hard[group].gap, 0)})" for group in kinds]
            parts.append(f"{word} with {listed(where)}")
    # Which others, the caption above says.
    found = f"{plain(name)} is {' and '.join(parts)} than on others; " if parts else f"{plain(name)}: "
    rest = "other differences" if parts else "its differences from others"
    return f"On {len(hard)} kinds of hard faces, {found}{rest} may be chance."


def _cell(one: Hard) -> str:
    low, high = (f"{100 * value:+.0f}".replace("-", "−") for value in (one.gap_low, one.gap_high))
    return f"{percent(one.accuracy, 0)} ({points(one.gap, 0).removesuffix(' points')}; {low} to {high})"


def law() -> None:
    """What is forbidden, in the European Union; and good manners everywhere."""
    box = st.expander("What you may not do with it", icon=":material/gavel:")
    box.markdown(
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


def _wrong_in_short(found: Sequence[WeakPoints]) -> str:
    """The most trustworthy of these runs on the same data when it is sure, and the class that is hardest for most.

    Of either nothing where there are too few faces.
    """
    told = [points for points in found if points.sure_wrong.n >= FEWEST_SURE]
    sure = min(told, key=lambda one: one.sure_wrong.value, default=None)
    hardest = Counter(points.hardest for points in found if points.hardest).most_common(1)
    if sure is None:
        one_in = ""
    elif sure.sure_wrong.count:
        one_in = f"Even when {plain(sure.name)} is sure, 1 face in {1 / sure.sure_wrong.value:.0f} is wrong. "
    else:
        one_in = (
            f"When {plain(sure.name)} is sure, none of {sure.sure_wrong.n:,} faces is wrong here; of others 1 in "
            f"{1 / sure.sure_wrong.high:.0f} may be. "
        )
    return f"{one_in}The class missed most often is {hardest[0][0]}." if hardest else one_in.strip()


def _unjudged(found: Sequence[WeakPoints]) -> str:
    """That small classes are not judged, and who never finds one; nothing where all are large."""
    if not any(points.unjudged for points in found):
        return ""
    never = [
        f"{plain(points.name)} never finds {listed([f'{one.emotion} (n = {one.n})' for one in missed])}"
        for points in found
        if (missed := [one for one in points.unjudged if not one.found])
    ]
    return f"Classes with fewer than {FEWEST_TO_JUDGE} faces are not judged{': ' if never else ''}{'; '.join(never)}."


def _hardest(points: WeakPoints) -> str:
    """HTML."""
    return f"{points.hardest} {_words(points.missed)}" if points.missed else "not judged"


def _words(share: CountedShare) -> str:
    """HTML."""
    if not share.n:
        return "no such face"
    interval = f"<span>({share.low * 100:.1f}–{share.high * 100:.1f};</span> <span>n = {share.n:,})</span>"
    return f"<span>{percent(share.value)}</span> <small>{interval}</small>"


@st.cache_data(show_spinner=False, max_entries=50)
def _weak_points(path: str, sealed: tuple[int, ...], called: str, _info: ModelInfo) -> WeakPoints | None:
    found = weak_points(_info.folder)
    return None if found is None else replace(found, name=_info.display_name)
