"""Data elements in notebooks."""

from __future__ import annotations

import numpy as np
import torch

from eng.structures import BaseDataElement, InstanceData, LabelData, PixelData


class Printed:
    def __init__(self) -> None:
        self.parts: list[str] = []

    def text(self, obj: str) -> None:
        self.parts.append(obj)


def show(element: BaseDataElement) -> str:
    printed = Printed()
    element._repr_pretty_(printed, False)
    return "".join(printed.parts)


def test_fields_are_a_table() -> None:
    element = InstanceData(
        metainfo={"img_shape": (4, 5)},
        boxes=torch.tensor([[0.0, 1, 2, 3], [4, 5, 6, 7.5]]),
        labels=torch.tensor([1, 2]),
        names=["<a>", "b"],
    )
    assert show(element).splitlines() == [
        "InstanceData of 2",
        "  boxes        Tensor float32  2 x 4  0 to 7.5",
        "  labels       Tensor int64    2      [1, 2]",
        "  names        list            2      ['<a>', 'b']",
        "  (img_shape)  tuple           2      (4, 5)",
    ]
    page = element._repr_html_()
    assert "<td>boxes</td><td>Tensor float32</td><td>2 x 4</td><td>0 to 7.5</td>" in page
    assert "&lt;a&gt;" in page
    assert " at 0x" not in page


def test_any_value_is_shown_short() -> None:
    element = BaseDataElement(
        empty=np.zeros((2, 0)),
        words=np.array(list("abcdef")),
        waves=torch.zeros(9, dtype=torch.complex64),
        flags=torch.tensor([True] * 9),
        one=torch.tensor(3),
        inner=BaseDataElement(a=1, b=2),
        long="x" * 1000,
        nothing=None,
        needs_grad=torch.ones(9, requires_grad=True),
    )
    lines = show(element).splitlines()
    assert lines[0] == "BaseDataElement"
    assert all(len(line) < 100 for line in lines)
    assert any("inner" in line and line.endswith("a, b") for line in lines)
    printed = Printed()
    element._repr_pretty_(printed, True)
    assert printed.parts == ["..."]


def test_every_element_has_a_display() -> None:
    assert "PixelData" in show(PixelData(mask=torch.zeros(4, 5)))
    assert "LabelData" in LabelData(item=torch.tensor([1]))._repr_html_()
    assert show(InstanceData()) == "InstanceData of 0"
