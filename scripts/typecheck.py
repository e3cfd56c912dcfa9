"""Run mypy over every package, as parts of the one `eng` namespace."""

import subprocess
import sys

from workspace import PACKAGES

wanted = sys.argv[1:] or PACKAGES
modules = [f"eng.{name}" for name in wanted]
if "mmengine" in wanted:
    modules.append("mmengine")  # the alias; see mypy_path in the root pyproject.toml
command = [sys.executable, "-m", "mypy", *(part for name in modules for part in ("-p", name))]
sys.exit(subprocess.call(command))
