"""Read the arguments that a class or function takes."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
import types
import typing
from collections.abc import Callable
from typing import Any, NamedTuple

from eng.utils import read_hints

__all__ = ["Parameters", "read_parameters"]

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_Function = Callable[..., Any]


class Parameters(NamedTuple):
    """Arguments that a class or function takes by name.

    Attributes:
        named: Those that are known, by name, without annotations that cannot be resolved.
        required: Those without a default.
        is_open: Whether others may be accepted as well: there is ``**kwargs`` whose use is unknown,
            or no signature.
    """

    named: dict[str, inspect.Parameter]
    required: tuple[str, ...]
    is_open: bool

    @property
    def first(self) -> str | None:
        """Name of the first argument."""
        return next(iter(self.named), None)


def read_parameters(target: _Function) -> Parameters:
    """Read the arguments that a class or function takes.

    ``**kwargs`` that a constructor only passes on to ``super().__init__`` are those of the next
    class.

    Args:
        target: The class or function.
    """
    if not isinstance(target, type):
        return _read_function(target)
    is_made_elsewhere = _find_owner(target, "__new__") not in (object, typing.Generic)
    if is_made_elsewhere or _find_owner(type(target), "__call__") is not type:
        return _open(target)
    named: dict[str, inspect.Parameter] = {}
    required: tuple[str, ...] | None = None
    is_open = False
    for owner in target.__mro__:
        init = vars(owner).get("__init__")
        if not isinstance(init, types.FunctionType):
            if init is None:
                continue
            return Parameters(named, required or (), is_open or owner is not object)
        own = _read_function(init, skip=1)
        named = {**own.named, **named}
        required = own.required if required is None else required
        if not own.is_open:
            return Parameters(named, required, is_open)
        is_open = is_open or not _only_passes_on(init)
    return Parameters(named, required or (), True)


def _open(target: _Function) -> Parameters:
    """Return what is known of the arguments of a class that is not made in the usual way."""
    return _read_function(target)._replace(required=(), is_open=True)


def _read_function(function: _Function, skip: int = 0) -> Parameters:
    try:
        # Not that of a wrapped function: the wrapper may take others, such as older names.
        parameters = inspect.signature(function, follow_wrapped=False).parameters.values()
    except (TypeError, ValueError):  # written in C
        return Parameters({}, (), True)
    hints = _read_hints(function)
    named = {
        each.name: each.replace(annotation=hints.get(each.name, inspect.Parameter.empty))
        for each in list(parameters)[skip:]
        if each.kind in _NAMED
    }
    required = tuple(name for name, each in named.items() if each.default is each.empty)
    is_open = any(each.kind is each.VAR_KEYWORD for each in parameters)
    return Parameters(named, required, is_open)


def _read_hints(function: _Function) -> dict[str, Any]:
    while isinstance(function, functools.partial):
        function = function.func
    return {} if isinstance(function, type) else read_hints(function)


def _find_owner(cls: type, name: str) -> type | None:
    return next((each for each in cls.__mro__ if name in vars(each)), None)


@functools.lru_cache(maxsize=512)
def _only_passes_on(init: types.FunctionType) -> bool:
    """Return whether ``**kwargs`` of a constructor are only passed to ``super().__init__``."""
    if hasattr(init, "__wrapped__"):
        return False
    name = next(
        each.name
        for each in inspect.signature(init).parameters.values()
        if each.kind is each.VAR_KEYWORD
    )
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(init)))
    except Exception:  # typed at a prompt, generated, or changed since it was imported
        return False
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name]
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_super(node)]
    passed = [keyword.value for call in calls for keyword in call.keywords if keyword.arg is None]
    return len(uses) == 1 and uses[0] in passed


def _is_super(call: ast.Call) -> bool:
    return ast.unparse(call.func) == "super().__init__"
