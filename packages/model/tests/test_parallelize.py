"""Models spread over processes by ParallelSettings, without a runner."""

from __future__ import annotations

import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))

import parallelize_workers as workers

from eng.dist.testing import run_in_processes
from eng.model import (
    ParallelSettings,
    ParallelSettingsError,
    UnknownPartError,
    find_parts,
    recompute_parts,
)

SHARD = {"shard": 2, "wrap": ["WideBlock"]}
TENSOR = {"tensor": 2}


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words, self.head = nn.Embedding(4, 2), nn.Linear(2, 4, bias=False)
        self.head.weight = self.words.weight


@pytest.fixture(scope="module")
def ranks() -> list[dict[str, Any]]:
    """What each of two processes found."""
    bad: dict[str, Any] = {
        "tied": ({**TENSOR, "tensor_plan": {"head": "columns"}}, Tied()),
        "norm": ({**TENSOR, "tensor_plan": {"0": "rows"}}, nn.Sequential(nn.LayerNorm(2))),
        "no plan": (TENSOR, nn.Sequential(nn.Linear(2, 2))),
        "no blocks": ({"shard": 2, "compile": "blocks"}, nn.Sequential(nn.Linear(2, 2))),
        "unused plan": ({"data": 2, "tensor_plan": {"1": "rows"}}, nn.Sequential(nn.ReLU())),
    }
    eager = {"target": "blocks", "backend": "eager"}
    half = {"param_dtype": "bfloat16", "reduce_dtype": "float32", "output_dtype": "float32"}
    cases = {
        "norms shard": SHARD,
        "norms tensor": TENSOR,
        "overflow tensor": TENSOR,
        "overflow shard": SHARD,
        "dtypes pure": {**SHARD, "mixed_precision": {"params": "bfloat16"}},
        "dtypes pure replicas": {"data": 2, "mixed_precision": {"params": torch.bfloat16}},
        "dtypes mixed": {**SHARD, "mixed_precision": half},
        "compiled wrap": {**SHARD, "compile": eager},
        "compiled data": {"compile": eager, "checkpoint_activations": "WideBlock"},
        "gradients": [SHARD, SHARD, TENSOR],
        "accumulated once": {**SHARD, "sync_accumulation": False},
        "accumulated tensor": {**TENSOR, "sync_accumulation": False},
        "accumulated each": SHARD,
        "refusals": bad,
    }
    return run_in_processes(workers.everything, 2, cases, timeout=120)


@pytest.mark.parametrize("name", ["shard", "tensor"])
def test_gradients_are_clipped_by_the_norm_of_all_shards(
    ranks: list[dict[str, Any]], name: str
) -> None:
    wanted = workers.norms(None)
    for rank in ranks:
        for order, (norm, weights) in rank[f"norms {name}"].items():
            assert norm == pytest.approx(wanted[order][0], rel=1e-5)
            for weight, other in zip(weights, wanted[order][1], strict=True):
                torch.testing.assert_close(weight, other, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["shard", "tensor"])
def test_an_overflow_in_one_process_skips_the_step_of_all(
    ranks: list[dict[str, Any]], name: str
) -> None:
    for rank in ranks:
        assert rank[f"overflow {name}"] == (True, 8.0)


def test_dtypes_of_parameters_and_outputs(ranks: list[dict[str, Any]]) -> None:
    for rank in ranks:
        assert rank["dtypes pure"] == ({torch.bfloat16}, torch.bfloat16)
        assert rank["dtypes pure replicas"] == ({torch.bfloat16}, torch.bfloat16)
        assert rank["dtypes mixed"] == ({torch.float32}, torch.float32)


def test_blocks_are_compiled(ranks: list[dict[str, Any]]) -> None:
    wanted = float(workers.make(None)(workers.batch()["inputs"]).detach().square().mean())
    for rank in ranks:
        for name in ("compiled wrap", "compiled data"):
            compiled, loss = rank[name]
            assert compiled == [True, True, False]
            assert loss == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("name", ["once", "tensor", "each"])
def test_gradients_are_summed_once_an_update_or_in_each_iteration(
    ranks: list[dict[str, Any]], name: str
) -> None:
    wanted = workers.accumulated(None)["weights"]
    is_each = name == "each"
    for rank in ranks:
        found = rank[f"accumulated {name}"]
        assert found["has gradients"] == is_each
        assert found["state"] == ({} if is_each else {"lost": True})
        assert found["count"] == (4 if is_each else 0)
        for weight, other in zip(found["weights"], wanted, strict=True):
            torch.testing.assert_close(weight, other, rtol=0, atol=1e-6)


