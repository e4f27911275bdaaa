"""Faces made worse, and how many answers survive."""
