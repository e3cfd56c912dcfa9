"""Numbers, tables and texts for people."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))

from analysis_models import Example, Shared

from eng.analysis import (
    ActivationAnalyzer,
    FlopAnalyzer,
    activation_count,
    complexity_stats_str,
    complexity_stats_table,
    flop_count,
    get_model_complexity_info,
    parameter_count,
    parameter_count_table,
)
from eng.analysis.jit_handles import elementwise_flop_counter
from eng.analysis.print_helper import _format_size

IMAGE = torch.rand(1, 3, 16, 16)

TABLE = """
+-----------------+----------------------+----------+--------------+
| module          | #parameters or shape | #flops   | #activations |
+-----------------+----------------------+----------+--------------+
| model           | 0.336K               | 59.472K  | 2.058K       |
|  conv           |  0.224K              |  55.296K |  2.048K      |
|   conv.weight   |   (8, 3, 3, 3)       |          |              |
|   conv.bias     |   (8,)               |          |              |
|  bn             |  16                  |  4.096K  |  0           |
|   bn.weight     |   (8,)               |          |              |
|   bn.bias       |   (8,)               |          |              |
|  fc             |  90                  |  80      |  10          |
|   fc.weight     |   (10, 8)            |          |              |
|   fc.bias       |   (10,)              |          |              |
|  unused         |  6                   |          |              |
|   unused.weight |   (2, 2)             |          |              |
|   unused.bias   |   (2,)               |          |              |
+-----------------+----------------------+----------+--------------+"""

ARCH = """Example(
  #params: 0.34K, #flops: 59.47K, #acts: 2.06K
  (conv): Conv2d(
    3, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1)
    #params: 0.22K, #flops: 55.3K, #acts: 2.05K
  )
