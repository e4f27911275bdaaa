"""On the path of trainings that a test has an engine start: a network of four channels, which trains in a moment."""

import sys

if sys.orig_argv[1:4] == ["-m", "fer_core", "train"]:
    from fer_core.zoo import custom_cnn

    custom_cnn.WIDTHS = (4,)
