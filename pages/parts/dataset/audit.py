"""The Audit tab: what is wrong with a dataset, the faces behind each number, and what it costs the models."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from fer_core.data.audit import Audit
from fer_core.data.audit import findings as core
from fer_core.data.audit.findings import Finding
from fer_core.data.dataset import Dataset
from fer_core.emotions import TEST_SPLITS
from fer_core.formatting import percent, plural
from pages.parts import linked, links
from pages.parts.dataset import audit_cost, audit_faces, audit_job
from pages.parts.dataset_extras import audit_of, read_audit_time

FINDING = "finding"
_KEYS = (FINDING, audit_faces.OF, audit_faces.PART, audit_faces.SHOWN, audit_faces.COMPARED, audit_cost.SPLIT)
_AUDIT = "_audit"

COUNTED = {
    core.EXACT: "group",
    core.REDUNDANT: "face",
    core.ACROSS: "group",
    core.CONFLICTS: "group",
    core.NEAR_DUPLICATES: "pair",
    core.EXACT_IN_TRAINING: "test face",
    core.NEAR_IN_TRAINING: "test face",
    core.MIRRORED_IN_TRAINING: "test face",
    core.CONSTANT: "image",
    core.NEARLY_CONSTANT: "image",
}
"""What is counted, in the singular."""


@dataclass(frozen=True, eq=False)
class AuditView:
    """An audit and what follows from it alone, computed once."""

    audit: Audit
    findings: dict[str, Finding]
    headline: str


def show(dataset: Dataset) -> None:
    """The whole tab."""
    audit_job.outcome(dataset)
    found = _found(str(dataset.path), dataset.info.fingerprint, read_audit_time(dataset), dataset)
    if found is None:
        audit_job.offer(dataset)
        return
    _restore()
    st.markdown(found.headline)
    left, right = st.columns([3, 5], gap="medium")
    with left:
        finding = _choose(found)
    with right:
        audit_faces.show(dataset, found.audit, finding)
    st.header("What it costs", anchor=False)
    audit_cost.show(dataset, found.audit)
    with st.expander("How the audit decides"):
        st.markdown(_rules(found.audit))
        audit_job.cli_command(dataset)
    st.session_state[_AUDIT] = {key: st.session_state.get(key) for key in _KEYS}


def _restore() -> None:
    """Whoever comes back from another tab finds the same finding and face: widgets that are not drawn forget."""
    stored = st.session_state.get(_AUDIT, {})
    if not any(key in st.session_state or links.given(key) for key in _KEYS):
        st.session_state.update({key: value for key, value in stored.items() if value is not None})


@st.cache_resource(show_spinner=False, max_entries=4)
def _found(path: str, fingerprint: str, written: int, _dataset: Dataset) -> AuditView | None:
    """Keyed by path, fingerprint and time of ``audit.parquet``. Only read here, never computed."""
    audit = audit_of(_dataset)
    return None if audit is None else AuditView(audit, core.findings(audit), core.headline(audit))


def _choose(found: AuditView) -> Finding:
    names = list(found.findings)
    name = linked.radio(
        "Findings",
        names,
        captions=[_amount(found, finding) for finding in found.findings.values()],
        key=FINDING,
        says=f"There is no finding called {{asked}}. Showing {names[0]}.",
        on_change=audit_faces.start_over,
        help="Choose one to see its faces. Shares are of all faces, or of the faces of a test split.",
    )
    return found.findings[name]


def _amount(found: AuditView, finding: Finding) -> str:
    """``1,514 groups: 3,365 faces (9.4 %)``; twins by split."""
    if finding.name in audit_faces.DUPLICATES_IN_TRAINING:
        parts = []
        for split in TEST_SPLITS:
            here = core.of_split(finding, found.audit, split)
            if here.of:
                parts.append(f"{split} {here.faces:,} of {here.of:,} faces ({_share(here)})")
        return "; ".join(parts) or "no test faces"
    amount = plural(finding.total, COUNTED[finding.name])
    if finding.kind == core.FACES:
        return f"{amount} ({_share(finding)} of all)"
    return f"{amount}: {plural(finding.faces, 'face')} ({_share(finding)} of all)"


def _share(finding: Finding) -> str:
    share = finding.share
    return "under 0.1 %" if 0 < share < 0.0005 else percent(share)


def _rules(audit: Audit) -> str:
    from fer_core.data.audit.result import DOMINANT

    return (
        "- **Exact duplicates** have the very same pixels. A group is all the faces that do.\n"
        "- **Near duplicates** look almost the same: both are equalised and shrunk to 24×24 pixels, and their "
        f"normalised cross-correlation (NCC) is above {audit.threshold:g}, as they are or with one of them mirrored. 1 "
        "means equal but for brightness and contrast. They are pairs and not groups, because “nearly the same” does "
        "not carry over from one pair to the next.\n"
        "- **Twins** are faces of PublicTest or PrivateTest with an exact or near duplicate in Training. A model may "
        "simply remember them.\n"
        "- **Conflicting labels**: equal pixels, different labels. At most one label of such a group can be right.\n"
        f"- **Constant images** have one grey level; of **nearly constant** ones at least {percent(DOMINANT, 0)} of "
        "the pixels have the same one."
    )
