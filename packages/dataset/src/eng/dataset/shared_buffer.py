"""Read-only memory that the processes of one machine share."""

from __future__ import annotations

import logging
import mmap
import os
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterable
from multiprocessing import reduction
from multiprocessing.context import get_spawning_popen
from pathlib import Path
from typing import Any, Literal

import numpy as np

from eng.dist import all_gather_object, barrier, get_rank, get_world_size
from eng.logging import print_log
from eng.utils import override

__all__ = ["SharedBuffer"]

Form = Literal["B", "q"]
_CHUNK = 1 << 20


class SharedBuffer:
    """Numbers in shared memory, read-only.

    Forked processes inherit it, spawned ones map it if the buffer is among their arguments, and the
    ranks of a machine may share one, all without copies. The memory is an anonymous file, which the
    system frees with the last process that has it open, even after a kill; it does not count
    against the size of ``/dev/shm``.

    Args:
        chunks: The content, in parts of any length.
        form: ``'B'`` (default) for bytes, ``'q'`` for integers of 64 bits.

    Attributes:
        view: The numbers.
    """

    view: memoryview

    def __init__(self, chunks: Iterable[bytes | memoryview], form: Form = "B") -> None:
        descriptor = _open_anonymous_file()
        try:
            with open(descriptor, "wb", closefd=False) as file:
                for chunk in chunks:
                    file.write(chunk)
        except BaseException:
            os.close(descriptor)
            raise
        self._map(descriptor, form)

    @classmethod
    def _of_descriptor(cls, descriptor: int, form: Form) -> SharedBuffer:
        buffer = cls.__new__(cls)
        buffer._map(descriptor, form)
        return buffer

    def _map(self, descriptor: int, form: Form) -> None:
        self._descriptor = descriptor
        self._form = form
        weakref.finalize(self, os.close, descriptor)
        size = os.fstat(descriptor).st_size
        # An empty file cannot be mapped.
        memory = mmap.mmap(descriptor, size, access=mmap.ACCESS_READ) if size else b""
        self.view = memoryview(memory).cast(form)

    # Like an array, for code that reads the numbers itself.

    def __len__(self) -> int:
        return len(self.view)

    def __getitem__(self, item: Any) -> Any:
        return np.asarray(self.view)[item]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        numbers = np.asarray(self.view, dtype)
        return numbers.copy() if copy else numbers

    def __deepcopy__(self, memo: dict[int, object]) -> SharedBuffer:
        return self  # immutable

    @override
    def __reduce__(self) -> tuple[Callable[..., SharedBuffer], tuple[object, ...]]:
        if get_spawning_popen() is not None and sys.platform != "win32":
            return _attach, (reduction.DupFd(self._descriptor), self._form)
        return SharedBuffer, ([self.view.tobytes()], self._form)

    def across_ranks(self) -> SharedBuffer:
        """Share one buffer of this content among all ranks of this machine.

        Must be called in all processes. A rank that cannot open the buffer of the first rank, or
        has different content, keeps its own with a warning.

        Returns:
            The buffer of the first rank of the machine, or this one.
        """
        if get_world_size() == 1:
            return self
        ranks = all_gather_object((_identify_machine(), os.getpid(), self._descriptor))
        machine, *_ = ranks[get_rank()]
        first = next(rank for rank, (other, *_) in enumerate(ranks) if other == machine)
        shared, problem = self, ""
        if machine is None:
            problem = "cannot determine which ranks are on this machine"
        elif first != get_rank():
            _, process, descriptor = ranks[first]
            try:
                path = f"/proc/{process}/fd/{descriptor}"
                other = self._of_descriptor(os.open(path, os.O_RDONLY), self._form)
            except OSError as error:
                problem = f"those of rank {first} cannot be opened: {error}"
            else:
                if _is_equal(self.view, other.view):
                    shared = other
                else:
                    problem = f"they differ from those of rank {first}"
        barrier()  # The first rank keeps its buffer until all have opened it.
        if problem:
            print_log(
                f"Rank {get_rank()} does not share annotations: {problem}.",
                logger="current",
                level=logging.WARNING,
            )
        return shared


def _open_anonymous_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("eng-annotations")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _attach(descriptor: Any, form: Form) -> SharedBuffer:  # of reduction.DupFd
    return SharedBuffer._of_descriptor(descriptor.detach(), form)


def _identify_machine() -> str | None:
    """Identify the machine and PID namespace, whose processes see each other's open files."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        return f"{boot}{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return None


def _is_equal(one: memoryview, other: memoryview) -> bool:
    one, other = one.cast("B"), other.cast("B")
    return len(one) == len(other) and all(
        one[start : start + _CHUNK].tobytes() == other[start : start + _CHUNK].tobytes()
        for start in range(0, len(one), _CHUNK)
    )
