"""Live: what to do where the camera does not come through, in plain words."""

from __future__ import annotations

import os
from importlib.util import find_spec
from urllib.parse import urlsplit

import streamlit as st

from fer_core.inference.stream.connection import Connection, ConnectionStage
from pages.parts import frame
from pages.parts.live.camera import ICE_VARIABLE

PROVIDERS = {
    "Cloudflare": ("CLOUDFLARE_TURN_KEY_ID", "CLOUDFLARE_TURN_KEY_API_TOKEN"),
    "Twilio": ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"),
    "Hugging Face": ("HF_TOKEN",),
}
"""The variables that streamlit-webrtc reads, in its order; the first provider that is complete is asked."""


def address_of_page() -> str:
    """What the browser's address field shows; empty where Streamlit does not know."""
    return str(st.context.url or "")


def is_secure(address: str) -> bool:
    """Whether browsers give a page at this address a camera: https, or this very computer. An unknown one may be."""
    if not address:
        return True
    parts = urlsplit(address)
    host = (parts.hostname or "").lower()
    return parts.scheme == "https" or host in {"localhost", "127.0.0.1", "::1"} or host.endswith(".localhost")


def turn_state() -> tuple[str | None, list[str]]:
    """The provider whose credentials are complete, or None; and a sentence for each that is half there."""
    found, problems = None, []
    for name, variables in PROVIDERS.items():
        there = [variable for variable in variables if os.environ.get(variable)]
        missing = [variable for variable in variables if variable not in there]
        if there and missing:
            problems.append(f"`{there[0]}` is set, but `{missing[0]}` is not, so {name} is not used.")
        elif there and name == "Twilio" and find_spec("twilio") is None:
            problems.append("Twilio's credentials are set, but its package is missing: run `pip install twilio`.")
        elif there and found is None:
            found = name
    return found, problems


def likely(state: Connection, address: str) -> list[str]:
    """What is probably wrong, the likeliest first, one sentence each."""
    if not is_secure(address):
        return ["This page is not served over **https**, so your browser hides the camera from it."]
    if state.stage is ConnectionStage.STALLED:
        return [
            "The connection works, but no new picture comes. Is the camera covered, in use by another program, or the "
            "computer asleep? Press Stop, then start again."
        ]
    if state.agreed:
        return [
            "Browser and server are connected, but no picture comes through. Another program may hold the camera. "
            "Close it, press Stop, and start again."
        ]
    provider, problems = turn_state()
    if os.environ.get(ICE_VARIABLE, "").strip():
        return [
            f"`{ICE_VARIABLE}` is set on this server. Are those connection servers right, and can you reach them?",
            "A firewall or a VPN may block the video on the way.",
        ]
    if provider is None:
        return [
            *problems,
            "Your browser and this server found no way to each other. A firewall, a VPN or a hosting service lies "
            "between them, and this server has **no TURN server** set up that could pass the video on. How to set one "
            "up is below.",
        ]
    return [
        *problems,
        f"{provider}'s TURN credentials are set, but the video still finds no way. Are they valid, and not expired? "
        "The server's log has a line with the reason. A VPN or a strict firewall may also block it.",
    ]


def other_inputs() -> None:
    """The equal ways in."""
    with st.container(horizontal=True):
        frame.link("photo", "Take one picture", icon=":material/photo_camera:", query={"way": "Camera"})
        frame.link("photo", "Upload pictures", icon=":material/upload:", query={"way": "Upload"})
        frame.link("photo", "Upload a video", icon=":material/movie:", query={"way": "Video"})


def show(state: Connection, address: str) -> None:
    """The help, closed; it opens by itself, with what is likely wrong, when there is trouble."""
    trouble = state.stage.is_trouble
    with st.expander("Connection help", expanded=trouble, icon=":material/help:"):
        if trouble:
            for sentence in likely(state, address):
                st.markdown(f"- {sentence}")
        st.markdown(GUIDE)
        provider, problems = turn_state()
        if provider is None:
            st.markdown("This server: no TURN credentials are set." + "".join(f" {problem}" for problem in problems))
        else:
            st.markdown(f"This server: {provider}'s credentials are set.")
        st.markdown(SECRETS)
        st.code(EXAMPLE, language="toml")
        st.markdown("**Without a live camera** the same models look at a picture or a video:")
        other_inputs()


GUIDE = """
**You need three things.**

1. **https.** Browsers show a camera only to pages that come over https, or from your own computer (`localhost`).
2. **Permission.** Click the camera sign beside the address, choose *Allow*, and load the page again. On a phone, also
   look in the system's settings for the browser. No question came? Then the answer was given before, and was no.
3. **A way for the video.** On your own computer and at home there is one. Between you and a hosting service such as
   Streamlit Community Cloud there is often none, and a *TURN server* has to pass the video on. Whoever runs this app
   sets it up once.
"""
SECRETS = """
**For whoever runs this app.** Put the credentials of *one* of these at the root of the app's secrets
(`.streamlit/secrets.toml`, or *Settings → Secrets* on Community Cloud), not under a `[heading]`, and start the app
again. Environment variables of the same names work, too. Twilio also needs `pip install twilio`.
"""
EXAMPLE = """# Cloudflare Realtime: dash.cloudflare.com, Realtime, TURN server
CLOUDFLARE_TURN_KEY_ID = "…"
CLOUDFLARE_TURN_KEY_API_TOKEN = "…"

# or Twilio: console.twilio.com, Account Info
TWILIO_ACCOUNT_SID = "…"
TWILIO_AUTH_TOKEN = "…"

# or Hugging Face: huggingface.co/settings/tokens, a token that may read
HF_TOKEN = "…"
"""
