"""Faces: sources, the drawn sample and the dataset folder."""
