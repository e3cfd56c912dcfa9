from collections import OrderedDict

import pytest
import torch
from torch import nn
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper

from eng.dl_utils import is_model_wrapper, plain_name, unwrap
from eng.registry import MODEL_WRAPPERS, Registry


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
        self.head = nn.Linear(2, 1)

    def forward(self, x):
        return self.head(self.body(x))


class Own(nn.Module):
    """A wrapper of somebody else's, with a parameter of its own beside the model."""

    def __init__(self, module):
        super().__init__()
        self.module = module
        self.scale = nn.Parameter(torch.ones(1))


def compiled(module):
    return torch.compile(module, backend="eager")


@pytest.fixture
def registered():
    child = Registry("model wrapper", parent=MODEL_WRAPPERS, scope="wrapping_test")
    child.register_module(module=Own)
    yield
    MODEL_WRAPPERS.children.pop("wrapping_test")


@pytest.fixture
def group(tmp_path):
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1
    )
    yield
    torch.distributed.destroy_process_group()


def wrap(*wrappers):
    model = Net()
    for wrapper in reversed(wrappers):
        model = wrapper(model)
    return model


def names(model):
    return [plain_name(model, name) for name, _ in model.named_parameters()]


PLAIN = ["body.0.weight", "body.0.bias", "body.1.weight", "body.1.bias", "head.weight", "head.bias"]


def ddp(module):
    return nn.parallel.DistributedDataParallel(module)


def fsdp(module):
    from torch.distributed.fsdp import FullyShardedDataParallel

    return FullyShardedDataParallel(module, device_id=torch.device("cpu"), use_orig_params=True)


@pytest.mark.parametrize(
    "wrappers",
    [
        (),
        (nn.DataParallel,),
        (ddp,),
        (compiled,),
        (checkpoint_wrapper,),
        (compiled, ddp),
        (ddp, compiled),
        (nn.DataParallel, compiled, nn.DataParallel, checkpoint_wrapper),
    ],
)
def test_the_model_and_its_names_are_found_through_every_wrapper(group, wrappers):
    model = wrap(*wrappers)
    assert type(unwrap(model)) is Net
    assert names(model) == PLAIN
    assert [plain_name(model, name) for name in model.state_dict()][:2] == PLAIN[:2]


def test_fsdp_is_looked_through_as_a_whole_and_in_parts(group):
    model = Net()
    inner, model.body = model, fsdp(model.body)
    whole = fsdp(compiled(model))
    assert unwrap(whole) is inner
    assert names(whole) == PLAIN
    # Its states leave out its own name already, but not those of other wrappers.
    assert plain_name(whole, "_orig_mod.body.0.weight") == "body.0.weight"
    assert plain_name(whole, "_orig_mod.body._fsdp_wrapped_module.0.weight") == "body.0.weight"


def test_wrapped_parts_have_plain_names(group):
    model = Net()
    model.body[0] = ddp(compiled(model.body[0]))
    model.head = checkpoint_wrapper(compiled(model.head))
    assert unwrap(model) is model
    assert names(model) == PLAIN
    buffers = [plain_name(model, name) for name, _ in model.named_buffers()]
    assert buffers[0] == "body.1.running_mean"
    assert plain_name(model, "body.0.module") == "body.0"
    assert plain_name(model, "") == ""


def test_a_registered_wrapper_is_one_and_keeps_the_names_of_its_own_parameters(registered):
    model = wrap(Own, compiled)
    assert is_model_wrapper(model)
    assert type(unwrap(model)) is Net
    assert names(model) == ["scale", *PLAIN]
    assert not is_model_wrapper(model, Registry("other", scope="wrapping_test_2"))


def test_an_unregistered_class_with_a_module_is_a_model():
    model = wrap(Own)
    assert not is_model_wrapper(model)
    assert unwrap(model) is model
    assert names(model) == ["scale", *(f"module.{name}" for name in PLAIN)]


def test_a_model_that_has_a_part_called_module_keeps_its_name():
    model = nn.Sequential(OrderedDict(module=Net(), other=nn.Linear(1, 1)))
    for wrapped in (model, nn.DataParallel(model), compiled(nn.DataParallel(model))):
        assert unwrap(wrapped) is model
        assert names(wrapped)[0] == "module.body.0.weight"
        assert names(wrapped)[-1] == "other.bias"


def test_a_registered_wrapper_without_a_model_is_the_model(registered):
    empty = Own(None)
    assert is_model_wrapper(empty)
    assert unwrap(empty) is empty
    assert names(empty) == ["scale"]


def test_torch_wrappers_are_recognised():
    assert is_model_wrapper(nn.DataParallel(Net()))
    assert not is_model_wrapper(compiled(Net()))
    assert not is_model_wrapper(Net())
    assert MODEL_WRAPPERS.get("DataParallel") is nn.DataParallel
    assert MODEL_WRAPPERS.get("DistributedDataParallel") is nn.parallel.DistributedDataParallel


def test_looking_through_stops_at_a_class_that_is_kept():
    inner = nn.DataParallel(compiled(Net()))
    assert unwrap(compiled(inner), keep=(nn.DataParallel,)) is inner
    assert unwrap(inner, keep=(nn.DataParallel,)) is inner


def test_names_that_a_model_does_not_have_are_left_alone():
    assert plain_name(Net(), "module.body.0.weight") == "module.body.0.weight"
    assert plain_name(nn.DataParallel(Net()), "module.neck.conv.weight") == "neck.conv.weight"
