"""Predictions, metrics, export: what makes a run folder complete."""
