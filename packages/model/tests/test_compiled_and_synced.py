"""What training costs beside its mathematics: waiting for a device, and breaks of compiled graphs.

There is no device to wait for here, but what would make the host wait for one are the same calls
everywhere: asking a tensor for a value, or bringing it to the CPU.
"""

import copy
import shutil
from importlib.util import find_spec
from unittest.mock import Mock

import pytest
import torch
from torch import nn
from torch._dynamo.utils import counters
from torch.nn import functional
from torch.optim import SGD, AdamW
from torch.utils._python_dispatch import TorchDispatchMode

from eng.model import BaseModel, ExponentialMovingAverage
from eng.optim import AmpOptimWrapper, CosineAnnealingLR, OptimWrapper

#: Operations that have the host wait for the device, by the start of their names.
WAITING = (
    "_local_scalar_dense",
    "item",
    "is_nonzero",
    "equal",
    "nonzero",
    "masked_select",
    "unique",
)


class Waits(TorchDispatchMode):
    """Counts operations at which the host would wait for a device."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.name().removeprefix("aten::").partition(".")[0]
        to_cpu = name == "_to_copy" and (kwargs or {}).get("device") == torch.device("cpu")
        if name in WAITING or to_cpu:
            self.seen.append(name)
        return func(*args, **(kwargs or {}))


class Classifier(BaseModel):
    def __init__(self, data_preprocessor=None):
        super().__init__(data_preprocessor)
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(12, 6), nn.BatchNorm1d(6), nn.Linear(6, 3))

    def forward(self, inputs, data_samples=None, mode="tensor"):
        logits = self.net(inputs)
        if mode == "loss":
            loss = functional.cross_entropy(logits, data_samples)
            return {"loss_ce": loss, "loss_z": [logits.square().mean() / 9], "acc": logits.mean()}
        return list(logits.argmax(1)) if mode == "predict" else logits


def make(preprocessor=None):
    torch.manual_seed(0)
    return Classifier(preprocessor)


def batch():
    generator = torch.Generator().manual_seed(1)
    return {
        "inputs": torch.randn(8, 3, 2, 2, generator=generator),
        "data_samples": torch.randint(3, (8,), generator=generator),
    }


def bare_loop(model, optimizer, steps, accumulative_counts=1, clip_grad=None):
    """The same by hand."""
    for step in range(1, steps + 1):
        data = batch()
        losses = model(data["inputs"], data["data_samples"], mode="loss")
        loss = (losses["loss_ce"] + losses["loss_z"][0]) / accumulative_counts
        loss.backward()
        if step % accumulative_counts:
            continue
        if clip_grad is not None:
            nn.utils.clip_grad_norm_(model.parameters(), **clip_grad)
        optimizer.step()
        optimizer.zero_grad()


@pytest.mark.parametrize("kind", [SGD, AdamW])
@pytest.mark.parametrize(
    "settings", [{}, {"accumulative_counts": 2}, {"clip_grad": {"max_norm": 1.0}}]
)
@pytest.mark.parametrize(
    "preprocessor",
    [None, {"type": "ImgDataPreprocessor", "mean": [1, 2, 3], "std": [1, 1, 2]}],
)
def test_a_training_step_waits_no_more_than_the_bare_loop(kind, settings, preprocessor):
    model, plain = make(preprocessor), make()
    optimizer = kind(plain.parameters(), lr=0.1)
    wrapper = OptimWrapper(kind(model.parameters(), lr=0.1), **settings)
    # What records losses and norms depends on the device: see the tests of eng-logging.
    wrapper.message_hub = Mock()
    scheduler = CosineAnnealingLR(wrapper, T_max=10, by_epoch=False)
    ema = ExponentialMovingAverage(model)
    with Waits() as bare:
        bare_loop(plain, optimizer, 4, **settings)
    with Waits() as ours:
        for _ in range(4):
            model.train_step(batch(), wrapper)
            scheduler.step()
            ema.update_parameters(model)
    assert ours.seen == bare.seen


def test_the_count_of_waits_sees_them():
    model = make()
    wrapper = OptimWrapper(SGD(model.parameters(), lr=0.1), stop_on_nan_loss=True)
    with Waits() as waits:
        log_vars = model.train_step(batch(), wrapper)
    assert "_local_scalar_dense" in waits.seen
    with Waits() as waits:
        log_vars["loss"].item()
    assert waits.seen == ["_local_scalar_dense"]


# ------------------------------------------------------------------ torch.compile


@pytest.fixture
def fresh():
    torch._dynamo.reset()
    counters.clear()
    yield
    torch._dynamo.reset()


@pytest.mark.parametrize("mode", ["tensor", "loss", "predict"])
@pytest.mark.parametrize(
    "backend",
    ["eager", pytest.param("inductor", marks=pytest.mark.skipif(
        not (shutil.which("g++") or shutil.which("clang++")) or find_spec("setuptools") is None,
        reason="inductor needs a compiler, and in some versions setuptools",
    ))],
)  # fmt: skip
def test_a_forward_pass_is_one_graph(fresh, mode, backend):
    model = make().eval()
    compiled = torch.compile(model, backend=backend, fullgraph=True)
    torch.testing.assert_close(compiled(**batch(), mode=mode), model(**batch(), mode=mode))
    assert sum(counters["graph_break"].values()) == 0
    assert counters["stats"]["unique_graphs"] == 1


def test_a_compiled_model_trains_and_predicts_as_it_is(fresh):
    plain, model = make(), make()
    compiled = torch.compile(model, backend="eager")
    theirs, ours = (OptimWrapper(SGD(m.parameters(), lr=0.1)) for m in (plain, compiled))
    for _ in range(3):
        wanted, got = plain.train_step(batch(), theirs), compiled.train_step(batch(), ours)
        torch.testing.assert_close(got, wanted)
    assert compiled.eval().val_step(batch()) == plain.eval().val_step(batch())


@pytest.mark.parametrize(
    ("wrapper", "settings"),
    [
        (OptimWrapper, {}),
        (OptimWrapper, {"accumulative_counts": 2, "clip_grad": {"max_norm": 1.0}}),
        (AmpOptimWrapper, {"dtype": "bfloat16"}),
    ],
)
def test_a_training_step_breaks_only_where_gradients_are_computed(fresh, wrapper, settings):
    model = make()
    report = torch._dynamo.explain(model.train_step)(
        batch(), wrapper(optimizer=SGD(model.parameters(), lr=0.1), **settings)
    )
    assert report.graph_break_count == 1
    assert report.break_reasons[0].user_stack[-1].name == "backward"


@pytest.mark.parametrize("settings", [{}, {"accumulative_counts": 2}])
def test_a_compiled_training_step_updates_as_it_is(fresh, settings):
    plain, model = make(), make()
    theirs, ours = (
        OptimWrapper(SGD(m.parameters(), lr=0.1, momentum=0.9), **settings) for m in (plain, model)
    )
    step = torch.compile(model.train_step, backend="eager")
    compiled = []
    for _ in range(10):
        wanted, got = plain.train_step(batch(), theirs), step(batch(), ours)
        torch.testing.assert_close(got, wanted)
        compiled.append(counters["frames"]["ok"])
    # Nothing is compiled anew once each kind of step has been seen a few times.
    assert compiled[-1] == compiled[6], compiled
    state, reference = copy.deepcopy(model.state_dict()), plain.state_dict()
    torch.testing.assert_close(state, reference)
