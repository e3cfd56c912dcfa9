"""Names of mmengine.fileio.backends.petrel_backend, from eng.

Written by scripts/update_mmengine.py.
"""

from typing import TYPE_CHECKING

from eng.mmengine.lazy import offer

if TYPE_CHECKING:
    from eng.fileio import BaseStorageBackend as BaseStorageBackend
    from eng.fileio import PetrelBackend as PetrelBackend
    from eng.utils import has_method as has_method

__all__, __getattr__, __dir__ = offer(
    __name__,
    {
        "eng.fileio": "BaseStorageBackend PetrelBackend",
        "eng.utils": "has_method",
    },
)
