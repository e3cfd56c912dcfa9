"""Keeping old argument names working while they are on their way out."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from .errors import ArgumentTypeError

__all__ = ["deprecated_api_warning"]

F = TypeVar("F", bound=Callable[..., Any])


def deprecated_api_warning(
    name_dict: Mapping[str, str], cls_name: str | None = None
) -> Callable[[F], F]:
    """Return a decorator that renames deprecated arguments and warns about each.

    Args:
        name_dict: Deprecated argument name to the name that replaced it.
        cls_name: Class that the decorated method belongs to; it is only used in the warning.

    Returns:
        A decorator. The function it returns raises ``TypeError`` when a caller gives an argument
        under both its old and its new name, since one of the two values would be lost.

    Examples:
        >>> @deprecated_api_warning({"lr": "learning_rate"})
        ... def train(learning_rate=0.1):
        ...     return learning_rate
    """
    import inspect

    def decorate(func: F) -> F:
        label = f"{cls_name}.{func.__name__}" if cls_name else func.__name__
        # A function may still declare the old name, so that it can arrive by position too.
        positional = inspect.getfullargspec(func).args

        @functools.wraps(func)
        def renamed(*args: Any, **kwargs: Any) -> Any:
            given = positional[: len(args)]
            moved: dict[str, Any] = {}
            for old, new in name_dict.items():
                if old in kwargs:
                    moved[new] = kwargs.pop(old)
                elif old in given and new in positional:
                    index = given.index(old)
                    if positional.index(new) != index:
                        moved[new] = args[index]
                        default = inspect.signature(func).parameters[old].default
                        args = (*args[:index], default, *args[index + 1 :])
                else:
                    continue
                warnings.warn(
                    f'"{old}" is deprecated in `{label}`, please use "{new}" instead',
                    DeprecationWarning,
                    stacklevel=2,
                )
                if new in kwargs or (new in moved and new in given):
                    raise ArgumentTypeError(
                        f'`{label}` got both "{old}" and "{new}"; "{old}" is the deprecated name '
                        f'of "{new}", give only "{new}"'
                    )
            return func(*args, **kwargs, **moved)

        return renamed  # type: ignore[return-value]

    return decorate
