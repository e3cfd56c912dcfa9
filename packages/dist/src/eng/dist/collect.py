"""Collect the results of all processes in the order of the dataset."""

import pickle
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple, TypeVar

from eng.utils import ArgumentValueError

from .groups import get_dist_info
from .mesh import keep_data_ranks
from .objects import (
    all_gather_object,
    broadcast_object_list,
    describe_unpicklable,
    gather_object,
)
from .synchronize import barrier

__all__ = ["collect_results", "collect_results_cpu", "collect_results_gpu"]

T = TypeVar("T")


class UnknownDeviceError(ValueError, NotImplementedError):
    """An unsupported device to collect results on; a NotImplementedError as in older engines."""


_BY_COMMUNICATION = ("gpu", "cuda", "npu", "mlu", "mps")


def collect_results(
    results: list[T], size: int, device: str = "cpu", tmpdir: str | None = None
) -> list[T] | None:
    """Collect the results of all processes in the main process, in the order of the dataset.

    Sample ``i`` is item ``i // n`` of data rank ``i % n`` of ``n``, the order of samplers. Without
    a mesh these are all processes.

    Args:
        results: Results of this process, each picklable.
        size: Length of the dataset; padding samples of the sampler after it are dropped.
        device: ``cpu`` collects through files, ``gpu`` (or ``npu``, ``mlu``) by communication.
        tmpdir: Folder for the files, on storage that all processes share; a temporary one in the
            working directory when None. Must be None unless ``device`` is ``cpu``.

    Returns:
        The results in rank 0, None in the others.

    Raises:
        ValueError: If the device is unknown, or a tmpdir is given for communication.
        TypeError: If a result cannot be pickled; raised in every process, names rank and index.

    Examples:
        >>> collect_results(["foo", "bar"], size=2)
        ['foo', 'bar']
    """
    if device == "cpu":
        return collect_results_cpu(results, size, tmpdir)
    if device not in _BY_COMMUNICATION:
        known = ", ".join(("cpu", *_BY_COMMUNICATION))
        raise UnknownDeviceError(
            f"unknown device {device!r} to collect results on, expected one of: {known}"
        )
    if tmpdir is not None:
        raise ArgumentValueError(f"device={device!r} does not use files: tmpdir must be None")
    return collect_results_gpu(results, size)


def collect_results_cpu(
    result_part: list[T], size: int, tmpdir: str | None = None
) -> list[T] | None:
    """Collect results through files in a folder that all processes share.

    Args:
        result_part: Results of this process, each picklable.
        size: Length of the dataset; see :func:`collect_results`.
        tmpdir: The folder, created if missing; a temporary one in the working directory when
            None. Only files and folders that this function created are removed.

    Returns:
        The results in rank 0, None in the others.

    Raises:
        TypeError: If a result cannot be pickled; raised in every process, names rank and index.
        OSError: If a process cannot write, or rank 0 cannot find the file of another one.
    """
    rank, world_size = get_dist_info()
    if world_size == 1:
        return result_part[:size]
    folder, is_created = _agree_on_folder(tmpdir, rank)
    try:
        _raise_together(_write(result_part, folder / f"part_{rank}.pkl"))
        if rank != 0:
            return None
        parts = keep_data_ranks(range(world_size))
        return _restore_order([_read(folder, other) for other in parts], size)
    finally:
        if rank == 0:
            for other in range(world_size):
                (folder / f"part_{other}.pkl").unlink(missing_ok=True)
            if is_created:
                shutil.rmtree(folder, ignore_errors=True)
        # no rank may start the next collection in this folder before its files are removed
        barrier()


def collect_results_gpu(result_part: list[T], size: int) -> list[T] | None:
    """Collect results by communication, on the device of the backend.

    Args:
        result_part: Results of this process, each picklable.
        size: Length of the dataset; see :func:`collect_results`.

    Returns:
        The results in rank 0, None in the others.

    Raises:
        TypeError: If a result cannot be pickled; raised in every process, names rank and index.
    """
    if get_dist_info()[1] == 1:
        return result_part[:size]
    parts = gather_object(result_part)
    return None if parts is None else _restore_order(keep_data_ranks(parts), size)


def _restore_order(parts: list[list[T]], size: int) -> list[T]:
    rounds = range(max(map(len, parts)))
    return [part[i] for i in rounds for part in parts if i < len(part)][:size]


class _Folder(NamedTuple):
    """A folder for the files of results, and whether it was created for them."""

    path: Path
    is_created: bool


def _agree_on_folder(tmpdir: str | None, rank: int) -> _Folder:
    """Create the folder on rank 0 and send its path, or the error, to the others."""
    answer: list[_Folder | str | None] = [None]
    if rank == 0:
        try:
            answer = [_create_folder(tmpdir)]
        except OSError as error:
            answer = [f"cannot create a folder to collect results: {error}"]
    broadcast_object_list(answer)
    (folder,) = answer
    if not isinstance(folder, _Folder):
        raise OSError(folder)
    return folder


def _create_folder(tmpdir: str | None) -> _Folder:
    if tmpdir is None:
        return _Folder(Path(tempfile.mkdtemp(prefix=".eng_results_", dir=Path.cwd())), True)
    is_new = not Path(tmpdir).exists()
    Path(tmpdir).mkdir(parents=True, exist_ok=True)
    return _Folder(Path(tmpdir).absolute(), is_new)


def _write(results: list[T], path: Path) -> Exception | None:
    try:
        with path.open("wb") as file:
            pickle.dump(results, file, protocol=pickle.HIGHEST_PROTOCOL)
    except OSError as error:
        return OSError(f"cannot write results to {path}: {error}")
    except Exception as error:  # an object's own __reduce__ may raise anything
        return TypeError(f"{describe_unpicklable(results)} cannot be pickled: {error}")
    return None


def _raise_together(problem: Exception | None) -> None:
    report = None if problem is None else (isinstance(problem, TypeError), str(problem))
    reports = enumerate(all_gather_object(report))
    problems = [(rank, *report) for rank, report in reports if report]
    if problems:
        message = "; ".join(f"rank {rank}: {text}" for rank, _, text in problems)
        raise TypeError(message) if any(is_type for _, is_type, _ in problems) else OSError(message)


def _read(folder: Path, rank: int) -> list[T]:
    path = folder / f"part_{rank}.pkl"
    if not path.exists():
        raise FileNotFoundError(
            f"rank 0 cannot find {path}, written by rank {rank}: tmpdir must be on storage "
            "shared by all ranks; or collect with device='gpu'"
        )
    with path.open("rb") as file:
        results: list[T] = pickle.load(file)
    return results
