"""Read rank, world size and address of a process from the variables of its launcher."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from eng.utils import InvalidSettingError, UserError, override

__all__ = ["MissingVariableError", "Place", "expand_hosts", "find_place", "infer_launcher"]

_DEFAULT_PORT = 29500
_Default = TypeVar("_Default")


class MissingVariableError(UserError, KeyError):
    """A missing environment variable of a launcher."""

    @override
    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True)
class Place:
    """Rank of a process and address of the process group.

    Attributes:
        rank: Rank in the world.
        world_size: Number of processes.
        local_rank: Rank on this machine.
        local_size: Number of processes on this machine, None if unknown.
        address: Host of rank 0.
        port: Port of the rendezvous on that host.
    """

    rank: int
    world_size: int
    local_rank: int
    local_size: int | None
    address: str
    port: int

    def export(self) -> None:
        """Set the environment variables of torchrun, which other libraries read."""
        os.environ["RANK"] = str(self.rank)
        os.environ["WORLD_SIZE"] = str(self.world_size)
        os.environ["LOCAL_RANK"] = str(self.local_rank)
        if self.local_size is not None:
            os.environ["LOCAL_WORLD_SIZE"] = str(self.local_size)
        os.environ["MASTER_ADDR"] = self.address
        os.environ["MASTER_PORT"] = str(self.port)


def find_place(launcher: str, port: int | None = None) -> Place:
    """Read the environment variables of a launcher.

    Args:
        launcher: ``pytorch``, ``slurm`` or ``mpi``.
        port: Port of the rendezvous for launchers without one; ``MASTER_PORT`` takes precedence.

    Raises:
        ValueError: If the launcher is unknown, or a variable is not a valid number.
        MissingVariableError: If a variable is missing; names it and the program that sets it.
    """
    if launcher not in _LAUNCHERS:
        raise InvalidSettingError(
            f"unknown launcher {launcher!r}, expected one of: {', '.join(_LAUNCHERS)} (or none, "
            "for programs that do not call init_dist)"
        )
    place = _LAUNCHERS[launcher](port)
    if not 0 <= place.rank < place.world_size:
        raise InvalidSettingError(
            f"rank {place.rank} is out of range for world size {place.world_size}"
        )
    return place


def infer_launcher() -> str:
    """Infer the launcher of this process from environment variables.

    Returns:
        ``pytorch``, ``slurm`` or ``mpi``, else ``none``.
    """
    for variable, launcher in (
        ("WORLD_SIZE", "pytorch"),
        ("SLURM_NTASKS", "slurm"),
        ("OMPI_COMM_WORLD_LOCAL_RANK", "mpi"),
    ):
        if variable in os.environ:
            return launcher
    return "none"


def expand_hosts(hosts: str) -> list[str]:
    """Expand a compressed host list of Slurm.

    Args:
        hosts: Such as ``login,gpu[01-03,7]`` or ``r[1-2]n[3-4]``.

    Raises:
        ValueError: If the brackets do not match.

    Examples:
        >>> expand_hosts("a[1-3,7],b")
        ['a1', 'a2', 'a3', 'a7', 'b']
    """
    if not re.fullmatch(r"(?:[^\[\],\s]|,|\[[0-9,-]+\])+", hosts):
        raise InvalidSettingError(f"invalid Slurm host list: {hosts!r}")
    return [
        name
        for item in re.findall(r"(?:\[[^\]]*\]|[^,\[\]])+", hosts)
        for name in _expand_brackets(item)
    ]


def _expand_brackets(item: str) -> list[str]:
    match = re.search(r"\[([^\]]*)\]", item)
    if match is None:
        return [item]
    names = []
    for part in match[1].split(","):
        first, _, last = part.partition("-")
        for number in range(int(first), int(last or first) + 1):
            names += _expand_brackets(
                f"{item[: match.start()]}{number:0{len(first)}d}{item[match.end() :]}"
            )
    return names


def _read_torchrun(port: int | None) -> Place:
    setter = "torchrun sets it; start the program with torchrun, or use another launcher"
    rank = _read_number("RANK", setter)
    return Place(
        rank=rank,
        world_size=_read_number("WORLD_SIZE", setter),
        local_rank=_read_optional_number("LOCAL_RANK", rank),
        local_size=_read_optional_number("LOCAL_WORLD_SIZE", None),
        address=os.environ.get("MASTER_ADDR") or _read_variable("MASTER_ADDR", setter),
        port=_choose_port(port, default=None, setter=setter),
    )


def _read_slurm(port: int | None) -> Place:
    setter = "Slurm sets it for programs that srun starts"
    local_rank = _read_number("SLURM_LOCALID", setter)
    address = os.environ.get("MASTER_ADDR") or _find_first_slurm_host(setter)
    # jobs that share a machine need different ports
    job = _read_optional_number("SLURM_JOB_ID", None)
    default = _DEFAULT_PORT if job is None else 20000 + job % 10000
    return Place(
        rank=_read_number("SLURM_PROCID", setter),
        world_size=_read_number("SLURM_NTASKS", setter),
        local_rank=local_rank,
        local_size=_read_slurm_local_size(),
        address=address,
        port=_choose_port(port, default, setter),
    )


def _find_first_slurm_host(setter: str) -> str:
    name = "SLURM_STEP_NODELIST" if "SLURM_STEP_NODELIST" in os.environ else "SLURM_NODELIST"
    if name not in os.environ and "SLURM_JOB_NODELIST" in os.environ:
        name = "SLURM_JOB_NODELIST"
    hosts = _read_variable(name, setter)
    try:
        return expand_hosts(hosts)[0]
    except ValueError:
        if shutil.which("scontrol") is None:
            raise
    listed = subprocess.run(
        ["scontrol", "show", "hostnames", hosts], check=True, capture_output=True, text=True
    )
    return listed.stdout.split()[0]


def _read_slurm_local_size() -> int | None:
    """Parse the number of tasks here: ``2(x3),1`` means two on three machines, then one."""
    counts: list[int] = []
    tasks = os.environ.get("SLURM_STEP_TASKS_PER_NODE") or os.environ.get("SLURM_TASKS_PER_NODE")
    for count, times in re.findall(r"(\d+)(?:\(x(\d+)\))?", tasks or ""):
        counts += [int(count)] * int(times or 1)
    node = _read_optional_number("SLURM_NODEID", 0)
    return counts[node] if node < len(counts) else None


def _read_mpi(port: int | None) -> Place:
    setter = "mpirun of Open MPI (OMPI_COMM_WORLD_*) or of Intel MPI (PMI_*, MPI_LOCAL*) sets it"
    if "PMI_RANK" in os.environ and "OMPI_COMM_WORLD_RANK" not in os.environ:
        rank, size = _read_number("PMI_RANK", setter), _read_number("PMI_SIZE", setter)
        local_rank = _read_number("MPI_LOCALRANKID", setter)
        local_size = _read_optional_number("MPI_LOCALNRANKS", None)
    else:
        rank = _read_number("OMPI_COMM_WORLD_RANK", setter)
        size = _read_number("OMPI_COMM_WORLD_SIZE", setter)
        local_rank = _read_number("OMPI_COMM_WORLD_LOCAL_RANK", setter)
        local_size = _read_optional_number("OMPI_COMM_WORLD_LOCAL_SIZE", None)
    address = os.environ.get("MASTER_ADDR")
    if address is None and local_size == size:
        address = "127.0.0.1"
    if address is None:
        address = _read_variable("MASTER_ADDR", "mpirun does not: set it to the host of rank 0")
    return Place(
        rank, size, local_rank, local_size, address, _choose_port(port, _DEFAULT_PORT, setter)
    )


_LAUNCHERS: dict[str, Callable[[int | None], Place]] = {
    "pytorch": _read_torchrun,
    "slurm": _read_slurm,
    "mpi": _read_mpi,
}


def _choose_port(given: int | None, default: int | None, setter: str) -> int:
    if "MASTER_PORT" in os.environ:
        port = _read_number("MASTER_PORT", setter)
    elif given is not None:
        port = int(given)
    elif default is not None:
        port = default
    else:
        port = _read_number("MASTER_PORT", setter)
    if not 0 <= port < 65536:
        raise InvalidSettingError(f"port {port} is out of range, expected 0 to 65535")
    return port


def _read_variable(name: str, setter: str) -> str:
    if name not in os.environ:
        raise MissingVariableError(f"environment variable {name} is not set: {setter}")
    return os.environ[name]


def _read_number(name: str, setter: str) -> int:
    text = _read_variable(name, setter)
    if not text.strip().isdecimal():
        raise InvalidSettingError(f"environment variable {name} must be a number, not {text!r}")
    return int(text)


def _read_optional_number(name: str, default: _Default) -> int | _Default:
    return _read_number(name, "") if name in os.environ else default
