"""Plotly figures and contact sheets from plain arrays. No Streamlit here."""
