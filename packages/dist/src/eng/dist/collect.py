"""Collecting the results that processes computed for their shares of a data set."""

import pickle
import shutil
import tempfile
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

from eng.utils import ArgumentValueError

from .groups import get_dist_info
from .objects import all_gather_object, broadcast_object_list, culprit, gather_object
from .synchronize import barrier

__all__ = ["collect_results", "collect_results_cpu", "collect_results_gpu"]


class UnknownDeviceError(ValueError, NotImplementedError):
    """Results cannot be collected on a device; a NotImplementedError as older engines raise."""


_NOTHING = object()
_BY_COMMUNICATION = ("gpu", "cuda", "npu", "mlu", "mps")


def collect_results(
    results: list[Any], size: int, device: str = "cpu", tmpdir: str | None = None
) -> list[Any] | None:
    """Collect the results of all processes in the main process, in the order of the data set.

    Sample ``i`` is taken to be item ``i // world_size`` of rank ``i % world_size``, as samplers
    hand them out.

    Args:
        results: Results of this process, each picklable.
        size: Length of the data set: repeated samples, with which a sampler fills the last
            round, are cut off behind it.
        device: ``cpu`` collects through files, ``gpu`` (or ``npu``, ``mlu``) by communication.
        tmpdir: Folder for the files, on storage that all processes share; a temporary one in the
            working directory when None. Must be None unless ``device`` is ``cpu``.

    Returns:
        The results in rank 0, None in the others.

    Raises:
        ValueError: The device is unknown, or a tmpdir is given for communication.
        TypeError: A result does not pickle; raised in every process, names rank and index.

    Examples:
        >>> collect_results(["foo", "bar"], size=2)
        ['foo', 'bar']
    """
    if device == "cpu":
        return collect_results_cpu(results, size, tmpdir)
    if device not in _BY_COMMUNICATION:
        known = ", ".join(("cpu", *_BY_COMMUNICATION))
        raise UnknownDeviceError(
            f"unknown device {device!r} to collect results on, device should be one of: {known}"
        )
    if tmpdir is not None:
        raise ArgumentValueError(f"device={device!r} collects without files: tmpdir should be None")
    return collect_results_gpu(results, size)


def collect_results_cpu(
    result_part: list[Any], size: int, tmpdir: str | None = None
) -> list[Any] | None:
    """Collect results through files in a folder that all processes share.

    Args:
        result_part: Results of this process, each picklable.
        size: Length of the data set; see :func:`collect_results`.
        tmpdir: The folder, made if missing; a temporary one in the working directory when None.
            Only the files written here, and a folder made here, are removed in the end.

    Returns:
        The results in rank 0, None in the others.

    Raises:
        TypeError: A result does not pickle; raised in every process, names rank and index.
        OSError: A process cannot write, or rank 0 cannot see what another one wrote.
    """
    rank, world_size = get_dist_info()
    if world_size == 1:
        return result_part[:size]
    folder, is_ours = _shared_folder(tmpdir, rank)
    try:
        _raise_together(_write(result_part, folder / f"part_{rank}.pkl"))
        if rank != 0:
            return None
        return _restore_order([_read(folder, other) for other in range(world_size)], size)
    finally:
        if rank == 0:
            for other in range(world_size):
                (folder / f"part_{other}.pkl").unlink(missing_ok=True)
            if is_ours:
                shutil.rmtree(folder, ignore_errors=True)
        # nobody goes on to a next collection in the same folder before its files are gone
        barrier()


def collect_results_gpu(result_part: list[Any], size: int) -> list[Any] | None:
    """Collect results by communication, on whatever device the backend sends from.

    Args:
        result_part: Results of this process, each picklable.
        size: Length of the data set; see :func:`collect_results`.

    Returns:
        The results in rank 0, None in the others.

    Raises:
        TypeError: A result does not pickle; raised in every process, names rank and index.
    """
    if get_dist_info()[1] == 1:
        return result_part[:size]
    parts = gather_object(result_part)
    return None if parts is None else _restore_order(parts, size)


def _restore_order(parts: list[list[Any]], size: int) -> list[Any]:
    rounds = chain.from_iterable(zip_longest(*parts, fillvalue=_NOTHING))
    return [result for result in rounds if result is not _NOTHING][:size]


def _shared_folder(tmpdir: str | None, rank: int) -> tuple[Path, bool]:
    """Agree on a folder; the flag says whether it is made, and so to be removed, by us."""
    answer: list[Any] = [None, None, False]
    if rank == 0:
        try:
            if tmpdir is None:
                answer = [tempfile.mkdtemp(prefix=".eng_results_", dir=Path.cwd()), None, True]
            else:
                is_new = not Path(tmpdir).exists()
                Path(tmpdir).mkdir(parents=True, exist_ok=True)
                answer = [str(Path(tmpdir).absolute()), None, is_new]
        except OSError as error:
            answer[1] = f"no folder to collect results in: {error}"
    broadcast_object_list(answer)
    if answer[1] is not None:
        raise OSError(answer[1])
    return Path(answer[0]), answer[2]


def _write(results: list[Any], path: Path) -> Exception | None:
    try:
        with path.open("wb") as file:
            pickle.dump(results, file, protocol=pickle.HIGHEST_PROTOCOL)
    except OSError as error:
        return OSError(f"results cannot be written to {path}: {error}")
    except Exception as error:  # an object's own __reduce__ may raise anything
        return TypeError(f"{culprit(results)} does not pickle: {error}")
    return None


def _raise_together(problem: Exception | None) -> None:
    told = None if problem is None else (isinstance(problem, TypeError), str(problem))
    problems = [(rank, *told) for rank, told in enumerate(all_gather_object(told)) if told]
    if problems:
        message = "; ".join(f"rank {rank}: {text}" for rank, _, text in problems)
        raise TypeError(message) if any(is_type for _, is_type, _ in problems) else OSError(message)


def _read(folder: Path, rank: int) -> Any:
    path = folder / f"part_{rank}.pkl"
    if not path.exists():
        raise FileNotFoundError(
            f"rank 0 does not see {path}, which rank {rank} wrote: tmpdir must be on storage that "
            "all ranks share; or collect with device='gpu'"
        )
    with path.open("rb") as file:
        return pickle.load(file)
