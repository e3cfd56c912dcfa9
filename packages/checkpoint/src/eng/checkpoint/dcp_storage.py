"""Storage of torch.distributed.checkpoint on every backend of eng.fileio."""

from __future__ import annotations

import dataclasses
import io
import os
import pickle
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import torch
from torch import Tensor
from torch.distributed.checkpoint.filesystem import _StorageInfo
from torch.distributed.checkpoint.metadata import Metadata, MetadataIndex
from torch.distributed.checkpoint.planner import (
    LoadPlan,
    LoadPlanner,
    ReadItem,
    SavePlan,
    SavePlanner,
)
from torch.distributed.checkpoint.storage import StorageReader, StorageWriter, WriteResult
from torch.futures import Future

from eng.fileio import BaseStorageBackend
from eng.utils import check_inner_path, override

from .errors import CheckpointError
from .metadata_reader import parse_metadata
from .parsing import load_checked

__all__ = ["METADATA", "STATE", "CheckedFile", "FileSum", "FolderReader", "FolderWriter"]

#: Folder of the tensors in a checkpoint, and the index of these in it.
STATE, METADATA = "state", ".metadata"


@dataclasses.dataclass(frozen=True)
class FileSum:
    """Size and checksum of a file.

    Attributes:
        name: Its name in the checkpoint.
        size: Bytes.
        crc32: Checksum of CRC-32, in eight hexadecimal digits.
    """

    name: str
    size: int
    crc32: str


class CheckedFile:
    """A file that is only written, with the checksum of what was written.

    Args:
        file: The file.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._crc = 0
        self.size = 0

    def write(self, content: Any) -> int:
        """Write bytes."""
        with memoryview(content) as view:
            self._crc = zlib.crc32(view, self._crc)
            self.size += view.nbytes
            self._file.write(view)
            return view.nbytes

    def flush(self) -> None:
        """Flush the file."""
        self._file.flush()

    def sum(self, name: str) -> FileSum:
        """Size and checksum of what was written so far, under a name."""
        return FileSum(name, self.size, f"{self._crc:08x}")


class FolderWriter(StorageWriter):
    """Writes the shards of each process to a file of its own, in the format of torch.

    Args:
        folder: Path or URL of the checkpoint.
        backend: Its storage.
        rank: Rank of this process.
        complete: Called in the first process after all processes have written, with sizes and
            checksums of their files.
    """

    def __init__(
        self,
        folder: str,
        backend: BaseStorageBackend,
        rank: int,
        complete: Callable[[list[FileSum]], None],
    ) -> None:
        self._folder, self._backend, self._rank = folder, backend, rank
        self._complete = complete

    @override
    def reset(self, checkpoint_id: str | os.PathLike[str] | None = None) -> None:
        pass

    @override
    def set_up_storage_writer(self, is_coordinator: bool, *args: Any, **kwargs: Any) -> None:
        pass

    @override
    def prepare_local_plan(self, plan: SavePlan) -> SavePlan:
        return plan

    @override
    def prepare_global_plan(self, plans: list[SavePlan]) -> list[SavePlan]:
        return plans

    @override
    def write_data(self, plan: SavePlan, planner: SavePlanner) -> Future[list[WriteResult]]:
        """Write the shards of this process."""
        results: list[WriteResult] = []
        name = f"__{self._rank}_0.distcp"

        def write(file: BinaryIO) -> None:
            checked = CheckedFile(file)
            for item in plan.items:
                value: Any = planner.resolve_data(item)
                begin = checked.size
                torch.save(_to_compact(value), cast("IO[bytes]", checked))
                size = checked.size - begin
                results.append(WriteResult(item.index, size, _StorageInfo(name, begin, size)))
            total = checked.sum(f"{STATE}/{name}")
            results.append(WriteResult(MetadataIndex(name), checked.size, total))

        if plan.items:
            self._backend.put_with(write, self._backend.join_path(self._folder, STATE, name))
        done: Future[list[WriteResult]] = Future()
        done.set_result(results)
        return done

    @override
    def finish(self, metadata: Metadata, results: list[list[WriteResult]]) -> None:
        """Write the index. Called in the first process after all processes have written."""
        every = [each for of_rank in results for each in of_rank]
        sums = [each.storage_data for each in every if isinstance(each.storage_data, FileSum)]
        metadata.storage_data = {
            each.index: each.storage_data
            for each in every
            if not isinstance(each.storage_data, FileSum)
        }

        def write(file: BinaryIO) -> None:
            checked = CheckedFile(file)
            checked.write(pickle.dumps(metadata))
            sums.append(checked.sum(f"{STATE}/{METADATA}"))

        self._backend.put_with(write, self._backend.join_path(self._folder, STATE, METADATA))
        self._complete(sums)

    @classmethod
    @override
    def validate_checkpoint_id(cls, checkpoint_id: str | os.PathLike[str]) -> bool:
        return True


class FolderReader(StorageReader):
    """Reads shards of tensors.

    Args:
        folder: Path or URL of the checkpoint.
        backend: Its storage.
    """

    def __init__(self, folder: str, backend: BaseStorageBackend) -> None:
        self._folder, self._backend = folder, backend
        self._places: dict[MetadataIndex, _StorageInfo] = {}

    @override
    def reset(self, checkpoint_id: str | os.PathLike[str] | None = None) -> None:
        self._places = {}

    @override
    def read_metadata(self, *args: Any, **kwargs: Any) -> Metadata:
        """Read the index of all tensors."""
        path = self._backend.join_path(self._folder, STATE, METADATA)
        return parse_metadata(self._backend.get(path), path)

    @override
    def set_up_storage_reader(
        self, metadata: Metadata, is_coordinator: bool, *args: Any, **kwargs: Any
    ) -> None:
        self._places = dict(metadata.storage_data or {})

    @override
    def prepare_local_plan(self, plan: LoadPlan) -> LoadPlan:
        return plan

    @override
    def prepare_global_plan(self, plans: list[LoadPlan]) -> list[LoadPlan]:
        return plans

    @override
    def read_data(self, plan: LoadPlan, planner: LoadPlanner) -> Future[None]:
        """Read what the plan of this process needs, file by file, each part once."""
        by_file: dict[str, dict[tuple[int, int], list[ReadItem]]] = {}
        for item in plan.items:
            place = self._places[item.storage_index]
            parts = by_file.setdefault(place.relative_path, {})
            parts.setdefault((place.offset, place.length), []).append(item)
        for name, parts in by_file.items():
            with self._open(name) as file:
                for (offset, length), items in sorted(parts.items(), key=lambda pair: pair[0]):
                    _read_part(file, offset, length, items, planner)
        done: Future[None] = Future()
        done.set_result(None)
        return done

    @contextmanager
    def _open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file, which is downloaded first if it is remote."""
        try:
            check_inner_path(name, "a file of shards")
        except ValueError as error:
            raise CheckpointError(f"{self._folder!r} is not a checkpoint: {error}") from error
        path = self._backend.join_path(self._folder, STATE, name)
        with self._backend.get_local_path(path) as local, Path(local).open("rb") as file:
            yield file

    @classmethod
    @override
    def validate_checkpoint_id(cls, checkpoint_id: str | os.PathLike[str]) -> bool:
        return True


