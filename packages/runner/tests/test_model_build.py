"""Models that ``parallel`` shards are built without values, which are those of one process."""

import functools
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

import model_build_cases

from eng.dist.testing import run_in_processes

SHARDED = {"shard": "rest", "wrap": ["Part"]}


@pytest.fixture(scope="module")
def alone():
    ((start, end, seen, _),) = run_in_processes(model_build_cases.build_and_train, 1, None, 8)
    assert seen == [False]
    return start, end


@pytest.mark.parametrize("is_deferred", [True, False])
def test_values_are_those_of_one_process(alone, is_deferred):
    start, end = alone
    settings = {**SHARDED, "meta_device": is_deferred}
    for found, after, seen, _ in run_in_processes(
        model_build_cases.build_and_train, 2, settings, 4, timeout=120
    ):
        assert seen == [is_deferred]
        assert list(found) == list(start)
        for name, value in start.items():
            assert torch.equal(found[name], value), name
            assert torch.allclose(after[name], end[name], atol=1e-5), name


def test_a_model_that_reads_what_changed_is_built_whole():
    function = functools.partial(model_build_cases.build_and_train, late="read")
    ranks = run_in_processes(function, 2, SHARDED, 4, timeout=120)
    for found, _, seen, _ in ranks:
        assert seen == [False]  # of the second attempt: the first one did not end
        assert torch.equal(found["table"], torch.arange(90_000.0))
    assert "The model is built whole in each process before it is sharded, since" in ranks[0][-1]


def test_a_model_that_cannot_be_filled_is_refused_with_the_remedy():
    function = functools.partial(model_build_cases.build_and_train, late="unread")
    with pytest.raises(Exception, match="set meta_device=False in parallel"):
        run_in_processes(function, 2, SHARDED, 4, timeout=120)
