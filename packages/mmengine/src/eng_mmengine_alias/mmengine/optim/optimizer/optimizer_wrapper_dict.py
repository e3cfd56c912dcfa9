"""Names of mmengine.optim.optimizer.optimizer_wrapper_dict, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.optim import OptimWrapper as OptimWrapper
    from eng.optim import OptimWrapperDict as OptimWrapperDict

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.optim": "OptimWrapper OptimWrapperDict",
    },
)
