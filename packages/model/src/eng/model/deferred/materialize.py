"""Give a sharded model the values of its first process, one tensor after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from eng.dist import broadcast, is_main_process
from eng.dl_utils import plain_name, unwrap

from ..initial_values import share_initial_values
from .operations import Place, Scratch
from .recording import Recording

if TYPE_CHECKING:
    from torch.distributed.tensor import DTensor

__all__ = ["DeferredValues"]


class DeferredValues:
    """The values of a model that was built without those of its large tensors.

    It is made in all processes. Small tensors get the values of the first one at once.

    Args:
        recording: What the values come from.
        model: The model, before it is sharded.
    """

    def __init__(self, recording: Recording, model: nn.Module) -> None:
        self._recording = recording
        self._scratch = Scratch()
        self._places: dict[str, Place] = {}
        share_initial_values(model)
        for _, _, name, tensor in _iterate_tensors(model):
            place = recording.place_of(tensor)
            if place is not None:
                self._places[name] = place

    def fill(self, model: nn.Module, device: torch.device) -> None:
        """Put the values of the first process into the model. Called in all processes.

        A process holds its shards, and one whole tensor at a time.

        Args:
            model: The model, which may have been sharded and wrapped since.
            device: Device of its tensors.
        """
        made: dict[int, tuple[Tensor, Tensor]] = {}
        for table, key, name, tensor in list(_iterate_tensors(unwrap(model))):
            if id(tensor) not in made and name in self._places:
                # The former one is kept, so that no other gets its id.
                made[id(tensor)] = tensor, self._make(tensor, self._places[name], device)
            if id(tensor) in made:  # tied tensors stay tied
                table[key] = made[id(tensor)][1]

    def _make(self, tensor: Tensor, place: Place, device: torch.device) -> Tensor:
        """Make a tensor of the model with its values; of a sharded one the shard of this process.

        Args:
            tensor: The tensor, without values.
            place: Its place in the recording.
            device: Its device.

        Returns:
            The tensor, a parameter with the same attributes if it is one.
        """
        if is_main_process():
            value = self._recording.compute(place, self._scratch)
        else:
            _, nbytes, own_device = self._recording.memory_of(place)
            value = place.of(self._scratch.storage(nbytes, own_device))
        value = value.to(device)
        broadcast(value)
        is_sharded = hasattr(tensor, "device_mesh")
        made = _shard_like(tensor, value) if is_sharded else value.to(tensor.dtype, copy=True)
        if not isinstance(tensor, nn.Parameter):
            return made
        parameter = nn.Parameter(made, requires_grad=tensor.requires_grad)
        parameter.__dict__.update(tensor.__dict__)
        return parameter


def _shard_like(tensor: Tensor, value: Tensor) -> DTensor:
    """Take the shard of this process of a whole tensor."""
    from torch.distributed.tensor import DTensor, Shard

    assert isinstance(tensor, DTensor)
    mesh, placements = tensor.device_mesh, tensor.placements
    coordinate = mesh.get_coordinate()
    assert coordinate is not None  # all processes are part of the mesh
    # fully_shard shards what the tensor plan has left to a process, and says so by another class.
    axes = sorted(range(mesh.ndim), key=lambda axis: type(placements[axis]) is not Shard)
    for axis in axes:
        dim: int | None = getattr(placements[axis], "dim", None)
        if dim is not None:
            value = _take_chunk(value, dim, mesh.size(axis), coordinate[axis])
    local = value.to(tensor.dtype).clone(memory_format=torch.contiguous_format)
    return DTensor.from_local(
        local, mesh, placements, run_check=False, shape=tensor.shape, stride=tensor.stride()
    )


def _take_chunk(value: Tensor, dim: int, count: int, number: int) -> Tensor:
    """Take a chunk of a tensor as :func:`torch.chunk` cuts it; the last ones may be empty."""
    length = value.size(dim)
    size = -(-length // count)
    begin = min(number * size, length)
    return value.narrow(dim, begin, min(size, length - begin))


def _iterate_tensors(
    model: nn.Module,
) -> Iterator[tuple[dict[str, Tensor | None], str, str, Tensor]]:
    """Yield parameters and buffers: the table that holds it, key, plain name, and itself."""
    for prefix, module in model.named_modules():
        for table in (module._parameters, module._buffers):
            for key, tensor in table.items():
                if tensor is not None:
                    name = f"{prefix}.{key}" if prefix else key
                    yield table, key, plain_name(model, name), tensor
