"""The run folder, its journal, its card, and listing runs."""
