import pytest

import eng.dist as dist
from eng.dist.launchers import expand_hosts, find_place


@pytest.mark.parametrize(
    ("short", "hosts"),
    [
        ("a[1-3,7]", ["a1", "a2", "a3", "a7"]),
        ("g[08-10],b", ["g08", "g09", "g10", "b"]),
        ("r[1-2]n[3-4]", ["r1n3", "r1n4", "r2n3", "r2n4"]),
    ],
)
def test_slurm_hosts(short, hosts):
    assert expand_hosts(short) == hosts


@pytest.fixture
def slurm(monkeypatch):
    for name in ("MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    values = dict(PROCID=3, NTASKS=5, LOCALID=1, NODEID=1, NODELIST="n[4-6]", JOB_ID=12)
    for name, value in values.items():
        monkeypatch.setenv(f"SLURM_{name}", str(value))
    monkeypatch.setenv("SLURM_STEP_TASKS_PER_NODE", "2(x2),1")
    monkeypatch.delenv("SLURM_STEP_NODELIST", raising=False)


def test_slurm_place(slurm):
    place = find_place("slurm")
    assert (place.rank, place.world_size, place.local_rank, place.local_size) == (3, 5, 1, 2)
    assert (place.address, place.port) == ("n4", 20012)


def test_missing_variables_and_unknown_launchers_are_named(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with pytest.raises(dist.MissingVariableError, match="WORLD_SIZE is not set: torchrun"):
        dist.init_dist("pytorch")
    with pytest.raises(ValueError, match=r"unknown launcher 'ssh'.*pytorch, slurm, mpi"):
        dist.init_dist("ssh")


def test_one_process_needs_no_environment():
    import torch

    data = torch.arange(2)
    dist.all_reduce(data)
    assert data.tolist() == [0, 1]
    assert dist.get_dist_info() == (0, 1)
    assert dist.collect_results([1, 2, 3], 2) == [1, 2]
    with pytest.raises(ValueError, match="unknown reduce operation 'avg'"):
        dist.all_reduce(data, "avg")


def test_the_launcher_is_inferred_from_its_variables(monkeypatch):
    variables = ("OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_NTASKS", "WORLD_SIZE")
    for variable in variables:
        monkeypatch.delenv(variable, raising=False)
    found = [dist.infer_launcher()]
    for variable in variables:
        monkeypatch.setenv(variable, "1")
        found.append(dist.infer_launcher())
    assert found == ["none", "mpi", "slurm", "pytorch"]
