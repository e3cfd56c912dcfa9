"""Run the eng command by ``python -m eng.cli``."""

import sys

from .main import main

if __name__ == "__main__":
    sys.exit(main())
