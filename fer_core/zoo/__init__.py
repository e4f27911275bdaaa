"""Architectures: registry, builders, class maps, layer tables and diagrams."""
