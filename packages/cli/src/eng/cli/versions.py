"""The versions of what is installed, without importing any of it."""

from __future__ import annotations

import ast
import platform
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path

__all__ = ["versions"]


def versions() -> str:
    """Return a line for each package of eng, and for Python, torch and CUDA."""
    found = {
        dist.metadata["Name"].replace("_", "-"): dist.version
        for dist in distributions()
        if (dist.metadata["Name"] or "").replace("_", "-").startswith("eng-")
    }
    lines = [f"{name} {found[name]}" for name in sorted(found)]
    return "\n".join([*lines, f"Python {platform.python_version()}", *_torch_lines()])


def _torch_lines() -> list[str]:
    """Torch's and CUDA's version, as its version file has them; importing it takes seconds."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return ["torch is not installed"]
    path = Path(spec.origin).with_name("version.py")
    values: dict[str, object] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        else:
            continue
        if isinstance(node.value, ast.Constant):
            values |= {t.id: node.value.value for t in targets if isinstance(t, ast.Name)}
    cuda = values.get("cuda") or values.get("hip")
    kind = "ROCm" if values.get("hip") else "CUDA"
    return [
        f"torch {values.get('__version__', 'of an unknown version')}",
        f"{kind} {cuda}" if cuda else "no CUDA (torch is built for the CPU)",
    ]
