"""Losses of uneven batches are averaged over all samples or tokens of an update."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import LBFGS, SGD

sys.path.insert(0, str(Path(__file__).parent))
from normalizer_cases import Tagger, make_data, train, train_in_processes

from eng.dist.testing import run_in_processes
from eng.optim import OptimWrapper, count_samples, count_tokens

#: Two updates of three iterations, and a shorter one at the end.
UNEVEN = [4, 1, 2, 3, 3, 1, 5, 2]


def expected(kind: str, sums: list[int]) -> torch.Tensor:
    """The weights after updates with whole batches, whose loss is that of its tokens."""
    if kind == "tokens":
        return train([sums], None, 1)[0]
    model = Tagger()
    optimizer = SGD(model.parameters(), lr=0.5, momentum=0.9)
    inputs, labels = make_data(sum(sums))
    for part, targets in zip(inputs.split(sums), labels.split(sums), strict=True):
        optimizer.zero_grad()
        each = nn.functional.cross_entropy(
            model.net(part).transpose(1, 2), targets, reduction="none"
        )
        known = targets != -100
        (each.sum(1) / known.sum(1)).mean().backward()
        optimizer.step()
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_tokens_of_uneven_iterations_count_alike() -> None:
    weights, _ = train([UNEVEN], "tokens", 3)
    torch.testing.assert_close(weights, expected("tokens", [7, 7, 7]), rtol=1e-12, atol=1e-12)
    by_iteration, _ = train([UNEVEN], None, 3)
    assert (by_iteration - weights).abs().max() > 1e-3


def test_samples_of_uneven_iterations_count_alike() -> None:
    ones = [[1] * 12]  # each loss the mean of a sequence
    merged, _ = train(ones, "samples", 4)
    torch.testing.assert_close(merged, expected("samples", [4] * 3), rtol=1e-12, atol=1e-12)
    mixed, _ = train([[1, 1, 1, 1, 1]], "samples", 2)
    torch.testing.assert_close(mixed, expected("samples", [2, 2, 1]), rtol=1e-12, atol=1e-12)


def test_uneven_processes_count_alike() -> None:
    sizes = [[4, 1, 2, 3, 3, 1], [1, 1, 6, 2, 4, 2]]
    found = run_in_processes(train_in_processes, 2, sizes, "tokens", 2)
    assert found[0] == found[1]
    whole = expected("tokens", [7, 13, 10])
    torch.testing.assert_close(
        torch.tensor(found[0], dtype=torch.float64), whole, rtol=1e-12, atol=1e-12
    )


def test_clipping_and_the_norm_are_those_of_the_whole_batch() -> None:
    clip: dict[str, Any] = {"clip_grad": {"max_norm": 0.1}}
    parts, wrapper = train([[4, 1, 2]], "tokens", 3, **clip)
    whole, other = train([[7]], None, 1, **clip)
    torch.testing.assert_close(parts, whole, rtol=1e-12, atol=1e-12)
    norms = [w.message_hub.get_scalar("train/grad_norm").current() for w in (wrapper, other)]
    assert norms[0] == pytest.approx(norms[1])


def test_an_open_cycle_is_resumed_to_the_bit() -> None:
    expected, _ = train([UNEVEN[:3]], "tokens", 3)
    model = Tagger()
    inputs, labels = make_data(7)
    batches = [
        {"inputs": x, "labels": y}
        for x, y in zip(inputs.split([4, 1, 2]), labels.split([4, 1, 2]), strict=True)
    ]
    state: Any = None
    for step, batch in enumerate(batches):
        wrapper = OptimWrapper(
            SGD(model.parameters(), lr=0.5, momentum=0.9), 3, loss_normalizer="tokens"
        )
        wrapper.zero_grad()
        if state is not None:
            wrapper.load_accumulation_state(state)
        wrapper.initialize_count_status(model, step, 3)
        model.train_step(batch, wrapper)
        state = wrapper.accumulation_state()
    found = torch.cat([p.detach().flatten() for p in model.parameters()])
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_a_batch_without_a_token_changes_nothing() -> None:
    model = Tagger()
    wrapper = OptimWrapper(SGD(model.parameters(), lr=1.0), 2, loss_normalizer="tokens")
    inputs, labels = make_data(3)
    empty = {"inputs": inputs[:2], "labels": torch.full((2, 6), -100)}
    model.train_step({"inputs": inputs, "labels": labels}, wrapper)
    model.train_step(empty, wrapper)
    found = torch.cat([p.detach().flatten() for p in model.parameters()])
    other = Tagger()
    model = other
    wrapper = OptimWrapper(SGD(model.parameters(), lr=1.0))
    model.train_step({"inputs": inputs, "labels": labels}, wrapper)
    whole = torch.cat([p.detach().flatten() for p in model.parameters()])
    torch.testing.assert_close(found, whole, rtol=1e-12, atol=1e-12)


def test_a_function_counts_anything() -> None:
    by_function, _ = train([UNEVEN], lambda batch: count_tokens(batch, "labels"), 3)
    by_name, _ = train([UNEVEN], {"type": "tokens", "key": "labels"}, 3)
    assert torch.equal(by_function, by_name)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("token", "must be 'samples' or 'tokens', or a function, not 'token'"),
        ({"type": "tokens", "ignore": 0}, "has no setting .'ignore'.; it has"),
        ({"type": "samples", "key": "x"}, "has no setting"),
        ({}, "not None"),
        (3, "or a function of a batch, not int"),
    ],
)
def test_invalid_settings_are_refused(given: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        OptimWrapper(SGD(nn.Linear(1, 1).parameters(), lr=1), loss_normalizer=given)


def test_it_does_not_go_with_a_closure_nor_with_update_params() -> None:
    parameters = list(nn.Linear(1, 1).parameters())
    with pytest.raises(ValueError, match="does not go with LBFGS"):
        OptimWrapper(LBFGS(parameters), loss_normalizer="samples")
    wrapper = OptimWrapper(SGD(parameters, lr=1), loss_normalizer="samples")
    with pytest.raises(TypeError, match=r"call update_normalized\(loss, count\)"):
        wrapper.update_params(parameters[0].sum())


def test_targets_are_found() -> None:
    labels = torch.tensor([[1, 2, -100], [3, -100, -100]])
    assert count_tokens({"x": 1, "labels": labels}) == 3
    assert count_tokens({"labels": labels}, shift=1) == 1
    assert count_tokens({"labels": labels}, ignore_index=2) == 5
    assert count_tokens([torch.zeros(2), labels]) == 3
    assert count_samples({"x": torch.zeros(4, 2)}) == 4
    with pytest.raises(ValueError, match=r"the batch has \['x'\], none of labels"):
        count_tokens({"x": labels})
    with pytest.raises(ValueError, match=r"a tensor of integers, not of torch\.float32"):
        count_tokens({"labels": torch.zeros(2)})
    with pytest.raises(ValueError, match="a tensor of integers, not list"):
        count_tokens({"labels": [1, 2]})
