"""Joining the distributed environment as each launcher starts a process."""

import os
import socket
import subprocess
import sys
from datetime import timedelta
from types import SimpleNamespace

import pytest
import torch
import torch.distributed as torch_dist

import eng.dist as dist
from eng.dist.launchers import find_place

VARIABLES = (
    "RANK",
    "WORLD_SIZE",
    "LOCAL_RANK",
    "LOCAL_WORLD_SIZE",
    "MASTER_ADDR",
    "MASTER_PORT",
    "SLURM_PROCID",
    "OMPI_COMM_WORLD_RANK",
    "OMPI_COMM_WORLD_SIZE",
    "OMPI_COMM_WORLD_LOCAL_RANK",
    "OMPI_COMM_WORLD_LOCAL_SIZE",
    "PMI_RANK",
    "PMI_SIZE",
    "MPI_LOCALRANKID",
    "MPI_LOCALNRANKS",
)


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """No launcher's variables; those that a test sets, or joining exports, are gone after it."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    yield monkeypatch
    if torch_dist.is_initialized():
        torch_dist.destroy_process_group()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


OPEN_MPI = dict(
    OMPI_COMM_WORLD_RANK=3,
    OMPI_COMM_WORLD_SIZE=4,
    OMPI_COMM_WORLD_LOCAL_RANK=1,
    OMPI_COMM_WORLD_LOCAL_SIZE=2,
)
INTEL_MPI = dict(PMI_RANK=3, PMI_SIZE=4, MPI_LOCALRANKID=1, MPI_LOCALNRANKS=2)


@pytest.mark.parametrize("variables", [OPEN_MPI, INTEL_MPI])
def test_mpi_places(environment, variables):
    for name, value in variables.items():
        environment.setenv(name, str(value))
    with pytest.raises(dist.MissingVariableError, match="MASTER_ADDR is not set: mpirun does not"):
        find_place("mpi")
    environment.setenv("MASTER_ADDR", "head")
    place = find_place("mpi")
    assert (place.rank, place.world_size, place.local_rank, place.local_size) == (3, 4, 1, 2)
    assert (place.address, place.port) == ("head", 29500)
    assert find_place("mpi", 123).port == 123
    environment.setenv("MASTER_PORT", "456")
    assert find_place("mpi", 123).port == 456


def test_mpi_on_one_machine_needs_no_address(environment):
    for name, value in {**OPEN_MPI, "OMPI_COMM_WORLD_LOCAL_SIZE": 4}.items():
        environment.setenv(name, str(value))
    assert find_place("mpi").address == "127.0.0.1"


@pytest.mark.parametrize(
    ("launcher", "variables", "missing"),
    [
        ("pytorch", {}, "RANK is not set: torchrun sets it"),
        ("pytorch", {"RANK": 0}, "WORLD_SIZE is not set: torchrun"),
        ("pytorch", {"RANK": 0, "WORLD_SIZE": 1}, "MASTER_ADDR is not set: torchrun"),
        ("slurm", {}, "SLURM_LOCALID is not set: Slurm sets it for programs that srun starts"),
        ("mpi", {}, "OMPI_COMM_WORLD_RANK is not set: mpirun of Open MPI .* or of Intel MPI"),
        ("mpi", {"PMI_RANK": 0}, "PMI_SIZE is not set: mpirun"),
    ],
)
def test_a_missing_variable_is_named_with_who_sets_it(environment, launcher, variables, missing):
    for name, value in variables.items():
        environment.setenv(name, str(value))
    with pytest.raises(dist.MissingVariableError, match=missing):
        dist.init_dist(launcher, backend="gloo")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"RANK": "one"}, "RANK must be a number, not 'one'"),
        ({"RANK": "7"}, "rank 7 is out of range for world size 1"),
        ({"MASTER_PORT": "70000"}, "port 70000 is out of range, expected 0 to 65535"),
    ],
)
def test_wrong_variables_are_named(environment, changed, message):
    variables = dict(RANK="0", WORLD_SIZE="1", MASTER_ADDR="127.0.0.1", MASTER_PORT="29500")
    for name, value in (variables | changed).items():
        environment.setenv(name, value)
    with pytest.raises(ValueError, match=message):
        dist.init_dist("pytorch", backend="gloo")


def one_process(environment):
    for name, value in dict(RANK=0, WORLD_SIZE=1, MASTER_ADDR="127.0.0.1").items():
        environment.setenv(name, str(value))
    environment.setenv("MASTER_PORT", str(free_port()))


@pytest.fixture
def no_cuda(environment):
    """A machine without CUDA devices, also where there are some."""
    environment.setattr(torch.cuda, "is_available", lambda: False)


def test_the_backend_follows_the_device(environment, no_cuda):
    one_process(environment)
    with pytest.warns(UserWarning, match="no CUDA device is available: using gloo instead of nccl"):
        dist.init_dist("pytorch", timeout=30)
    assert dist.get_backend() == "gloo"
    with pytest.raises(RuntimeError, match="already initialized"):
        dist.init_dist("pytorch", backend="gloo")


def test_no_backend_named_gives_one_without_a_warning(environment, no_cuda, recwarn):
    one_process(environment)
    dist.init_dist("pytorch", backend=None, timeout=timedelta(seconds=20))
    assert dist.get_backend() == "gloo"
    assert [str(w.message) for w in recwarn if "CUDA" in str(w.message)] == []
    # a world of one still gives what is documented
    assert dist.all_gather_object(3) == [3]
    assert dist.get_rank() == dist.get_local_rank() == 0


def test_an_unknown_backend_is_refused(environment):
    one_process(environment)
    with pytest.raises(ValueError, match=r"unknown backend 'pigeons', expected one of: .*gloo"):
        dist.init_dist("pytorch", backend="pigeons")


def test_a_taken_port_is_named(environment):
    one_process(environment)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        environment.setenv("MASTER_PORT", str(port))
        with pytest.raises(RuntimeError, match=f"address already in use: port {port} on 127.0.0.1"):
            dist.init_dist("pytorch", backend="gloo", timeout=5)


PROGRAM = """
import sys
import torch, eng.dist as dist
dist.init_dist(sys.argv[1], backend="gloo", timeout=60)
data = torch.tensor([dist.get_rank() + 1])
dist.all_reduce(data)
seen = ("seen", dist.get_rank(), dist.get_local_rank(), dist.get_local_size(), data.item())
sys.stdout.write(" ".join(map(str, seen)) + "\\n")  # in one piece, as two processes write
torch.distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_torchrun_starts_it(tmp_path):
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    run = ["torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [sys.executable, "-m", *run, str(script), "pytorch"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={k: v for k, v in os.environ.items() if k not in VARIABLES},
    )
    assert done.returncode == 0, done.stderr
    seen = sorted(line for line in done.stdout.splitlines() if line.startswith("seen"))
    assert seen == ["seen 0 0 2 3", "seen 1 1 2 3"]


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["mpi", "slurm"])
def test_processes_with_the_variables_of_other_launchers_meet(tmp_path, launcher):
    port = str(free_port())
    processes = []
    for rank in range(2):
        variables = dict(
            SLURM_PROCID=rank,
            SLURM_NTASKS=2,
            SLURM_LOCALID=rank,
            SLURM_NODELIST="localhost",
            SLURM_STEP_TASKS_PER_NODE=2,
            OMPI_COMM_WORLD_RANK=rank,
            OMPI_COMM_WORLD_SIZE=2,
            OMPI_COMM_WORLD_LOCAL_RANK=rank,
            OMPI_COMM_WORLD_LOCAL_SIZE=2,
            MASTER_PORT=port,
        )
        env = {k: v for k, v in os.environ.items() if k not in VARIABLES}
        env.update({name: str(value) for name, value in variables.items()})
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", PROGRAM, launcher],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=env,
            )
        )
    outputs = [process.communicate(timeout=120) for process in processes]
    for rank, (process, (out, err)) in enumerate(zip(processes, outputs, strict=True)):
        assert process.returncode == 0, err
        assert f"seen {rank} {rank} 2 3" in out


def test_an_unknown_library_is_refused(environment):
    one_process(environment)
    with pytest.raises(ValueError, match="must be one of torch, deepspeed, colossalai, not 'mpi'"):
        dist.init_dist("pytorch", backend="gloo", init_backend="mpi")


@pytest.mark.parametrize(
    ("library", "function", "argument"),
    [
        ("deepspeed", "init_distributed", "dist_backend"),
        ("colossalai", "launch_from_torch", "backend"),
    ],
)
def test_another_library_joins_the_processes(environment, monkeypatch, library, function, argument):
    one_process(environment)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=library):
        dist.init_dist("pytorch", backend="gloo", init_backend=library)
    called = []

    def join(**kwargs):
        called.append(kwargs)
        torch_dist.init_process_group(backend="gloo")

    stand_in = SimpleNamespace(**{function: join})
    monkeypatch.setitem(sys.modules, library, stand_in)
    dist.init_dist("pytorch", backend="gloo", init_backend=library, timeout=7)
    assert called == [{argument: "gloo", "timeout": timedelta(seconds=7)}]