def _read_part(
    file: IO[bytes], offset: int, length: int, items: list[ReadItem], planner: LoadPlanner
) -> None:
    content = io.BufferedReader(_Slice(file, offset, length))
    whole = load_checked(content, file.name, "cpu", is_archive=True)
    if not isinstance(whole, Tensor):
        raise CheckpointError(f"a shard is a {type(whole).__name__}, not a tensor")
    for item in items:
        part = whole
        for dimension, (start, size) in enumerate(
            zip(item.storage_offsets, item.lengths, strict=True)
        ):
            part = part.narrow(dimension, start, size)
        target = planner.resolve_tensor(item).detach()
        target.copy_(part)
        planner.commit_tensor(item, target)


class _Slice(io.RawIOBase):
    """A part of a file, as a file of its own."""

    def __init__(self, file: IO[bytes], offset: int, length: int) -> None:
        super().__init__()
        self._file, self._offset, self._length, self._at = file, offset, length, 0

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return True

    @override
    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        bases = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}
        self._at = max(0, bases[whence] + offset)
        return self._at

    @override
    def tell(self) -> int:
        return self._at

    @override
    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")[: max(0, self._length - self._at)]
        self._file.seek(self._offset + self._at)
        count: int = self._file.readinto(view)  # type: ignore[attr-defined]
        self._at += count
        return count


def _to_compact(value: Tensor) -> Tensor:
    """A tensor on the CPU without memory beside its own, which torch.save would write."""
    value = value.detach().cpu()
    is_view = value.untyped_storage().nbytes() != value.nbytes or not value.is_contiguous()
    return value.contiguous().clone() if is_view else value
