"""List the classes and functions of all registries."""

from __future__ import annotations

from typing import Any, TypeAlias, TypedDict

from .discovery import import_advertised
from .registry import Registry

__all__ = ["count_registered_modules", "traverse_registry_tree"]


#: ``num_modules`` and ``scope`` of a registry, and its names by directory.
RegistrySummary: TypeAlias = "dict[str, Any]"


class ModuleStatistics(TypedDict):
    """Summaries of all registries by the name of their root, and the date."""

    scan_date: str
    registries: dict[str, list[RegistrySummary]]


def traverse_registry_tree(registry: Registry, verbose: bool = True) -> list[RegistrySummary]:
    """List the names registered in all registries of a tree.

    Args:
        registry: A registry of the tree; the report starts at the root.
        verbose: Whether to print a summary.

    Returns:
        One dict per registry: ``num_modules``, ``scope``, and the registered names by the
        directory of the module that defines them.
    """
    found: list[RegistrySummary] = []

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


def count_registered_modules(
    save_path: str | None = None, verbose: bool = True
) -> ModuleStatistics:
    """List the names registered in all root registries and their children.

    All modules that installed packages advertise are imported first.

    Args:
        save_path: Directory to write ``modules_statistic_results.json`` to. Default: not written.
        verbose: Whether to print a summary.

    Returns:
        The date under ``scan_date``, and under ``registries`` the result of
        :func:`traverse_registry_tree` for each root registry.
    """
    from datetime import datetime

    from . import root

    roots = {name: value for name, value in vars(root).items() if isinstance(value, Registry)}
    for registry in roots.values():
        import_advertised(registry.name)
    result: ModuleStatistics = {
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
