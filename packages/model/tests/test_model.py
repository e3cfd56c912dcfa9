import logging
from collections import ChainMap, OrderedDict, defaultdict, namedtuple
from collections.abc import Mapping
from types import MappingProxyType

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.optim import SGD

from eng.model import (
    BaseDataPreprocessor,
    BaseModel,
    BaseModule,
    MMDistributedDataParallel,
    ModuleDict,
    ModuleList,
    Sequential,
    detect_anomalous_params,
    initialize,
    is_model_wrapper,
    merge_dict,
)
from eng.optim import OptimWrapper, OptimWrapperDict
from eng.registry import MODEL_WRAPPERS, MODELS, WEIGHT_INITIALIZERS, Registry


class Classifier(BaseModel):
    def __init__(self, data_preprocessor=None):
        super().__init__(data_preprocessor)
        self.net = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Linear(6, 3))

    def forward(self, inputs, data_samples=None, mode="tensor"):
        logits = self.net(inputs)
        if mode == "loss":
            loss = functional.cross_entropy(logits, data_samples)
            return {"loss_ce": loss, "acc": (logits.argmax(1) == data_samples).float()}
        return list(logits.argmax(1)) if mode == "predict" else logits


def make(seed=0):
    torch.manual_seed(seed)
    return Classifier()


def batches(count):
    generator = torch.Generator().manual_seed(7)
    return [
        (torch.randn(8, 4, generator=generator), torch.randint(3, (8,), generator=generator))
        for _ in range(count)
    ]


@pytest.mark.parametrize("as_dict", [True, False])
def test_train_step_is_a_bare_loop_bit_for_bit(as_dict):
    model, plain = make(), make()
    wrapper = OptimWrapper(SGD(model.parameters(), lr=0.1, momentum=0.9))
    optimizer = SGD(plain.parameters(), lr=0.1, momentum=0.9)
    for inputs, labels in batches(5):
        data = {"inputs": inputs, "data_samples": labels} if as_dict else (inputs, labels)
        log_vars = model.train_step(data, wrapper)
        optimizer.zero_grad()
        loss = functional.cross_entropy(plain.net(inputs), labels)
        loss.backward()
        optimizer.step()
        assert list(log_vars) == ["loss", "loss_ce", "acc"]
        assert log_vars["loss"].item() == loss.item()
        assert not any(value.requires_grad for value in log_vars.values())
    ours, theirs = model.net.state_dict(), plain.net.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_step_with_several_optimizers_says_what_is_to_be_done():
    model = make()
    wrappers = OptimWrapperDict(net=OptimWrapper(SGD(model.parameters(), lr=0.1)))
    inputs, labels = batches(1)[0]
    with pytest.raises(NotImplementedError, match=r"call update_params of one of its wrappers"):
        model.train_step({"inputs": inputs, "data_samples": labels}, wrappers)


def test_val_and_test_step_predict():
    model = make().eval()
    inputs, _ = batches(1)[0]
    wanted = list(model.net(inputs).argmax(1))
    assert model.val_step({"inputs": inputs}) == wanted
    assert model.test_step([inputs]) == wanted


def test_parse_losses():
    a, b = torch.tensor([1.0, 3.0], requires_grad=True), torch.tensor(5.0)
    total, log_vars = make().parse_losses({"loss_a": a, "loss_list": [a, b], "acc": b})
    assert total.item() == 2 + (2 + 5)
    assert total.requires_grad
    assert {name: v.item() for name, v in log_vars.items()} == {
        "loss": 9, "loss_a": 2, "loss_list": 7, "acc": 5
    }  # fmt: skip
    assert next(iter(log_vars)) == "loss"
    total, log_vars = make().parse_losses({"loss": b})
    assert (total.item(), list(log_vars)) == (5, ["loss"])
    with pytest.raises(TypeError, match="loss 'loss_x' must be a tensor or a list of tensors, not"):
        make().parse_losses({"loss_x": 1.0})
    with pytest.raises(TypeError, match="'loss_x'"):
        make().parse_losses({"loss_x": []})
    with pytest.raises(TypeError, match="'loss_x'"):
        make().parse_losses({"loss_x": [], "acc": b})
    with pytest.raises(ValueError, match=r"none of \['acc'\] has 'loss'"):
        make().parse_losses({"acc": b})


