"""Record what the values of large tensors come from, in place of making them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_leaves, tree_map

from eng.utils import override

from .operations import DeferralError, Memory, Operation, Place, RealTensor, Scratch, generator_of
from .replay import Replay

__all__ = ["Recording", "has_no_values"]

#: Operations that make a tensor whose values do not depend on those of another one.
_CREATORS = {
    "empty",
    "empty_like",
    "empty_permuted",
    "empty_strided",
    "eye",
    "full",
    "full_like",
    "new_empty",
    "new_empty_strided",
    "new_full",
    "new_ones",
    "new_zeros",
    "normal",
    "ones",
    "ones_like",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
    "zeros",
    "zeros_like",
}
#: Operations that draw as many numbers whatever the values were, and replace all of them.
_FILLERS = {
    "bernoulli_",
    "cauchy_",
    "exponential_",
    "geometric_",
    "log_normal_",
    "normal_",
    "random_",
    "uniform_",
}
#: Further ones that leave nothing of the former values.
_OVERWRITERS = _FILLERS | {"copy_", "fill_", "zero_"}

#: The recording that is active.
_ACTIVE: ContextVar[Recording | None] = ContextVar("recording", default=None)
#: Arguments that the meta device has no use for.
_HOST_ARGUMENTS = ("generator", "pin_memory")
#: Classes of tensors whose memory is theirs.
_PLAIN = (Tensor, nn.Parameter, nn.Buffer)
#: What a tensor says of its device.
_GETTERS: dict[Any, Callable[[torch.device], object]] = {
    Tensor.device.__get__: lambda device: device,
    Tensor.is_cpu.__get__: lambda device: device.type == "cpu",  # type: ignore[attr-defined]
    Tensor.is_cuda.__get__: lambda device: device.type == "cuda",  # type: ignore[attr-defined]
    Tensor.is_meta.__get__: lambda device: False,  # type: ignore[attr-defined]
}
#: Ways to the values that are not operations.
_READERS: set[Any] = {Tensor.numpy, Tensor.tolist, Tensor.__array__}


class Recording:
    """Builds large tensors without values, and makes the values that they would have had.

    Random numbers are drawn as without it: values are the same to the bit, and generators are left
    in the same state. What needs values while the model is built, such as ``tensor.item()``, gets
    them.

    Args:
        threshold: Bytes from which on a tensor is large. Defaults to 64 KiB.
    """

    def __init__(self, threshold: int = 1 << 16) -> None:
        self._threshold = threshold
        self._operations: list[Operation] = []
        self._memories: dict[int, Memory] = {}
        self._numbers: dict[int, int] = {}
        self._scratch = Scratch()
        self._device = torch.get_default_device()
        self._writers: defaultdict[int, list[int]] = defaultdict(list)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Record within a context.

        Yields:
            Nothing.
        """
        token = _ACTIVE.set(self)
        try:
            with _Operations(self), _Attributes(self):
                yield
        finally:
            _ACTIVE.reset(token)

    def place_of(self, tensor: Tensor) -> Place | None:
        """Return the place of a tensor that has no values here, None for any other.

        Args:
            tensor: The tensor.
        """
        if tensor.layout is not torch.strided or type(tensor) not in _PLAIN:
            return None  # it has no storage of its own
        number = self._numbers.get(tensor.untyped_storage()._cdata)
        return None if number is None else Place(number, tensor)

    def memory_of(self, place: Place) -> Memory:
        """Return the memory that a tensor will be in.

        Args:
            place: The place of the tensor.
        """
        return self._memories[place.memory]

    def compute(self, place: Place, scratch: Scratch | None = None) -> Tensor:
        """Make the values of a tensor.

        Args:
            place: Its place.
            scratch: Memory that may be used for it, until the next use. Defaults to None.

        Returns:
            The tensor.

        Raises:
            DeferralError: If a tensor that they come from has been changed.
        """
        replay = Replay(self._memories, scratch, place.memory)
        with torch.no_grad(), _disable_current_modes():
            replay.run(self._operations[number] for number in self._find_needed(place.memory))
            return replay.value_of(place)

    def run(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Run an operation of torch, or record it.

        Args:
            function: The operation.
            args: Its arguments.
            kwargs: Its keyword arguments.

        Returns:
            Its result, where it is recorded without values.
        """
        if any(self._is_known(tensor) for tensor in _list_tensors((args, kwargs))):
            return self._run_on_deferred(function, args, kwargs)
        if _name_of(function) == "scalar_tensor":
            # A number that is put into a tensor: torch makes it on the device of that.
            return function(*args, **{**kwargs, "device": self._device})
        if _is_meta(kwargs.get("device")):  # as the model itself wants it
            return function(*args, **kwargs)
        if _name_of(function) in _CREATORS:
            return self._create(function, args, kwargs)
        return function(*args, **kwargs)

    def realize(self, values: Any) -> Any:
        """Make the present values of the tensors among arguments."""

        def realize(leaf: object) -> object:
            place = self.place_of(leaf) if isinstance(leaf, Tensor) else None
            return leaf if place is None else self.compute(place)

        return tree_map(realize, values)

    # ------------------------------------------------------------------ recording

    def _create(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Make a tensor: a small one, or a large one without values."""
        shown = self._run_without_values(function, args, kwargs)
        if not isinstance(shown, Tensor) or _count_bytes(shown) < self._threshold:
            return function(*args, **kwargs)
        device = torch.device(kwargs.get("device") or torch.get_default_device())
        self._add(self._describe(function, args, kwargs, device), [shown], device)
        return shown

    def _run_on_deferred(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Run an operation on tensors of which some have no values."""
        written = list(_find_written(function, args, kwargs))
        places = [self.place_of(tensor) for tensor in written]
        if None in places:  # values go into a tensor that has some
            if any(place is not None for place in places):
                raise DeferralError(f"{function} changes tensors of which some have no values")
            return function(*self.realize(args), **self.realize(kwargs))
        try:
            shown = self._run_without_values(function, args, kwargs)
        except (NotImplementedError, RuntimeError) as error:
            if written:
                raise DeferralError(f"{function} cannot run without values: {error}") from error
            return function(*self.realize(args), **self.realize(kwargs))
        device = self._find_device(args, kwargs)
        made = tree_leaves(shown)
        is_view = all(self._is_known(each) for each in made)
        if not written and is_view:
            return shown
        operation = self._describe(function, args, kwargs, device)
        self._add(operation, made, device, [place for place in places if place is not None])
        return shown

    def _add(
        self,
        operation: Operation,
        made: Iterable[object],
        device: torch.device,
        written: Iterable[Place] = (),
    ) -> None:
        """Add an operation to the record, and the tensors that it makes."""
        number = len(self._operations)
        for each in made:
            is_new = isinstance(each, Tensor) and not self._is_known(each)
            operation.outputs.append(self._register(each, device) if is_new else None)
        written = list(written)
        changed = {place.memory for place in written}
        name = _name_of(operation.function)
        if len(written) == 1 and name in _OVERWRITERS:
            (place,) = written
            if place.covers(self._memories[place.memory].nbytes):
                others = _list_places((operation.args[1:], operation.kwargs))
                operation.overwrites = place.memory
                operation.reads = {other.memory for other in others}
        self._operations.append(operation)
        for memory in changed | {place.memory for place in operation.outputs if place is not None}:
            self._writers[memory].append(number)

    def _register(self, tensor: object, device: torch.device) -> Place:
        assert isinstance(tensor, Tensor)
        storage = tensor.untyped_storage()
        number = len(self._memories)
        self._numbers[storage._cdata] = number
        self._memories[number] = Memory(storage, storage.nbytes(), device)
        return Place(number, tensor)

    def _is_known(self, value: object) -> bool:
        return isinstance(value, Tensor) and self.place_of(value) is not None

    def _describe(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        device: torch.device,
    ) -> Operation:
        """Describe an operation, and draw its random numbers."""

        def describe(leaf: object) -> object:
            if not isinstance(leaf, Tensor):
                return leaf
            return self.place_of(leaf) or RealTensor(leaf, _count_bytes(leaf) < self._threshold)

        drawn = self._draw(function, args, kwargs, device) if _draws(function) else None
        args, kwargs = tree_map(describe, (args, kwargs))
        reads = {place.memory for place in _list_places((args, kwargs))}
        return Operation(function, args, kwargs, reads, drawn)

    # ------------------------------------------------------------------ running

    def _run_without_values(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Run an operation on the meta device, where it computes shapes alone."""
        args, kwargs = tree_map(
            lambda leaf: leaf.to("meta") if isinstance(leaf, Tensor) else leaf, (args, kwargs)
        )
        kwargs = {name: value for name, value in kwargs.items() if name not in _HOST_ARGUMENTS}
        is_asked = kwargs.get("device") is not None
        if is_asked or (_name_of(function) in _CREATORS and _takes_device(function)):
            kwargs["device"] = "meta"
        return function(*args, **kwargs)

    def _draw(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        device: torch.device,
    ) -> tuple[torch.device, Tensor]:
        """Draw the random numbers of an operation, and return the state of before."""
        generator: Any = kwargs.get("generator") or generator_of(device)
        state = generator.get_state()
        if _name_of(function) in _FILLERS | _CREATORS:  # any values will do
            args, kwargs = tree_map(
                lambda leaf: self._lend(leaf) if self._is_known(leaf) else leaf, (args, kwargs)
            )
        else:
            args, kwargs = self.realize(args), self.realize(kwargs)
        function(*args, **kwargs)
        return device, state

    def _lend(self, tensor: Tensor) -> Tensor:
        """Return a tensor of any values in place of one without values, until the next one."""
        place = self.place_of(tensor)
        assert place is not None
        _, nbytes, device = self.memory_of(place)
        return place.of(self._scratch.storage(nbytes, device))

    def _find_device(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> torch.device:
        """Find the device that the results of an operation will be on."""
        given = kwargs.get("device")
        if given is not None:
            self._device = torch.device(given)
            return self._device
        places = (self.place_of(leaf) for leaf in _list_tensors((args, kwargs)))
        known = [self._memories[place.memory].device for place in places if place is not None]
        return known[0]

    def _find_needed(self, memory: int) -> list[int]:
        """Find the operations that the values of a memory come from, in their order."""
        needed: set[int] = set()
        pending = [(memory, len(self._operations))]
        while pending:
            wanted, before = pending.pop()
            for number in reversed(self._writers[wanted]):
                if number >= before:
                    continue
                operation = self._operations[number]
                if number not in needed:
                    needed.add(number)
                    pending.extend((read, number) for read in operation.reads)
                if operation.overwrites == wanted:
                    break
        return sorted(needed)


def has_no_values(tensor: Tensor) -> bool:
    """Whether a tensor is on the meta device, or is one without values of an active recording.

    Args:
        tensor: The tensor.
    """
    recording = _ACTIVE.get()
    return tensor.is_meta or (recording is not None and recording.place_of(tensor) is not None)


class _Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Hands all operations of torch to a recording."""

    def __init__(self, recording: Recording) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._recording = recording

    @override
    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        return self._recording.run(func, args, kwargs or {})


class _Attributes(TorchFunctionMode):
    """Lets tensors without values look as if they had them, to code that asks for their device.

    That of ``torch.nn.init`` does nothing for tensors on the meta device.
    """

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self._recording = recording

    @override
    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        recording = self._recording
        place = recording.place_of(args[0]) if args and isinstance(args[0], Tensor) else None
        if place is None:
            return func(*args, **kwargs)
        device = recording.memory_of(place).device
        if func in _GETTERS:
            return _GETTERS[func](device)
        if func in _READERS:
            return func(*recording.realize(args), **recording.realize(kwargs))
        if func is Tensor.new_tensor:
            kwargs = {"device": device, **kwargs}
        return func(*args, **kwargs)


def _is_meta(device: Any) -> bool:
    return device is not None and torch.device(device).type == "meta"


def _name_of(function: Any) -> str:
    packet = getattr(function, "overloadpacket", None)
    return getattr(packet, "__name__", "")


def _takes_device(function: Any) -> bool:
    return any(argument.name == "device" for argument in function._schema.arguments)


def _draws(function: Any) -> bool:
    return torch.Tag.nondeterministic_seeded in getattr(function, "tags", ())


def _count_bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _list_tensors(values: object) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]


def _list_places(values: object) -> list[Place]:
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, Place)]


def _find_written(
    function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Iterator[Tensor]:
    """Find the arguments that an operation changes."""
    for place, argument in enumerate(function._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            value = args[place] if place < len(args) else kwargs.get(argument.name)
            yield from _list_tensors(value)
