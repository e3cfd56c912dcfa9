"""What is registered where."""

from __future__ import annotations

from typing import Any

from .discovery import import_advertised
from .registry import Registry

__all__ = ["count_registered_modules", "traverse_registry_tree"]


def traverse_registry_tree(registry: Registry, verbose: bool = True) -> list[dict[str, Any]]:
    """Collect what is registered in all registries of a tree.

    Args:
        registry: Any registry of the tree; the report begins at the root.
        verbose: Whether to print what is found.

    Returns:
        One dict for each registry: ``num_modules``, ``scope``, and the names registered, listed
        under the folder of the module that defines them.
    """
    found: list[dict[str, Any]] = []

    def visit(node: Registry) -> None:
        folders: dict[str, list[str]] = {}
        for name, value in node._list_items().items():
            folder = "/".join(str(getattr(value, "__module__", "")).split(".")[:-1])
            folders.setdefault(folder, []).append(name)
        found.append({"num_modules": len(node), "scope": node.scope, **folders})
        for child in list(node.children.values()):
            visit(child)

    root = registry.root
    visit(root)
    if verbose:
        count = sum(node["num_modules"] for node in found)
        print(f"{root.name}: {count} modules in {len(found)} registries")
        for node in found:
            print(f"  {node['scope']}::{root.name}: {node['num_modules']} modules")
            for folder, names in node.items():
                if isinstance(names, list):
                    print(f"    {folder or '(top level)'}: {', '.join(names)}")
    return found


def count_registered_modules(save_path: str | None = None, verbose: bool = True) -> dict[str, Any]:
    """Collect what is registered in all root registries and those below them.

    Everything that installed packages advertise is imported first.

    Args:
        save_path: Folder to write ``modules_statistic_results.json`` into. Default: nothing is
            written.
        verbose: Whether to print what is found.

    Returns:
        The date under ``scan_date``, and under ``registries`` what
        :func:`traverse_registry_tree` gives for each root registry.
    """
    from datetime import datetime

    from . import root

    roots = {name: value for name, value in vars(root).items() if isinstance(value, Registry)}
    for registry in roots.values():
        import_advertised(registry.name)
    result = {
        "scan_date": datetime.now().strftime("%Y-%m-%d-%H:%M:%S"),
        "registries": {
            name: traverse_registry_tree(roots[name], verbose) for name in sorted(roots)
        },
    }
    if save_path is not None:
        import json
        from pathlib import Path

        path = Path(save_path, "modules_statistic_results.json")
        path.write_text(json.dumps(result, indent=2), encoding="utf-8")
        if verbose:
            print(f"Result has been saved to {path}")
    return result
