"""Why did a model say so, and can the explanation be trusted? NumPy, OpenCV and any function that predicts."""
