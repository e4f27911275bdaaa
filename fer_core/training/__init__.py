"""Training: recipe, augmentation, the loop and the jobs that run it in child processes."""
