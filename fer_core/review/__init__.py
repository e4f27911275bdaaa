"""What people find when they look at faces: marks, kept for good, and selections to take away."""
