"""List the versions of installed packages, without importing them."""

from __future__ import annotations

import ast
import platform
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path

__all__ = ["versions"]


def versions() -> str:
    """Return the versions of all eng packages, Python, torch and CUDA, one per line."""
    found = {
        dist.metadata["Name"].replace("_", "-"): dist.version
        for dist in distributions()
        if (dist.metadata["Name"] or "").replace("_", "-").startswith("eng-")
    }
    lines = [f"{name} {found[name]}" for name in sorted(found)]
    return "\n".join([*lines, f"Python {platform.python_version()}", *_read_torch_versions()])


def _read_torch_versions() -> list[str]:
    """Read the versions of torch and CUDA from a file of torch, whose import takes seconds."""
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
        f"torch {values.get('__version__', '(unknown version)')}",
        f"{kind} {cuda}" if cuda else "no CUDA (torch is built for the CPU)",
    ]
