"""What ``python -m eng.cli`` runs."""

import sys

from .main import main

if __name__ == "__main__":
    sys.exit(main())
