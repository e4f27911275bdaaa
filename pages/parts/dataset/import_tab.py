"""The tab where data comes in: upload, a path, or Kaggle, with progress and with errors for people."""

from __future__ import annotations

import shutil
from pathlib import Path

import streamlit as st

from fer_core.access.uploads import Place
from fer_core.errors import DataError, FerError
from fer_core.formatting import duration, plain
from fer_core.leftovers import temporary_folder
from fer_core.runs.clean_up import recently
from fer_core.settings import settings
from fer_core.writable import check_writable, explained
from pages.parts import known_data, linked, messages, unmeasured, uploads
from pages.parts.data import choose, current_dataset, faces_are_here
from pages.parts.dataset import ferplus, import_job, look_first
from pages.parts.fragments import fragment

UPLOAD, PATH, KAGGLE = "Upload a file", "File or folder on this computer", "Kaggle"
_REFUSED = "_measuring_imported_refused"
ARCHIVES = ["csv", "tsv", "gz", "zip", "xz", "bz2", "tar", "tgz", "npz", "parquet"]


def show() -> None:
    """The whole tab."""
    st.markdown("Bring FER-2013, or faces of your own. You see first what is understood.")
    job = import_job.current_job()
    if job is None:
        _cut_short()
    else:
        if job.state == "looked":
            look_first.show(job)
            return
        _progress(job)
        if job.state == "running":
            return
    origin = linked.segmented_control(
        "Where the data comes from",
        (UPLOAD, PATH, KAGGLE),
        key="from",
    )
    if origin == UPLOAD:
        _upload()
    elif origin == PATH:
        _path()
    else:
        _kaggle()
    with st.expander("What can be brought", icon=":material/help:"):
        st.markdown(
            "FER-2013 has 35,887 photographed faces and comes from a Kaggle challenge of 2013. It is not part of this "
            "program; its own terms apply. Your own faces will do as well:\n"
            "- tables: `fer2013.csv`, `icml_face_data.csv` or your own, plain or packed (`.gz`, `.zip`, `.xz`, "
            "`.tar.gz`)\n"
            "- NumPy arrays (`.npz`) and Parquet\n"
            "- pictures in folders for the classes, with or without `train` and `test`, or with a list of their "
            "classes; as a folder or a zip"
        )
    if faces_are_here():
        ferplus.show(current_dataset())


def _cut_short() -> None:
    """What became of an import that was under way when the app was killed."""
    swept = recently()
    if swept.imports or swept.uploads:
        names = ", ".join(map(plain, swept.imports)) or "an uploaded file"
        st.info(
            f"The app ended unexpectedly in the middle of an import ({names}). What had come in was deleted: import it "
            "again. Other datasets, trainings and annotations are as they were.",
            icon=":material/restart_alt:",
        )


def _upload() -> None:
    file = uploads.uploader(Place.DATA, "Your file", types=ARCHIVES, key="import.file")
    name = _name(uploads.file_name(file).split(".")[0] if file is not None else "fer2013")
    if st.button("Look at the file", type="primary", icon=":material/upload:", disabled=file is None) and file:
        cache = settings().cache_dir
        try:
            # Where it will end up is asked first: copying 500 MB takes a while.
            check_writable(settings().datasets_dir, "The dataset", DataError)
            with explained(f"The upload could not be written to {cache}", DataError):
                cache.mkdir(parents=True, exist_ok=True)
                folder = temporary_folder("upload", cache)
                path = folder / uploads.file_name(file)
                with path.open("wb") as target:
                    shutil.copyfileobj(file, target)
        except DataError as error:
            st.error(messages.told(error))
            return
        # Up to 500 MB of memory, which the import has on disk now.
        uploads.forget(file)
        _look_at(str(path), name, temporary=folder)
    _command("path/to/fer2013.csv.gz", name)


def _path() -> None:
    source = st.text_input(
        "Path of the file or folder",
        placeholder="/home/you/Downloads/fer2013.csv.gz",
        help="On the computer where this app runs.",
    ).strip()
    name = _name(Path(source).name.split(".")[0] or "fer2013")
    if st.button("Look at what is there", type="primary", icon=":material/folder_open:", disabled=not source):
        _look_at(str(Path(source).expanduser()), name)
    _command(source or "path/to/fer2013.csv.gz", name)


