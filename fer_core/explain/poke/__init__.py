"""Changing a face step by step, in links and with undo, and the smallest patch that flips an answer."""
