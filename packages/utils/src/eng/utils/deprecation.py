"""Deprecate arguments and functions, which keep working with a warning."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from typing import TypeVar

from .errors import ArgumentTypeError

__all__ = ["deprecated_api_warning", "deprecated_function"]

F = TypeVar("F", bound=Callable[..., object])


def deprecated_api_warning(
    name_dict: Mapping[str, str], cls_name: str | None = None
) -> Callable[[F], F]:
    """Return a decorator that renames deprecated arguments and warns about each.

    Args:
        name_dict: New argument names by their deprecated names.
        cls_name: Class of the decorated method, for the warning.

    Returns:
        A decorator. The decorated function raises ``TypeError`` if an argument is passed under
        both its old and its new name, since one of the two values would be lost.

    Examples:
        >>> @deprecated_api_warning({"lr": "learning_rate"})
        ... def train(learning_rate=0.1):
        ...     return learning_rate
    """
    import inspect

    def decorate(func: F) -> F:
        label = f"{cls_name}.{func.__name__}" if cls_name else func.__name__
        # A function may still declare the old name, so that it may be passed by position too.
        positional = inspect.getfullargspec(func).args

        @functools.wraps(func)
        def renamed(*args: object, **kwargs: object) -> object:
            given = positional[: len(args)]
            moved: dict[str, object] = {}
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
                        f'of "{new}", pass only "{new}"'
                    )
            return func(*args, **kwargs, **moved)

        return renamed  # type: ignore[return-value]

    return decorate


def deprecated_function(since: str, removed_in: str, instructions: str) -> Callable[[F], F]:
    """Return a decorator that warns at each call of a deprecated function.

    Args:
        since: Version in which it was deprecated.
        removed_in: Version in which it will be removed.
        instructions: Replacement, such as ``"use train"``.

    Returns:
        A decorator, which also adds a Sphinx directive to the docstring.

    Examples:
        >>> @deprecated_function("1.0", "2.0", "use train")
        ... def fit():
        ...     pass
    """

    def decorate(func: F) -> F:
        import inspect

        name = f"{func.__module__}.{func.__qualname__}"
        text = f"{instructions.rstrip('.')}."

        @functools.wraps(func)
        def warned(*args: object, **kwargs: object) -> object:
            warnings.warn(
                f"{name} is deprecated in version {since} and will be removed in version "
                f"{removed_in}: {text}",
                DeprecationWarning,
                stacklevel=2,
            )
            return func(*args, **kwargs)

        docs = inspect.getdoc(func) or ""
        note = (
            f".. deprecated:: {since}\n    Deprecated and will be removed in version {removed_in}."
        )
        warned.__doc__ = f"{note}\n    {text}\n\n{docs}".rstrip()
        return warned  # type: ignore[return-value]

    return decorate
