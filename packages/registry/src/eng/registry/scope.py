"""Default scope of names without a scope."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import TypeAlias

from eng.utils import ManagerMixin, override

__all__ = ["ROOT_SCOPE", "DefaultScope", "canonical", "init_default_scope"]

ROOT_SCOPE = "eng"
# Name of the root scope in configs of the OpenMMLab family.
_ALIASES = {"mmengine": ROOT_SCOPE}

_ages = itertools.count()
# With the table of its time: `DefaultScope.isolated` hides it as it hides those in the table.
_Overwritten: TypeAlias = "tuple[DefaultScope | None, dict[str, DefaultScope] | None]"
_overwritten: ContextVar[_Overwritten] = ContextVar("default_scope", default=(None, None))


class DefaultScope(ManagerMixin):
    """Scope of the current task, available from anywhere.

    Args:
        name: Name of this instance.
        scope_name: Scope of the task, such as ``"mmdet"``.

    Raises:
        TypeError: ``scope_name`` is not a string.

    Examples:
        >>> DefaultScope.get_instance("task", scope_name="mmdet").scope_name
        'mmdet'
    """

    def __init__(self, name: str, scope_name: str) -> None:
        super().__init__(name)
        if not isinstance(scope_name, str):
            raise TypeError(f"scope_name should be a string, but got {scope_name!r}")
        self._scope_name = scope_name
        self._age = next(_ages)

    @property
    def scope_name(self) -> str:
        """Scope of the task."""
        return self._scope_name

    @classmethod
    @override
    def get_current_instance(cls) -> DefaultScope | None:  # type: ignore[override]
        """Return the default scope that was created or overwritten last, or None."""
        temporary, table = _overwritten.get()
        if table is not DefaultScope._instance_dict:
            temporary = None
        if not cls._instance_dict:
            return temporary
        created = super().get_current_instance()
        if temporary is None or created._age > temporary._age:
            return created
        return temporary

    @classmethod
    @contextmanager
    def overwrite_default_scope(cls, scope_name: str | None) -> Iterator[None]:
        """Overwrite the default scope within a ``with`` block.

        Blocks may be nested. Other threads and asynchronous tasks are not affected.

        Args:
            scope_name: The scope; ``None`` leaves the default scope unchanged.
        """
        if scope_name is None:
            yield
            return
        scope = cls(f"overwrite-{scope_name}", scope_name)
        token = _overwritten.set((scope, DefaultScope._instance_dict))
        try:
            yield
        finally:
            _overwritten.reset(token)


def init_default_scope(scope: str) -> None:
    """Set the default scope of this process.

    Replacing another default scope is reported by a warning.

    Args:
        scope: The scope, such as ``"mmdet"``.
    """
    current = DefaultScope.get_current_instance()
    if current is not None and current.scope_name == scope:
        return
    if not DefaultScope.check_instance_created(scope):
        DefaultScope.get_instance(scope, scope_name=scope)
        return
    if current is not None and canonical(current.scope_name) != canonical(scope):
        warnings.warn(
            f'The current default scope "{current.scope_name}" is not "{scope}"; '
            f'init_default_scope sets it to "{scope}".',
            stacklevel=2,
        )
    name = f"{scope}-{datetime.now()}"
    while DefaultScope.check_instance_created(name):  # a coarse clock
        name += "'"
    DefaultScope.get_instance(name, scope_name=scope)


def canonical(scope: str) -> str:
    """Resolve an alias of a scope; other scopes are returned unchanged."""
    return _ALIASES.get(scope, scope)
