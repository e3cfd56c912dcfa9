"""Buffers of a module that differ between processes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from eng.dist import broadcast_object_list, get_rank, get_world_size
from eng.dl_utils import plain_name

__all__ = ["RankBuffers"]


class RankBuffers:
    """What the buffers of a process have that those of the first one do not.

    A checkpoint holds the weights of the first process. Parameters are the same in all of them, but
    buffers may not be: the running statistics of batch normalisation are those of the samples that
    each process has seen. Validation and a resumed run need each process' own.

    Args:
        module: The module, possibly wrapped for several processes.
    """

    def __init__(self, module: nn.Module) -> None:
        self._module = module

    def state_dict(self) -> dict[str, Tensor] | None:
        """Copy the buffers that differ from those of the first process. Called in all processes.

        Returns:
            Copies on the CPU by name; None in a single process. Buffers that are not saved in
            checkpoints are left out.
        """
        if get_world_size() == 1:
            return None
        own = {name: _digest(buffer) for name, buffer in _buffers_of(self._module).items()}
        boxes = [own]
        broadcast_object_list(boxes)
        (first,) = boxes
        if get_rank() == 0:
            return {}
        return {
            name: buffer.detach().cpu().clone()
            for name, buffer in _buffers_of(self._module).items()
            if own[name] != first.get(name)
        }

    def load_state_dict(self, state_dict: Mapping[str, Tensor]) -> None:
        """Put this process' own buffers back.

        Args:
            state_dict: What :meth:`state_dict` returned. A buffer that is missing here, or of
                another shape, stays as it is.
        """
        buffers = _buffers_of(self._module)
        with torch.no_grad():
            for name, saved in state_dict.items():
                if name in buffers and buffers[name].shape == saved.shape:
                    buffers[name].copy_(saved)


def _buffers_of(module: nn.Module) -> dict[str, Tensor]:
    """Buffers that are saved, whole in this process, by the names that they have unwrapped."""
    return {
        plain_name(module, f"{prefix}.{name}" if prefix else name): buffer
        for prefix, part in module.named_modules()
        for name, buffer in part.named_buffers(recurse=False)
        if name not in part._non_persistent_buffers_set and not hasattr(buffer, "to_local")
    }


def _digest(tensor: Tensor) -> str:
    raw = tensor.detach().contiguous().cpu().flatten().view(torch.uint8).numpy()
    return hashlib.blake2b(raw.tobytes(), digest_size=16).hexdigest()