def _kaggle() -> None:
    st.markdown(
        "Downloads `msambare/fer2013`, about 60 MB, from Kaggle and imports it. This needs an internet connection. "
        "No account is needed as long as Kaggle gives out this public dataset to everybody; if it asks for one, "
        "put your API token into `~/.kaggle/kaggle.json` and try again."
    )
    name = _name("fer2013")
    if st.button("Download from Kaggle and import", type="primary", icon=":material/cloud_download:"):
        _import("kaggle", name)
    _command("kaggle", name)


def _name(suggestion: str) -> str:
    return st.text_input(
        "Name of the new dataset", value=suggestion, key=f"name-{suggestion}", help="Also the name of its folder."
    )


def _command(source: str, name: str) -> None:
    out = import_job.free_folder(name)
    shown = out.relative_to(Path.cwd()) if out.is_relative_to(Path.cwd()) else out
    st.expander("The same from the command line", icon=":material/terminal:").code(
        f'python -m fer_core data import "{source}" --out "{shown}"', language="shell", wrap_lines=True
    )


def _look_at(source: str, name: str, *, temporary: Path | None = None) -> None:
    try:
        import_job.start_look(source, name, temporary=temporary)
    except FerError as error:
        st.error(messages.told(error))
    else:
        st.rerun()


def _import(source: str, name: str) -> None:
    try:
        import_job.start_import(source, name)
    except FerError as error:
        st.error(messages.told(error))
    else:
        st.rerun()


def _progress(job: import_job.ImportJob) -> None:
    if job.state == "running":
        fragment(_bar, every=0.5)(job)
        if st.button("Stop the import", icon=":material/stop:"):
            import_job.stop(job)
            st.caption("Stopping.")
        return
    if job.state == "done":
        st.success(f"**{job.name}** is ready. {messages.told(job.message)}", icon=":material/check_circle:")
    elif job.state == "stopped":
        st.info(messages.told(job.message))
    else:
        st.error(f"**{job.name}** was not imported. {messages.told(job.message)}")
    if refused := st.session_state.pop(_REFUSED, None):
        st.error(messages.told(refused), icon=":material/block:")
    with st.container(horizontal=True, key="after-import"):
        if job.state == "done":
            st.button(
                "Look at its faces",
                type="primary",
                icon=":material/grid_view:",
                on_click=_look,
                args=(job.name,),
            )
            st.button(
                unmeasured.QUESTION,
                icon=":material/speed:",
                key="measure-imported",
                on_click=_measure,
                args=(job.name,),
            )
        st.button("Dismiss this message", on_click=import_job.dismiss)


def _bar(job: import_job.ImportJob) -> None:
    """How far the import is, read anew twice a second; its end redraws the page."""
    if job.state != "running":
        st.rerun()
    progress = job.progress
    if progress is None:
        st.progress(0.0, text=f"{plain(job.name)}: starting")
        return
    share = min(1.0, progress.done / progress.total) if progress.total else 0.0
    done, total, unit = float(progress.done), progress.total, progress.unit
    if unit == "bytes":
        done, total, unit = done / 1e6, round(total / 1e6) if total else None, "MB"
    of = f" of {total:,}" if total else ""
    left = f", {duration(progress.seconds_left)} left" if progress.seconds_left is not None else ""
    st.progress(share, text=f"{progress.message}: {done:,.0f}{of} {unit}{left}")


def _look(name: str) -> None:
    choose(name)
    import_job.dismiss()
    st.session_state["view"] = "Faces"


def _measure(name: str) -> None:
    """Choose the new faces and have all models measured on them; the page then shows how far that is."""
    choose(name)
    imported = known_data.look().get(name)
    if imported is None:
        return  # deleted meanwhile, by another hand
    try:
        unmeasured.measure(imported)
    except FerError as error:
        st.session_state[_REFUSED] = str(error)
