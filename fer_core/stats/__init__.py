"""Arrays in, numbers out: scores, intervals, paired tests, calibration, curves, agreement, label issues."""
