"""Millions of pictures and videos through the models, into Parquet: on one core, on all of them, or on a cluster."""
