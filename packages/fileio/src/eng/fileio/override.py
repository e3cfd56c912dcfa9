"""``override`` for all versions of Python; this package does not depend on eng-utils."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from typing_extensions import override
elif sys.version_info >= (3, 12):
    from typing import override
else:
    Method = TypeVar("Method")

    def override(method: Method) -> Method:
        """Mark a method that overrides one of a base class, as :func:`typing.override` does."""
        return method


__all__ = ["override"]
