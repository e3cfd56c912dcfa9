"""Run the eng command by ``python -m eng.cli``."""

import os
import sys

from .main import main

if __name__ == "__main__":
    # As for the command eng, the current directory does not shadow libraries.
    if not getattr(sys.flags, "safe_path", False) and sys.path[:1] == [os.getcwd()]:  # noqa: PTH109
        del sys.path[0]
    sys.exit(main())