"""


def analyzers(model: nn.Module, inputs: Any) -> tuple[FlopAnalyzer, ActivationAnalyzer]:
    return FlopAnalyzer(model, inputs), ActivationAnalyzer(model, inputs)


def test_complexity_of_the_example() -> None:
    info = get_model_complexity_info(Example().eval(), (3, 16, 16))
    assert info["out_table"] == TABLE
    assert info["out_arch"].startswith("\nN/A")
    assert ARCH in info["out_arch"]
    assert "#params: 6, #flops: N/A, #acts: N/A" in info["out_arch"]
    assert "  (relu): ReLU()\n" in info["out_arch"]
    assert {name: value for name, value in info.items() if not name.startswith("out")} == {
        "flops": 59472,
        "flops_str": "59.472K",
        "activations": 2058,
        "activations_str": "2.058K",
        "params": 336,
        "params_str": "0.336K",
    }


def test_inputs_and_what_is_not_asked_for() -> None:
    info = get_model_complexity_info(
        Example().eval(), inputs=(IMAGE,), show_table=False, show_arch=False
    )
    assert (info["flops"], info["out_table"], info["out_arch"]) == (59472, "", "")
    assert get_model_complexity_info(Example().eval(), inputs=IMAGE)["flops"] == 59472


def test_several_inputs_by_their_shapes() -> None:
    class Two(nn.Module):
        def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return x @ y

    assert get_model_complexity_info(Two(), ((3, 4), (4, 5)))["flops"] == 60


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"input_shape": (4,), "inputs": torch.rand(1, 4)},
        {"input_shape": [4]},
        {"input_shape": ()},
        {"input_shape": ((4,), [4])},
        {"input_shape": (4.0,)},
        {"input_shape": "4"},
    ],
)
def test_wrong_inputs_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="input_shape"):
        get_model_complexity_info(nn.Linear(4, 4), **arguments)


def test_random_inputs_have_the_type_of_the_model() -> None:
    assert get_model_complexity_info(nn.Linear(4, 4).bfloat16(), (4,))["flops"] == 16


def test_a_model_without_parameters() -> None:
    info = get_model_complexity_info(nn.AdaptiveAvgPool2d(1), (3, 4, 4))
    assert (info["params"], info["flops"]) == (0, 48)


def test_a_missing_child_is_shown() -> None:
    model = Example().eval()
    model.register_module("none", None)
    info = get_model_complexity_info(model, (3, 16, 16))
    assert "(none): None" in info["out_arch"]
    assert info["flops"] == 59472


def test_a_module_of_one_part_is_merged_with_it() -> None:
    text = complexity_stats_table(FlopAnalyzer(Shared(), torch.rand(2, 4)), show_param_shapes=False)
    assert [line.split("|")[1:-1] for line in text.splitlines() if line[0] == "|"] == [
        [" module ", " #parameters ", " #flops "],
        [" model  ", " 40          ", " 96     "],
        ["  a.fc  ", "  20         ", "  64    "],
        ["  c.fc  ", "  20         ", "  32    "],
    ]


def test_depth_of_the_table() -> None:
    inner = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model = nn.Sequential(nn.Sequential(inner, nn.Linear(4, 4)), nn.Linear(4, 4))
    flops = FlopAnalyzer(model, torch.rand(2, 4))
    names = {}
    for depth in range(5):
        lines = complexity_stats_table(flops, max_depth=depth).splitlines()[3:-1]
        names[depth] = [line.split("|")[1].strip() for line in lines]
    assert names[0] == ["model"]
    assert names[1] == ["model", "0", "1"]
    assert names[2] == ["model", "0", "0.0", "0.1", "1", "1.weight", "1.bias"]
    assert "0.0.0" in names[3]
    assert "0.0.0.weight" not in names[3]
    assert "0.0.0.weight" in names[4]


def test_rows_of_zeros_stay_only_above_others() -> None:
    text = complexity_stats_table(*analyzers(Example().eval(), IMAGE)[:1])
    assert "relu" not in text
    assert "#activations" not in text


def test_text_without_uncalled_modules_has_no_note() -> None:
    text = complexity_stats_str(*analyzers(nn.Linear(4, 4), torch.rand(1, 4)))
    assert text.splitlines() == [
        "Linear(",
        "  in_features=4, out_features=4, bias=True",
        "  #params: 20, #flops: 16, #acts: 4",
        ")",
    ]


def test_counts_in_giga_and_mega() -> None:
    flops, skipped = flop_count(Example().eval(), (IMAGE,))
    assert flops == pytest.approx({"conv": 5.5296e-05, "batch_norm": 4.096e-06, "linear": 8e-08})
    assert flops["never"] == 0
    assert skipped == {"aten::mean": 1}
    activations, _ = activation_count(Example().eval(), (IMAGE,))
    assert activations == pytest.approx({"conv": 0.002048, "linear": 1e-05})


def test_further_operators_are_counted() -> None:
    more = {"aten::mean": elementwise_flop_counter(1), "aten::batch_norm": None}
    flops, skipped = flop_count(Example().eval(), (IMAGE,), more)
    assert set(flops) == {"conv", "mean", "linear"}
    assert flops["mean"] == 2048 / 1e9
    assert not skipped


def test_parameter_count() -> None:
    counts = parameter_count(Example())
    assert {name: counts[name] for name in ("", "conv", "conv.weight", "conv.bias", "bn")} == {
        "": 336,
        "conv": 224,
        "conv.weight": 216,
        "conv.bias": 8,
        "bn": 16,
    }
    assert counts["none"] == 0
    assert parameter_count(Shared())[""] == 40


def test_parameter_count_table() -> None:
    lines = parameter_count_table(Example(), max_depth=1).splitlines()
    assert lines[0].strip() == "parameter count of Example"
    assert lines[1:] == [
        "+---------+--------------------+",
        "| name    | #elements or shape |",
        "+---------+--------------------+",
        "| model   | 0.3K               |",
        "|  conv   |  0.2K              |",
        "|  bn     |  16                |",
        "|  fc     |  90                |",
        "|  unused |  6                 |",
        "+---------+--------------------+",
    ]
    assert "|   conv.weight   |   (8, 3, 3, 3)     |" in parameter_count_table(Example())


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0"),
        (100, "100"),
        (101, "0.101K"),
        (12345, "12.345K"),
        (100000, "100K"),
        (100001, "0.1M"),
        (123456789, "0.123G"),
        (1e11, "100G"),
        (2e12, "2T"),
        (1e16, "10P"),
        (7.5, "7.5"),
    ],
)
def test_format_size(size: float, text: str) -> None:
    assert _format_size(size) == text


def test_format_size_options() -> None:
    assert _format_size(12345, 1) == "12.3K"
    assert _format_size(100000, 0) == "100K"
    assert _format_size(0, hide_zero=True) == ""
    assert _format_size(1, hide_zero=True) == "1"
