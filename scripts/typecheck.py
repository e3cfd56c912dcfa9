"""Run mypy over every package, as parts of the one `eng` namespace."""

import subprocess
import sys
from pathlib import Path

names = sorted(p.parent.name for p in Path("packages").glob("*/pyproject.toml"))
wanted = sys.argv[1:] or names
command = [sys.executable, "-m", "mypy", *(part for n in wanted for part in ("-p", f"eng.{n}"))]
sys.exit(subprocess.call(command))
