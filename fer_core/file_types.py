"""What a file is by its first bytes, for messages that say what was brought and what to do with it.

Endings lie: phones and messengers name HEIC pictures ``.jpg``.
"""

from __future__ import annotations

HEAD = 512
"""Bytes of a file that :func:`what_to_do` wants to see."""

PICTURES: dict[str, tuple[str, ...]] = {
    "JPEG": ("jpg", "jpeg"),
    "PNG": ("png",),
    "WEBP": ("webp",),
    "BMP": ("bmp",),
    "GIF": ("gif",),
    "TIFF": ("tif", "tiff"),
}
"""The kinds of pictures that :func:`fer_core.photo.load_photo` reads, as Pillow calls them, and their endings. No
others: each kind more is one decoder more that strangers' files reach."""
PICTURE_ENDINGS = tuple(ending for endings in PICTURES.values() for ending in endings)
RAW_ENDINGS = ("dng", "cr2", "cr3", "nef", "arw", "raf", "orf", "rw2")
ODD_ENDINGS = (
    "heic",
    "heif",
    "avif",
    "jxl",
    "jp2",
    "j2k",
    "pgm",
    "ppm",
    "pbm",
    "pnm",
    "tga",
    "ico",
    "svg",
    "psd",
    "pdf",
    *RAW_ENDINGS,
)
"""Pictures, too, but of kinds that are not read."""

_EXPORT = "Open it in any picture program and export it as JPEG"
_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"), "HEIC"),
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    b"crx ": "raw",
}
_OLD_MOVIE = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
"""What QuickTime's files began with before they named their brand."""
_READ = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
)
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    *((b"P%d%c" % (number, blank), "PGM") for number in range(1, 7) for blank in b"\n\r \t"),
    (b"8BPS", "Photoshop"),
    (b"%PDF", "PDF"),
    (b"FUJIFILM", "raw"),
    (b"IIRO", "raw"),
    (b"IIU\x00", "raw"),
    (b"\x1aE\xdf\xa3", "video"),
    (b"PK\x03\x04", "zip"),
    (b"Rar!", "zip"),
    (b"7z\xbc\xaf", "zip"),
)


def what_to_do(head: bytes) -> str | None:
    """A sentence or two about a file that is no picture we read: what it is, and what to do. None if nobody knows.

    ``head``: its first bytes, at least :data:`HEAD` of them where it has so many. Ask only about what was not read as a
    picture: a TIFF is taken for a camera's raw file here.
    """
    kind = _kind(head)
    match kind:
        case "HEIC":
            return (
                f"It is a HEIC picture, as iPhones store them. {_EXPORT}; or let the iPhone take JPEG from now on: "
                "Settings, Camera, Formats, Most Compatible."
            )
        case "raw":
            return f"It is a camera's raw file. {_EXPORT}."
        case "AVIF" | "JPEG XL" | "JPEG 2000" | "PGM" | "Photoshop" | "SVG":
            article = "an" if kind in ("AVIF", "SVG") else "a"
            return f"It is {article} {kind} picture. {_EXPORT}."
        case "PDF":
            return "It is a PDF document. Take a screenshot of the picture in it, or export the page as JPEG."
        case "video":
            return "It is a video, not a picture: bring it as a video."
        case "zip":
            return "It is an archive. Unpack it, and bring the pictures in it."
        case "page":
            return "It is a web page, not a picture. Save the picture itself: right-click on it, “Save image as”."
        case _:
            return None


def what_picture(head: bytes) -> str:
    """The kind of picture that a file is by its first bytes, read here or not: ``PNG``. Empty for what is none."""
    for start, kind in _READ:
        if head.startswith(start):
            return kind
    return "WebP" if head.startswith(b"RIFF") and head[8:12] == b"WEBP" else odd_picture(head)


def odd_picture(head: bytes) -> str:
    """The same of pictures that are not read alone."""
    kind = _kind(head) or ""
    return kind if kind in ("HEIC", "AVIF", "JPEG XL", "Photoshop", "SVG", "JPEG 2000", "PGM") else ""


def is_video(head: bytes) -> bool:
    """Whether a file's first bytes are those of a common video container."""
    return _kind(head) == "video"


def _kind(head: bytes) -> str | None:
    if head[4:8] in _OLD_MOVIE:
        return "video"
    if head[4:8] == b"ftyp":
        # Of the ISO family: pictures name themselves, whatever else there is are videos.
        brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(len(head), _length(head)), 4))]
        return next((_BRANDS[brand] for brand in brands if brand in _BRANDS), "video")
    if head.startswith(b"RIFF"):
        return "video" if head[8:12] == b"AVI " else None
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head[:4] in (b"II*\x00", b"MM\x00*"):
        return "raw"  # TIFF's sisters: what Pillow does not read of them comes from a camera
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:400].lower()
    if text.startswith(b"<svg") or (text.startswith(b"<?xml") and b"<svg" in text):
        return "SVG"
    return "page" if text.startswith((b"<!doctype html", b"<html")) else None


def _length(head: bytes) -> int:
    """Bytes of the first box of an ISO file, which lists its brands."""
    return int.from_bytes(head[:4], "big")
