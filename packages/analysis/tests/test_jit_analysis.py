"""Counting by module and operator."""

from __future__ import annotations

import copy
import sys
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

sys.path.insert(0, str(Path(__file__).parent))

from analysis_models import Borrowing, Calls, Example, Part, Shared

from eng.analysis import ActivationAnalyzer, FlopAnalyzer, JitModelAnalysis
from eng.analysis.jit_handles import elementwise_flop_counter, generic_activation_jit

ROWS = torch.rand(2, 4)


def example() -> FlopAnalyzer:
    return FlopAnalyzer(Example().eval(), torch.rand(1, 3, 16, 16))


def test_counts_of_the_example() -> None:
    flops = example()
    by_module = {"": 59472, "conv": 55296, "bn": 4096, "relu": 0, "fc": 80, "unused": 0}
    assert flops.total() == 59472
    assert flops.by_operator() == {"conv": 55296, "batch_norm": 4096, "linear": 80}
    assert dict(flops.by_module()) == by_module
    assert flops.by_module_and_operator()["bn"] == {"batch_norm": 4096}
    assert flops.unsupported_ops() == {"aten::mean": 1}
    assert flops.unsupported_ops("conv") == {}
    assert flops.uncalled_modules() == {"unused"}
    assert flops.total("conv") == 55296
    activations = ActivationAnalyzer(Example().eval(), torch.rand(1, 3, 16, 16))
    assert activations.by_operator() == {"conv": 2048, "linear": 10}


def test_a_shared_module_is_counted_under_its_first_name() -> None:
    flops = FlopAnalyzer(Shared(), ROWS)
    assert flops.by_module() == {"": 96, "a": 64, "a.fc": 64, "c": 32, "c.fc": 32}
    assert flops.total("b.fc") == 64
    assert flops.canonical_module_name("b.fc") == "a.fc"


def test_names_of_modules_are_checked() -> None:
    flops = FlopAnalyzer(Shared(), ROWS)
    with pytest.raises(KeyError, match="'z' is not a module of the model"):
        flops.canonical_module_name("z")
    with pytest.raises(KeyError):
        flops.by_operator("fc")
    with pytest.raises(AssertionError):
        flops.canonical_module_name(3)  # type: ignore[arg-type]


def test_owner_and_caller() -> None:
    flops = FlopAnalyzer(Borrowing(), ROWS)
    assert flops.by_module() == {"": 32, "h": 32, "h.p": 32, "h.p.fc": 32, "q": 0, "q.parts": 0}
    assert "h" not in flops.uncalled_modules()
    assert flops.ancestor_mode("caller") is flops
    assert flops.by_module() == {"": 32, "h.p": 32, "h.p.fc": 32, "q": 32, "h": 0, "q.parts": 0}
    assert "h" in flops.uncalled_modules()


@pytest.mark.parametrize("method", ["ancestor_mode", "tracer_warnings"])
def test_another_mode_is_refused(method: str) -> None:
    with pytest.raises(ValueError, match="'nearest'"):
        getattr(example(), method)("nearest")


def test_unsupported_operators_are_unknown_before_a_run() -> None:
    flops = example()
    with pytest.raises(RuntimeError, match="nothing was counted yet"):
        flops.unsupported_ops()
    flops.total()
    flops.unsupported_ops()
    flops.set_op_handle("aten::mean", elementwise_flop_counter(1))
    with pytest.raises(RuntimeError):
        flops.unsupported_ops()
    assert flops.total() == 59472 + 2048
    assert flops.by_operator()["mean"] == 2048


def test_a_handle_of_none_ignores_what_was_counted() -> None:
    flops = example()
    assert flops.set_op_handle("aten::_convolution", None).total() == 4176
    assert flops.unsupported_ops() == {"aten::mean": 1}
    flops.set_op_handle("aten::mean", None, **{"aten::linear": lambda i, o: Counter(own=7)})
    assert flops.by_operator() == {"batch_norm": 4096, "own": 7}
    assert flops.unsupported_ops() == {}


def test_cleared_handles_leave_everything_uncounted() -> None:
    flops = example().clear_op_handles()
    assert flops.total() == 0
    assert flops.unsupported_ops() == {
        f"aten::{name}": 1 for name in ("_convolution", "batch_norm", "mean", "linear")
    }


