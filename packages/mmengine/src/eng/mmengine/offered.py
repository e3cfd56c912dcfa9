"""List the names of alias modules by reading their sources, without imports."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from .lazy import origins_in

__all__ = ["Offered", "Origin", "find_origin", "nearest", "offered_by", "split_path"]


@dataclass(frozen=True)
class Origin:
    """The origin of a name in eng.

    Attributes:
        module: Module of eng.
        name: Name in that module.
    """

    module: str
    name: str


@dataclass(frozen=True)
class Offered:
    """Names of a module of the alias.

    Attributes:
        origins: Origin of each name in eng.
        missing: Names that eng does not have, each with an alternative or an empty text.
        modules: Submodules.
    """

    origins: dict[str, Origin]
    missing: dict[str, str]
    modules: frozenset[str]


@cache
def offered_by(module: str) -> Offered | None:
    """Return the names of an alias module, None if the module does not exist.

    Args:
        module: Name of the module, such as ``"mmengine.hooks"``.
    """
    path = _find_source(module)
    if path is None:
        return None
    tree = ast.parse(path.read_text(encoding="utf-8"))
    (call,) = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    options = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
    homes: dict[str, str] = ast.literal_eval(call.args[1]) if len(call.args) > 1 else {}
    return Offered(
        {name: Origin(*origin) for name, origin in origins_in(homes).items()},
        options.get("missing", {}),
        frozenset(options.get("modules", "").split()),
    )


def _find_source(module: str) -> Path | None:
    path = Path(__file__).parents[2].joinpath("eng_mmengine_alias", *module.split("."))
    return next((p for p in (path / "__init__.py", path.with_suffix(".py")) if p.is_file()), None)


def find_origin(path: str) -> Origin | None:
    """Return the origin of a dotted path of mmengine in eng, None if eng does not have it.

    Examples:
        >>> find_origin("mmengine.hooks.ema_hook.EMAHook")
        Origin(module='eng.hooks', name='EMAHook')
    """
    module, rest = split_path(path)
    offered = offered_by(module)
    return None if offered is None or len(rest) != 1 else offered.origins.get(rest[0])


def split_path(path: str) -> tuple[str, list[str]]:
    """Split a dotted path into the longest alias module and the remaining names.

    A function takes precedence over a module of the same name.

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
    """Return the most similar name in an alias module."""
    offered = offered_by(module)
    known = [] if offered is None else [*offered.origins, *offered.modules]
    return next(iter(get_close_matches(name, known, n=1, cutoff=0.5)), None)
