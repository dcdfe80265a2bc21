"""The front door: the command `hub`."""

import sys

from hub.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
