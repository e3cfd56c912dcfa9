"""Save and restore buffers that differ between ranks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from eng.dist import broadcast_object_list, get_rank, get_world_size
from eng.dl_utils import plain_name

__all__ = ["RankBuffers"]


class RankBuffers:
    """Buffers of a rank that differ from those of rank 0.

    A checkpoint has the weights of rank 0. Parameters are equal on all ranks, but buffers may
    differ: the running statistics of batch normalization come from the samples of each rank.
    Validation and a resumed run need those of each rank.

    Args:
        module: The module, possibly in a distributed wrapper.
    """

    def __init__(self, module: nn.Module) -> None:
        self._module = module

    def state_dict(self) -> dict[str, Tensor] | None:
        """Copy the buffers that differ from those of rank 0. Called in all processes.

        Returns:
            Copies on the CPU by name, without non-persistent buffers; None in a single process.
        """
        if get_world_size() == 1:
            return None
        own = {name: _hash(buffer) for name, buffer in _collect_buffers(self._module).items()}
        boxes = [own]
        broadcast_object_list(boxes)
        (first,) = boxes
        if get_rank() == 0:
            return {}
        return {
            name: buffer.detach().cpu().clone()
            for name, buffer in _collect_buffers(self._module).items()
            if own[name] != first.get(name)
        }

    def load_state_dict(self, state_dict: Mapping[str, Tensor]) -> None:
        """Restore the buffers of this rank.

        Args:
            state_dict: Buffers by name, as :meth:`state_dict` returned them. Unexpected names and
                size mismatches are ignored.
        """
        buffers = _collect_buffers(self._module)
        with torch.no_grad():
            for name, saved in state_dict.items():
                if name in buffers and buffers[name].shape == saved.shape:
                    buffers[name].copy_(saved)


def _collect_buffers(module: nn.Module) -> dict[str, Tensor]:
    """Return persistent buffers that are not sharded, by their names without wrappers."""
    return {
        plain_name(module, f"{prefix}.{name}" if prefix else name): buffer
        for prefix, part in module.named_modules()
        for name, buffer in part.named_buffers(recurse=False)
        if name not in part._non_persistent_buffers_set and not hasattr(buffer, "to_local")
    }


def _hash(tensor: Tensor) -> str:
    raw = tensor.detach().contiguous().cpu().flatten().view(torch.uint8).numpy()
    return hashlib.blake2b(raw.tobytes(), digest_size=16).hexdigest()
