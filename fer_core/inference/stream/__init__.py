"""Faces in a stream of frames: found, followed, read by several models, smoothed, drawn. No Streamlit, no WebRTC.

:mod:`.pipeline` ties it together, one instance for each visitor; :mod:`.latest` runs it on the newest frame alone;
:mod:`.draw` and :mod:`.timeline` show what came out; :mod:`.video` does the same with a file.
"""
