"""Sweeps: one recipe trained with many choices, in a folder that names its runs; read and checked without an engine."""
