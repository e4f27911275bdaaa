"""Faces made worse in nine ways, and how many answers survive."""
