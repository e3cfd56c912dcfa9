"""Types shared by several packages, and ``override`` for all versions of Python."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from typing_extensions import override
elif sys.version_info >= (3, 12):
    from typing import override
else:
    Method = TypeVar("Method")

    def override(method: Method) -> Method:
        """Mark a method that overrides one of a base class, as :func:`typing.override` does.

        Type checkers report a method that no base class has. It has no effect at run time.
        Python before 3.12 does not have it, and importing ``typing_extensions`` takes longer
        than importing the packages without torch.
        """
        return method


__all__ = ["DataBatch", "DataSample", "StateDict", "override"]

#: A batch as a data loader yields it: whatever its collate function returns.
DataBatch: TypeAlias = Any

#: A sample of a dataset, or what a model or a pipeline makes of one.
DataSample: TypeAlias = Any

#: The state of an object by name, as its ``state_dict`` returns it.
StateDict: TypeAlias = "dict[str, Any]"
