"""Models are sharded over meshes of processes that a config describes."""

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import model_workers

from eng.dist.testing import run_in_processes

FULL, HYBRID = {"type": "MMFullyShard"}, {"type": "MMFullyShardedDataParallel"}
HYBRID |= {"sharding_strategy": "HYBRID_SHARD"}
#: Configs, and the number of processes on each machine.
FITTING = {
    "by name": ({**FULL, "mesh": {"data": 2, "shard": "rest"}}, None),
    "a list": ({**FULL, "mesh": [-1, 2]}, None),
    "one dimension": ({**FULL, "mesh": ["rest"]}, None),
    "hybrid on one machine": (HYBRID, None),
    "hybrid by a mesh": ({**HYBRID, "device_mesh": [1, "rest"]}, None),
}
REFUSED = {
    "does not fit": ({**FULL, "mesh": [3]}, "mesh \\[3\\] does not fit (2|4) processes"),
    "two rests": ({**FULL, "mesh": ["rest", -1]}, "does not fit"),
    "three dimensions": ({**FULL, "mesh": [1, 1, 2]}, "one dimension, to shard, or two"),
    "a word": ({**FULL, "mesh": {"data": "all"}}, "an integer of at least 1, or 'rest', not 'all'"),
    "a number": ({**FULL, "mesh": 2}, "mesh must be sizes by name"),
    "machines of one process": ((HYBRID, 1), "would train a separate model in each"),
    "replicas of one process": ({**HYBRID, "device_mesh": ["rest", 1]}, "groups of a single"),
    "machines of unlike sizes": ((HYBRID, 3), "not a multiple of 3"),
}
FOUR = pytest.param(4, marks=pytest.mark.exhaustive)


@pytest.fixture(scope="module", params=[2, FOUR], ids=lambda count: f"{count}_processes")
def ranks(request):
    fitting = list(FITTING.values())
    if request.param == 4:
        fitting[3:5] = [(HYBRID, 2), ({**HYBRID, "device_mesh": [2, "rest"]}, None)]
    refused = [cfg if isinstance(cfg, tuple) else (cfg, None) for cfg, _ in REFUSED.values()]
    kinds = [*fitting, *refused]
    found = run_in_processes(model_workers.meshes, request.param, kinds, timeout=120)
    return [dict(zip([*FITTING, *REFUSED], rank, strict=True)) for rank in found]


@pytest.mark.parametrize("name", FITTING)
def test_training_on_a_mesh_is_training_in_one_process(ranks, name):
    _, wanted, (predictions, _) = model_workers.single(1, True)
    for rank in ranks:
        losses, found = rank[name]
        assert losses == pytest.approx(wanted, abs=1e-5)
        assert found == pytest.approx(predictions, abs=1e-4)


@pytest.mark.parametrize("name", REFUSED)
def test_a_mesh_that_does_not_fit_is_refused(ranks, name):
    _, message = REFUSED[name]
    for rank in ranks:
        assert isinstance(rank[name], str), rank[name]
        assert re.search(message, rank[name]), rank[name]
