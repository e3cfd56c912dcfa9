"""Read the ``.metadata`` of torch.distributed.checkpoint without executing code from it."""

from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING

import torch

from eng.utils import override

from .errors import CheckpointError

if TYPE_CHECKING:
    from torch.distributed.checkpoint.metadata import Metadata

__all__ = ["parse_metadata"]

_PACKAGE = "torch.distributed.checkpoint"
#: Classes by their modules; those of data alone, whose construction has no effect.
_ALLOWED = {
    f"{_PACKAGE}.metadata": {
        "BytesStorageMetadata",
        "ChunkStorageMetadata",
        "Metadata",
        "MetadataIndex",
        "StorageMeta",
        "TensorProperties",
        "TensorStorageMetadata",
        "_MEM_FORMAT_ENCODING",
    },
    f"{_PACKAGE}.filesystem": {"_StorageInfo"},
    "torch": {"Size"},
    "torch.serialization": {"_get_layout"},
    "collections": {"OrderedDict"},
    "pathlib": {"PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath", "Path"},
    "pathlib._local": {"PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath", "Path"},
}


def parse_metadata(content: bytes, filename: str) -> Metadata:
    """Parse the index of the tensors in a folder.

    Args:
        content: Content of the file ``.metadata``, a pickle.
        filename: Its name, for messages.

    Returns:
        The index.

    Raises:
        CheckpointError: If it is corrupt, or has any class but those of such an index.
    """
    from torch.distributed.checkpoint.metadata import Metadata

    try:
        found = _Reader(io.BytesIO(content)).load()
    except CheckpointError as error:
        raise CheckpointError(f"{filename!r} is not the index of a checkpoint: {error}") from error
    except Exception as error:  # unpickling corrupt bytes may raise anything
        reason = f"{type(error).__name__}: {error}"
        raise CheckpointError(f"{filename!r} is corrupt ({reason})") from error
    if not isinstance(found, Metadata):
        raise CheckpointError(f"{filename!r} has a {type(found).__name__}, not an index of tensors")
    return found


class _Reader(pickle.Unpickler):
    @override
    def find_class(self, module: str, name: str) -> object:
        is_dtype = module == "torch" and isinstance(getattr(torch, name, None), torch.dtype)
        if is_dtype or name in _ALLOWED.get(module, ()):
            return super().find_class(module, name)
        raise CheckpointError(f"it contains {module}.{name}, which could execute arbitrary code")
