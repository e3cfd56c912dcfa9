"""A list of configs is built as a sequential model."""

import torch

from eng.model import BaseModule, Sequential
from eng.registry import MODELS


def test_a_list_of_models_is_a_sequential_whose_weights_are_initialised():
    made = []

    class Part(BaseModule):
        def init_weights(self):
            made.append(self)

        def forward(self, x):
            return x + 1

    model = MODELS.build([dict(type=Part), dict(type="torch.nn.ReLU")])
    assert type(model) is Sequential
    model.init_weights()
    assert made == [model[0]]
    assert model(torch.ones(1)).item() == 2