def test_accumulated_gradients_are_restored_in_all_processes_or_in_none(
    ranks: list[dict[str, Any]],
) -> None:
    for rank in ranks:
        (same_count, same), (count, other) = rank["gradients"]
        assert same_count == count == 1
        assert all(same)
        assert not any(other)


def test_a_model_that_does_not_fit_is_refused(ranks: list[dict[str, Any]]) -> None:
    texts = {
        "tied": "splits 'head', whose weight is shared with another module",
        "norm": "by rows, which is for linear layers and embeddings; '0' is a LayerNorm",
        "no plan": "which Sequential does not have: set tensor_plan",
        "no blocks": "set wrap, or compile to the name of a class",
        "unused plan": "tensor_plan: Sequential has no part '1'",
        "call": "the copy of a sharded",
        "device": "the average of a sharded model is on the device of its shards",
    }
    for rank in ranks:
        assert set(rank["refusals"]) == set(texts)
        for name, text in texts.items():
            assert text in rank["refusals"][name]


def test_parts_are_found_by_names_and_classes() -> None:
    model = workers.Stack()
    blocks = list(model.blocks)
    for names in (["WideBlock"], ["blocks"], ["blocks.*"], ["blocks.1", "blocks.0", "blocks"]):
        assert find_parts(model, names) == blocks
    assert find_parts(model, [f"{workers.WideBlock.__module__}.WideBlock"]) == blocks
    assert find_parts(model, ["blocks.*.up"]) == [block.up for block in blocks]
    assert find_parts(model, ["Linear", "tail"])[-1] is model.tail
    for name, hint in (("blocks.*.upp", "'blocks.*.up'"), ("Wideblock", "'WideBlock'")):
        with pytest.raises(UnknownPartError, match=f"wrap: Stack has no part.*{hint}"):
            find_parts(model, [name], "wrap")
    with pytest.raises(UnknownPartError, match="its parts are data_preprocessor, blocks, tail"):
        find_parts(model, ["*.*.*.*"])


def test_a_copy_of_a_recomputed_module_calls_its_own_method() -> None:
    model = nn.Sequential(nn.Linear(2, 2))
    recompute_parts([model[0]])
    copied = deepcopy(model)
    nn.init.zeros_(copied[0].weight)
    nn.init.zeros_(copied[0].bias)
    assert copied(torch.ones(1, 2)).tolist() == [[0, 0]]
    assert model(torch.ones(1, 2)).tolist() != [[0, 0]]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("rest", "parallel must be a dict such as dict"),
        ({"sharding": 2}, "no setting 'sharding': did you mean 'shard'"),
        ({"wrap": [nn.Linear]}, "wrap must be names of parts of the model or of their classes"),
        ({"checkpoint_activations": 3}, "checkpoint_activations must be names"),
        ({"tensor_plan": ["up"]}, "tensor_plan must be styles by names of layers"),
        ({"tensor_plan": {"up": "colums"}}, "did you mean 'columns'"),
        ({"compile": {"target": "train_step"}}, "the whole step is compiled by the setting"),
        ({"compile": 3}, "compile must be names"),
        ({"mixed_precision": "bfloat16"}, "mixed_precision must be a dict"),
        ({"mixed_precision": {"dtype": "bfloat16"}}, "did you mean 'param_dtype'"),
        ({"mixed_precision": {"params": "int8"}}, "params of mixed_precision must be a dtype"),
        ({"mixed_precision": {"cast_forward_inputs": 1}}, "must be True or False"),
        ({"data": "rest", "shard": "rest"}, "only one size may be 'rest'"),
        ({"data": -1}, "data must be a number of processes"),
        ({"cpu_offload": "yes"}, "cpu_offload must be True or False"),
        ({"sync_accumulation": 0}, "sync_accumulation must be True or False"),
        ({"reshard_after_forward": "no"}, "reshard_after_forward must be"),
    ],
)
def test_invalid_settings_are_refused(given: Any, text: str) -> None:
    with pytest.raises(ParallelSettingsError, match=text):
        ParallelSettings.parse(given)


@pytest.mark.parametrize(
    ("given", "world_size", "wanted"),
    [
        ({}, 4, (4, 1, 1)),
        ({"tensor": 2}, 4, (2, 1, 2)),
        ({"shard": "rest"}, 4, (1, 4, 1)),
        ({"data": 2, "shard": "rest", "_scope_": "mmengine"}, 8, (2, 4, 1)),
        ({"shard": 2}, 8, (4, 2, 1)),
    ],
)
def test_sizes_that_are_left_out(given: Any, world_size: int, wanted: tuple[int, ...]) -> None:
    assert tuple(ParallelSettings.parse(given).sizes(world_size).values()) == wanted