def test_an_empty_list_of_losses_is_zero():
    loss = torch.tensor(5.0, requires_grad=True)
    total, log_vars = make().parse_losses({"loss_aux": [], "loss": loss, "accs": []})
    assert total is loss
    assert {name: v.item() for name, v in log_vars.items()} == {"loss": 5, "loss_aux": 0, "accs": 0}
    total, log_vars = make().parse_losses({"loss": [], "loss_cls": loss})
    assert {name: v.item() for name, v in log_vars.items()} == {"loss": 5, "loss_cls": 5}


def test_a_constant_of_the_cpu_is_added_to_losses_of_any_device():
    there = torch.ones(2, device="meta")
    total, _ = make().parse_losses({"loss": there, "loss_none": torch.tensor(0.0)})
    assert total.is_meta
    total, _ = make().parse_losses({"loss": [torch.tensor(0.0), there]})
    assert total.is_meta


@pytest.mark.parametrize(
    ("value", "kind"),
    [(torch.ones(1), "Tensor"), ([torch.ones(1)], "list"), (None, "NoneType"), (3.0, "float"),
     ((torch.ones(1), {}), "tuple")],
)  # fmt: skip
def test_what_is_no_dict_of_losses_is_told(value, kind):
    class Wrong(Classifier):
        def forward(self, inputs, data_samples=None, mode="tensor"):
            return value

    model = Wrong()
    wrapper = OptimWrapper(SGD(model.parameters(), lr=0.1))
    words = rf"forward\(\) of Wrong must return a dict of losses by name .* not {kind}"
    with pytest.raises(TypeError, match=words):
        model.train_step({"inputs": torch.ones(2, 4)}, wrapper)
    with pytest.raises(TypeError, match=words):
        model.parse_losses(value)


def test_a_nan_loss_stops_training_by_name_and_iteration_if_asked_to():
    class Broken(Classifier):
        def forward(self, inputs, data_samples=None, mode="tensor"):
            losses = super().forward(inputs, data_samples, mode)
            return {**losses, "loss_box": losses["loss_ce"] * inputs.sum()}

    model = Broken()
    wrapper = OptimWrapper(SGD(model.parameters(), lr=0.1), stop_on_nan_loss=True)
    (inputs, labels), (last, _) = batches(2)
    model.train_step({"inputs": inputs, "data_samples": labels}, wrapper)
    before = [p.detach().clone() for p in model.parameters()]
    last[0, 0] = float("nan")
    model.eval()  # the statistics of the batch would be NaN, and all losses with them
    with pytest.raises(FloatingPointError, match=r"iteration 2: .*loss_box is nan"):
        model.train_step({"inputs": last, "data_samples": labels}, wrapper)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_the_preprocessor_comes_from_a_config_or_is_given():
    assert isinstance(make().data_preprocessor, BaseDataPreprocessor)
    given_one = BaseDataPreprocessor()
    assert Classifier(given_one).data_preprocessor is given_one
    assert Classifier({"non_blocking": True}).data_preprocessor.non_blocking is True
    with pytest.raises(TypeError, match="not str"):
        Classifier("BaseDataPreprocessor")

    class Odd(BaseDataPreprocessor):
        def forward(self, data, training=False):
            return {1, 2}

    with pytest.raises(TypeError, match=r"Classifier must return a dict, a list .*, not set"):
        Classifier(Odd()).val_step([torch.zeros(1)])


Pair = namedtuple("Pair", "image label")


def test_preprocessor_keeps_every_nesting():
    class Sample:
        def to(self, device, non_blocking=False):
            return ("moved", device.type)

    data = {
        "tensor": torch.ones(2),
        "nested": [{"a": (torch.zeros(1), "text", None, 3)}, Pair(torch.ones(1), b"x")],
        "sample": Sample(),
    }
    out = BaseDataPreprocessor()(data)
    assert torch.equal(out["tensor"], torch.ones(2))
    assert out["nested"][0]["a"][1:] == ("text", None, 3)
    assert isinstance(out["nested"][1], Pair)
    assert out["nested"][1].label == b"x"
    assert out["sample"] == ("moved", "cpu")


