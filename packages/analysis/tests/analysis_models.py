"""Small models that the tests of this package count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn


class Example(nn.Module):
    """A convolution, a norm and a linear layer that run, and a linear layer that does not."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.relu = nn.ReLU()
        self.fc = nn.Linear(8, 10)
        self.unused = nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.relu(self.bn(self.conv(x))).mean((2, 3)))


class Part(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x)


class Shared(nn.Module):
    """One part under two names, and another."""

    def __init__(self) -> None:
        super().__init__()
        self.a = Part()
        self.b = self.a
        self.c = Part()

    def forward(self, x: Tensor) -> Tensor:
        return self.c(self.b(self.a(x)))


class Borrowing(nn.Module):
    """Its module ``q`` calls a part that is stored in ``h``, which itself does not run."""

    def __init__(self) -> None:
        super().__init__()
        self.h = nn.ModuleDict({"p": Part()})
        self.q = Calls(lambda x: self.h["p"](x))

    def forward(self, x: Tensor) -> Tensor:
        return self.q(x)


class Calls(nn.Module):
    """Calls a function with modules and the inputs."""

    def __init__(self, function: Callable[..., Any], *modules: nn.Module) -> None:
        super().__init__()
        self.parts = nn.ModuleList(modules)
        self.function = function

    def forward(self, *inputs: Any) -> Any:
        return self.function(*self.parts, *inputs)
