"""Lessons that lead over the app's pages: plain files that a teacher writes, read without trust."""