@pytest.mark.parametrize("arguments", [("aten::mean",), (3, None), ("aten::mean", "count")])
def test_wrong_handles_are_refused(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        example().set_op_handle(*arguments)


def test_the_base_class_counts_what_it_is_told() -> None:
    analyzer = JitModelAnalysis(Example().eval(), torch.rand(1, 3, 16, 16))
    analyzer.set_op_handle("aten::linear", generic_activation_jit("outputs"))
    assert analyzer.by_operator() == {"outputs": 10}


def test_a_copy_has_class_and_settings_of_its_own() -> None:
    flops = FlopAnalyzer(Shared(), ROWS).set_op_handle("aten::linear", None)
    assert flops.total() == 0
    other = flops.copy(Part(), torch.rand(3, 4))
    assert type(other) is FlopAnalyzer
    assert other.total() == 0
    other.set_op_handle("aten::linear", elementwise_flop_counter(1))
    assert other.total() == 12
    assert flops.total() == 0
    assert flops.copy(new_inputs=torch.rand(5, 4))._model is flops._model


def model_that_warns(name: str) -> Calls:
    """Runs an operator without a handle, and not its layer; the logger warns once of each."""
    model = Calls(lambda x: getattr(torch, name)(x))
    model.register_module(f"without_{name}", nn.Linear(2, 2))
    return model


def test_warns_of_what_is_not_counted(capsys: pytest.CaptureFixture[str]) -> None:
    FlopAnalyzer(model_that_warns("tanh"), ROWS).total()
    operators, modules = capsys.readouterr().out.strip().splitlines()
    assert operators.endswith("Unsupported operators, not counted: aten::tanh (1x)")
    assert modules.endswith("not called, not counted: without_tanh")


def test_warnings_can_be_switched_off(capsys: pytest.CaptureFixture[str]) -> None:
    flops = FlopAnalyzer(model_that_warns("sinh"), ROWS).unsupported_ops_warnings(False)
    assert flops.uncalled_modules_warnings(False).total() == 0
    assert capsys.readouterr().out == ""
    assert flops.unsupported_ops() == {"aten::sinh": 1}


def test_no_warning_of_modules_that_compute_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    model = Calls(lambda *parts: parts[-1], nn.Identity(), nn.ModuleList(), nn.Sequential())
    assert FlopAnalyzer(model, ROWS).total() == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("mode", "shown"), [("all", 2), ("no_tracer_warning", 1), ("none", 0), (None, 1)]
)
def test_warnings_of_a_run(mode: Any, shown: int) -> None:
    def run(x: torch.Tensor) -> torch.Tensor:
        warnings.warn("from the model", stacklevel=2)
        return x * int(x.sum())  # the tracer warns of this

    flops = FlopAnalyzer(Calls(run), ROWS)
    if mode:
        flops.tracer_warnings(mode)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        flops.total()
    assert len(caught) == shown


def test_a_run_changes_nothing() -> None:
    model = nn.Sequential(nn.Dropout(), nn.BatchNorm1d(4), Part()).train()
    before, inputs = copy.deepcopy(model.state_dict()), torch.rand(3, 4)
    random = torch.get_rng_state()
    assert FlopAnalyzer(model, inputs).total() == 3 * 4 * 5 + 48
    assert model.training
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert not model[1]._forward_hooks
    assert not model[1]._forward_pre_hooks


def test_a_failing_model_keeps_its_error_and_its_state() -> None:
    model = Part()
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        FlopAnalyzer(model, torch.rand(2, 5)).total()
    with pytest.raises(KeyError, match="missing"):
        FlopAnalyzer(Calls(lambda part, x: {}["missing"], model), ROWS).total()
    assert FlopAnalyzer(model, ROWS).total() == 32
    assert torch.backends.mha.get_fastpath_enabled()


@pytest.mark.parametrize(
    ("function", "inputs", "flops"),
    [
        (lambda part, x: {"pred": [part(x)]}, ROWS, 32),  # outputs of any form
        (lambda part, x: None if part(x).sum() > 0 else 1, ROWS, 32),
        (lambda part, x: type("Sample", (), {"pred": part(x)}), ROWS, 32),
        (lambda part, x: float(part(x).sum()), ROWS, 32),
        (lambda part, d: part(d["a"]) + part(d["b"][0]), ({"a": ROWS, "b": [ROWS, None]},), 64),
        (lambda part, n: part(torch.ones(n, 4)), (3,), 48),
        (lambda part: part(torch.ones(3, 4)), (), 48),
        (lambda part, x: part(x), ROWS.clone().requires_grad_(), 32),
        (lambda part, x: checkpoint(part, x, use_reentrant=True), ROWS, 32),
        (lambda part, x: checkpoint(part, x, use_reentrant=False), ROWS, 32),
        (lambda part, x: [part(x) for _ in range(3)], ROWS, 96),
    ],
)
def test_inputs_and_outputs_of_any_form(function: Any, inputs: Any, flops: int) -> None:
    assert FlopAnalyzer(Calls(function, Part()), inputs).total() == flops


def test_wrappers_are_looked_through() -> None:
    for model in (nn.DataParallel(Shared()), nn.DataParallel(nn.DataParallel(Shared()))):
        assert FlopAnalyzer(model, ROWS).by_module()["a.fc"] == 64


def test_a_missing_child() -> None:
    model = Part()
    model.norm = None
    assert FlopAnalyzer(model, ROWS).by_module() == {"": 32, "fc": 32}


def test_sizes_are_calculated_for_nothing() -> None:
    def run(x: torch.Tensor) -> torch.Tensor:
        n, c = x.shape
        return x.reshape(n * c // 2, 2).transpose(0, 1)

    flops = FlopAnalyzer(Calls(run), ROWS)
    assert flops.total() == 0
    assert flops.unsupported_ops() == {}


@pytest.mark.slow
def test_a_compiled_model() -> None:
    assert FlopAnalyzer(torch.compile(Shared()), ROWS).by_module()["a.fc"] == 64
    model = nn.Sequential(torch.compile(Part()), Part())
    model[1].compile()
    assert FlopAnalyzer(model, ROWS).total() == 64
    assert "forward" in vars(model[0])
    assert model[1]._compiled_call_impl is not None
