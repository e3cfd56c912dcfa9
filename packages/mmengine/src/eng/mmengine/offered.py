"""Names that the modules of the alias offer, read from their sources without importing anything."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

import eng.mmengine

from .lazy import origins_in

__all__ = ["Offered", "Origin", "find_origin", "nearest", "offered_by", "split_path"]


@dataclass(frozen=True)
class Origin:
    """Where eng has a name.

    Attributes:
        module: Module of eng.
        name: Name there.
    """

    module: str
    name: str


@dataclass(frozen=True)
class Offered:
    """Names of a module of the alias.

    Attributes:
        origins: Where eng has each name.
        missing: Names that eng lacks, each with what to do instead, or an empty text.
        modules: Sub-modules.
    """

    origins: dict[str, Origin]
    missing: dict[str, str]
    modules: frozenset[str]


@cache
def offered_by(module: str) -> Offered | None:
    """Return what a module of the alias offers, and None where the alias has no such module.

    Args:
        module: Its name, such as ``"mmengine.hooks"``.
    """
    path = _source(module)
    if path is None:
        return None
    tree = ast.parse(path.read_text(encoding="utf-8"))
    (call,) = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    given = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
    homes: dict[str, str] = ast.literal_eval(call.args[1]) if len(call.args) > 1 else {}
    return Offered(
        {name: Origin(*origin) for name, origin in origins_in(homes).items()},
        given.get("missing", {}),
        frozenset(given.get("modules", "").split()),
    )


def _source(module: str) -> Path | None:
    path = Path(eng.mmengine.__file__).parents[2].joinpath("eng_mmengine_alias", *module.split("."))
    return next((p for p in (path / "__init__.py", path.with_suffix(".py")) if p.is_file()), None)


def find_origin(path: str) -> Origin | None:
    """Return where eng has what a dotted path of mmengine leads to, None where it has nothing.

    Examples:
        >>> find_origin("mmengine.hooks.ema_hook.EMAHook")
        Origin(module='eng.hooks', name='EMAHook')
    """
    module, rest = split_path(path)
    offered = offered_by(module)
    return None if offered is None or len(rest) != 1 else offered.origins.get(rest[0])


def split_path(path: str) -> tuple[str, list[str]]:
    """Split a dotted path into the longest module that the alias has, and what comes behind it.

    A function takes the place of a module that has the same name.

    Examples:
        >>> split_path("mmengine.fileio.load")
        ('mmengine.fileio', ['load'])
    """
    module, *rest = path.split(".")
    while rest:
        offered = offered_by(module)
        if offered is None or rest[0] in offered.origins or rest[0] not in offered.modules:
            break
        module = f"{module}.{rest.pop(0)}"
    return module, rest


def nearest(module: str, name: str) -> str | None:
    """Return the nearest name that a module of the alias offers."""
    offered = offered_by(module)
    known = [] if offered is None else [*offered.origins, *offered.modules]
    return next(iter(get_close_matches(name, known, n=1, cutoff=0.5)), None)
