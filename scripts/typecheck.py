"""Run mypy over every package, as parts of the one `eng` namespace."""

import subprocess
import sys

from workspace import PACKAGES

wanted = sys.argv[1:] or PACKAGES
command = [sys.executable, "-m", "mypy", *(part for n in wanted for part in ("-p", f"eng.{n}"))]
sys.exit(subprocess.call(command))
