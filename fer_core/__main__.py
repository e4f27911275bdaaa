"""``python -m fer_core``: the command line. See :mod:`fer_core.cli`."""

import sys


def _main() -> int:
    try:
        # Inside: loading takes long enough to be interrupted.
        from fer_core.cli import program

        return program()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(_main())
