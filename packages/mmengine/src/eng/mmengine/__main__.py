"""Report which package answers `import mmengine`: `python -m eng.mmengine`."""

import sys

from .answer import report

if __name__ == "__main__":
    found = report()
    print(found)
    sys.exit(0 if found.answers == "eng" else 1)