def test_batches_follow_the_model_to_its_device():
    model = make().to("meta")
    assert model.data_preprocessor.device.type == "meta"
    assert model.data_preprocessor([torch.ones(2)])[0].device.type == "meta"
    assert nn.ModuleList([BaseDataPreprocessor()])[0].to("meta").device.type == "meta"
    assert make().to(torch.float64).data_preprocessor.device.type == "cpu"
    assert BaseDataPreprocessor().to("meta").cpu().device.type == "cpu"
    assert make().cpu().data_preprocessor.device.type == "cpu"


def test_a_module_around_a_model_moves_its_preprocessor_along():
    holder = nn.ModuleDict({"inner": nn.ModuleList([Classifier()])})
    preprocessor = holder["inner"][0].data_preprocessor
    bare = nn.Sequential(BaseDataPreprocessor())
    assert preprocessor.device == torch.device("cpu")
    for module, part in ((holder, preprocessor), (bare, bare[0])):
        module.to(torch.float64)
        module.half().float()
        assert part.device == torch.device("cpu")
        module.to("meta")
        assert part.device == torch.device("meta")
        assert part.cast_data({"inputs": torch.ones(2)})["inputs"].is_meta
        module.double()
        assert part.device == torch.device("meta")
        module.to_empty(device="cpu")
        assert part.device == torch.device("cpu")
        module.cpu()
        assert part.device == torch.device("cpu")


def test_a_class_whose_to_takes_a_device_alone_is_moved():
    class Boxes:
        def to(self, device):
            return ("moved", device)

    assert BaseDataPreprocessor().cast_data([Boxes()]) == [("moved", torch.device("cpu"))]


class Answers(Mapping):
    def __init__(self, name):
        self.values_of = {name: torch.ones(1)}

    def __getitem__(self, key):
        return self.values_of[key]

    def __iter__(self):
        return iter(self.values_of)

    def __len__(self):
        return len(self.values_of)


@pytest.mark.parametrize(
    "data",
    [
        defaultdict(list, a=torch.ones(1)),
        OrderedDict(a=torch.ones(1)),
        MappingProxyType({"a": torch.ones(1)}),
        ChainMap({"a": torch.ones(1)}),
        Answers("a"),
    ],
)
def test_any_mapping_of_a_batch_is_cast_to_a_plain_dict(data):
    preprocessor = BaseDataPreprocessor().to("meta")
    for batch in (data, {"nested": [data]}):
        cast = preprocessor.cast_data(batch)
        assert type(cast) is dict
        cast = cast["nested"][0] if "nested" in cast else cast
        assert type(cast) is dict
        assert list(cast) == ["a"]
        assert cast["a"].is_meta


# ------------------------------------------------------------------ modules, wrappers, the rest


@pytest.fixture
def fill():
    @WEIGHT_INITIALIZERS.register_module(name="FillForTest")
    class Fill:
        def __init__(self, value, layer=None):
            self.value, self.layer = value, layer

        def __call__(self, module):
            for part in module.modules():
                if self.layer is None or type(part).__name__ == self.layer:
                    for parameter in part.parameters(recurse=False):
                        nn.init.constant_(parameter, self.value)

    yield
    WEIGHT_INITIALIZERS.module_dict.pop("FillForTest")


def test_modules_initialise_themselves_then_their_children(fill):
    inner = Sequential(nn.Linear(1, 1), init_cfg={"type": "FillForTest", "value": 2.0})
    outer = ModuleList([inner, nn.Linear(1, 1)], init_cfg={"type": "FillForTest", "value": 1.0})
    outer.init_weights()
    assert inner[0].weight.item() == 2
    assert outer[1].weight.item() == 1
    assert outer.is_init
    nn.init.zeros_(inner[0].weight)
    outer.init_weights()
    assert inner[0].weight.item() == 0
    assert "init_cfg" in repr(outer)


