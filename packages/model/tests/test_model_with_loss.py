"""Any module trains with a loss function."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from eng.model import ModelWithLoss
from eng.optim import OptimWrapper
from eng.registry import MODELS

IMAGES, LABELS = torch.randn(4, 2), torch.tensor([0, 1, 2, 0])


class Two(nn.Module):
    """Takes two inputs by name."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(2, 3)

    def forward(self, image: Tensor, shift: Tensor) -> Tensor:
        out: Tensor = self.head(image) + shift
        return out


class WithOwnLoss(nn.Module):
    """Computes its loss itself, in an output with attributes or keys."""

    def __init__(self, kind: type = dict) -> None:
        super().__init__()
        self.head = nn.Linear(2, 3)
        self.kind = kind

    def forward(self, inputs: Tensor, labels: Tensor | None = None) -> Any:
        logits = self.head(inputs)
        loss = None if labels is None else F.cross_entropy(logits, labels)
        return self.kind(loss=loss, logits=logits)


@pytest.mark.parametrize(
    ("net", "batch", "target"),
    [
        (nn.Linear(2, 3), (IMAGES, LABELS), None),
        (nn.Linear(2, 3), [IMAGES, LABELS], None),
        (nn.Linear(2, 3), {"image": IMAGES, "label": LABELS}, None),
        (nn.Linear(2, 3), {"inputs": IMAGES, "data_samples": LABELS}, None),
        (nn.Linear(2, 3), {"image": IMAGES, "kind": LABELS}, "kind"),
        (Two(), {"shift": torch.zeros(3), "image": IMAGES, "targets": LABELS}, None),
        (Two(), (IMAGES, torch.zeros(3), LABELS), None),
    ],
)
def test_a_batch_is_a_tuple_or_a_dict(net: nn.Module, batch: Any, target: str | None) -> None:
    model = ModelWithLoss(net, F.cross_entropy, target=target)
    head: Any = net.head if isinstance(net, Two) else net
    expected = F.cross_entropy(head(IMAGES), LABELS)
    before = head.weight.detach().clone()
    optim_wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    assert torch.equal(model.train_step(batch, optim_wrapper)["loss"], expected)
    assert not torch.equal(head.weight, before)
    predictions = model.val_step(batch)
    assert torch.equal(torch.stack(predictions), head(IMAGES))


def test_losses_may_have_names() -> None:
    model = ModelWithLoss(nn.Linear(2, 3), lambda out, _: {"loss_a": out.sum(), "size": out.mean()})
    assert sorted(model(IMAGES, LABELS, mode="loss")) == ["loss_a", "size"]


@pytest.mark.parametrize("kind", [dict, SimpleNamespace])
def test_a_module_may_compute_its_loss_itself(kind: type) -> None:
    model = ModelWithLoss(WithOwnLoss(kind))
    batch = {"inputs": IMAGES, "labels": LABELS}
    loss = model(**batch, mode="loss")["loss"]
    assert torch.equal(loss, F.cross_entropy(model.net.head(IMAGES), LABELS))  # type: ignore[operator, union-attr]
    (first, *_) = model.val_step(batch)
    assert torch.equal(first["logits"], model.net.head(IMAGES)[0])  # type: ignore[operator, union-attr]
    with pytest.raises(ValueError, match="has no 'loss': give a loss function"):
        model(IMAGES, mode="loss")


@pytest.mark.parametrize("batch", [IMAGES, [IMAGES], {"image": IMAGES}])
def test_inputs_alone_are_enough_to_predict(batch: Any) -> None:
    model = ModelWithLoss(nn.Linear(2, 3), F.cross_entropy)
    assert len(model.test_step(batch)) == 4
    with pytest.raises(ValueError, match=r"needs targets, but it has .* alone"):
        model.train_step(batch, OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1)))


@pytest.mark.parametrize(
    ("output", "first"),
    [
        ((torch.arange(2), torch.ones(2, 3)), (torch.tensor(0), torch.ones(3))),
        (["a", "b"], "a"),
    ],
)
def test_predictions_of_several_outputs_are_split_by_sample(output: Any, first: Any) -> None:
    class Net(nn.Module):
        def forward(self, _: Tensor) -> Any:
            return output

    found = ModelWithLoss(Net(), F.mse_loss).val_step(torch.zeros(2, 1))
    assert len(found) == 2
    assert str(found[0]) == str(first)


def test_a_config_builds_it() -> None:
    MODELS.register_module(name="LinearForLoss", module=nn.Linear, force=True)
    model = MODELS.build(
        {
            "type": "ModelWithLoss",
            "net": {"type": "LinearForLoss", "in_features": 2, "out_features": 3},
            "loss": F.cross_entropy,
        }
    )
    assert float(model(IMAGES, LABELS, mode="loss")["loss"]) > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((5, F.mse_loss), "net must be a torch.nn.Module or a config, not int"),
     ((nn.Linear(1, 1), 5), "loss must be a function or module")],
)  # fmt: skip
def test_bad_arguments(arguments: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        ModelWithLoss(*arguments)