def test_overrides(fill):
    module = ModuleDict({"body": nn.Linear(1, 1), "head": nn.Linear(1, 1)})
    initialize(
        module,
        {
            "type": "FillForTest",
            "value": 1.0,
            "override": {"type": "FillForTest", "name": "head", "value": 3.0},
        },
    )
    assert (module["body"].weight.item(), module["head"].weight.item()) == (1, 3)
    initialize(
        module,
        [{"type": "FillForTest", "value": 4.0, "layer": "Conv2d", "override": {"name": "head"}}],
    )
    assert (module["body"].weight.item(), module["head"].weight.item()) == (1, 4)
    with pytest.raises(TypeError, match="init_cfg must be a dict"):
        initialize(module, ["Xavier"])
    with pytest.raises(TypeError, match="override must be a dict"):
        initialize(module, {"type": "FillForTest", "value": 1, "override": [1]})
    with pytest.raises(ValueError, match=r"child of ModuleDict: \['body', 'head'\]"):
        initialize(module, {"type": "FillForTest", "value": 1, "override": {"name": "neck"}})
    with pytest.raises(ValueError, match="needs a 'type'"):
        initialize(
            module, {"type": "FillForTest", "value": 1, "override": {"name": "head", "value": 2}}
        )


def test_containers_are_registered():
    for cls in (Sequential, ModuleList, ModuleDict):
        assert MODELS.get(cls.__name__) is cls
    assert isinstance(BaseModule({"type": "x"}).init_cfg, dict)


@pytest.fixture
def group(tmp_path):
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1
    )
    yield
    torch.distributed.destroy_process_group()


def test_distributed_step_is_the_step_of_the_model(group):
    model, plain = make(), make()
    wrapped = MMDistributedDataParallel(model)
    ours = OptimWrapper(SGD(wrapped.parameters(), lr=0.1))
    theirs = OptimWrapper(SGD(plain.parameters(), lr=0.1))
    for inputs, labels in batches(3):
        data = {"inputs": inputs, "data_samples": labels}
        assert wrapped.train_step(data, ours) == plain.train_step(data, theirs)
    a, b = model.state_dict(), plain.state_dict()
    assert all(torch.equal(a[name], b[name]) for name in b)
    assert wrapped.eval().val_step(data) == plain.eval().val_step(data) == wrapped.test_step(data)
    assert is_model_wrapper(wrapped)
    assert is_model_wrapper(nn.parallel.DistributedDataParallel(make()))


def test_is_model_wrapper():
    assert not is_model_wrapper(make())
    child = Registry("model wrapper", parent=MODEL_WRAPPERS, scope="wrapper_test")

    @child.register_module()
    class Own(nn.Module):
        pass

    try:
        assert is_model_wrapper(Own())
        assert not is_model_wrapper(Own(), Registry("other", scope="wrapper_test_2"))
    finally:
        MODEL_WRAPPERS.children.pop("wrapper_test")


def test_anomalous_parameters_are_named(capfd, caplog):
    model = nn.ModuleDict({"used": nn.Linear(2, 1), "idle": nn.Linear(2, 1)})
    with caplog.at_level(logging.ERROR):
        detect_anomalous_params(model["used"](torch.ones(1, 2)).sum(), model)
    captured = capfd.readouterr()
    text = captured.out + captured.err + caplog.text
    assert "idle.weight with shape (1, 2)" in text
    assert "idle.bias" in text
    assert "used" not in text


def test_merge_dict_is_one_operation_when_traced():
    class Model(nn.Module):
        def forward(self, x):
            return merge_dict({"a": x}, {"b": x + 1})

    traced = torch.fx.symbolic_trace(Model())
    assert "_merge" in {getattr(n.target, "__name__", "") for n in traced.graph.nodes}
    assert traced(torch.tensor(1))["b"] == 2
    assert merge_dict({"a": 1}, {"a": 2}) == {"a": 2}
