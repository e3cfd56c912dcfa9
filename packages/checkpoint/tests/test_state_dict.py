import logging
from collections import OrderedDict

import pytest
import torch
from torch import nn

from eng.checkpoint import (
    CheckpointError,
    get_state_dict,
    load_checkpoint,
    load_state_dict,
    save_checkpoint,
    weights_to_cpu,
)
from eng.registry import MODEL_WRAPPERS, Registry


def net(width=3):
    return nn.Sequential(
        nn.Linear(2, width), nn.BatchNorm1d(width), nn.ModuleDict({"head": nn.Linear(width, 1)})
    )


def equal(a, b):
    return list(a) == list(b) and all(torch.equal(a[name], b[name]) for name in a)


def filled(model, value):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(value)
    return model


@pytest.fixture
def log(capfd, caplog):
    def text():
        captured = capfd.readouterr()
        return captured.out + captured.err + caplog.text

    with caplog.at_level(logging.INFO):
        yield text


def test_round_trip(tmp_path):
    path = str(tmp_path / "work" / "epoch_1.pth")
    model, other = net(), net()
    optimizer = torch.optim.Adam(model.parameters())
    model[:2](torch.randn(4, 2))
    content = {
        "state_dict": weights_to_cpu(get_state_dict(model)),
        "optimizer": optimizer.state_dict(),
        "meta": {"epoch": 1, "names": ["a"], "none": None, "rng": torch.get_rng_state()},
    }
    save_checkpoint(content, path)
    # plain data: torch itself reads it without running code of anybody
    assert torch.load(path, weights_only=True)["meta"]["epoch"] == 1
    checkpoint = load_checkpoint(other, path, strict=True)
    assert checkpoint["optimizer"] == optimizer.state_dict()
    assert equal(get_state_dict(model), get_state_dict(other))
    assert sorted(p.name for p in (tmp_path / "work").iterdir()) == ["epoch_1.pth"]


def test_bare_weights_are_a_checkpoint_too(tmp_path):
    path = str(tmp_path / "weights.pth")
    model, other = net(), net()
    torch.save(model.state_dict(), path)
    load_checkpoint(other, path, map_location="cpu", strict=True)
    assert equal(model.state_dict(), other.state_dict())


def test_names_are_revised(tmp_path):
    path = str(tmp_path / "weights.pth")
    model, other = net(), net()
    save_checkpoint({"state_dict": {f"module.{k}": v for k, v in model.state_dict().items()}}, path)
    load_checkpoint(other, path, strict=True)
    assert equal(model.state_dict(), other.state_dict())
    save_checkpoint({"state_dict": {f"net.{k}": v for k, v in model.state_dict().items()}}, path)
    load_checkpoint(
        filled(other, 0), path, strict=True, revise_keys=[(r"^net\.", "x."), (r"^x\.", "")]
    )
    assert equal(model.state_dict(), other.state_dict())


def test_what_does_not_fit_is_reported_and_the_rest_loaded(log):
    state = filled(net(), 7).state_dict()
    state["neck.weight"] = torch.zeros(1)
    del state["2.head.weight"]
    state["0.weight"] = torch.zeros(5, 2)
    model = filled(net(), 0)
    load_state_dict(model, state)
    text = log()
    assert "missing keys in source state_dict: 2.head.weight\n" in text
    assert "unexpected key in source state_dict: neck.weight\n" in text
    assert "size mismatch for 0.weight: (5, 2) in the state_dict, (3, 2) in the model\n" in text
    assert model[0].bias.tolist() == [7, 7, 7]
    assert model[0].weight.eq(0).all()
    with pytest.raises(
        CheckpointError, match=r"do not match exactly \(Sequential\)\n(.|\n)*neck\.weight"
    ):
        load_state_dict(net(), state, strict=True)


def test_a_missing_layer_is_told_but_for_its_counter(log):
    state = {name: value for name, value in net().state_dict().items() if not name.startswith("1.")}
    load_state_dict(net(), state)
    assert log().endswith(
        "missing keys in source state_dict: 1.weight, 1.bias, 1.running_mean, 1.running_var\n"
    )


def test_a_report_is_short_however_much_does_not_fit(log):
    class Block(torch.nn.Module):
        def __init__(self, width):
            super().__init__()
            self.conv, self.norm = torch.nn.Linear(1, width), torch.nn.BatchNorm1d(width)

    def backbone(width):
        stages = {f"stage{i}": torch.nn.Sequential(*(Block(width) for _ in range(9)))
                  for i in range(4)}  # fmt: skip
        return torch.nn.ModuleDict({"backbone": torch.nn.ModuleDict(stages)})

    model = backbone(2)
    model["head"] = torch.nn.Linear(2, 1)
    state = {f"teacher.{name}": value for name, value in model.state_dict().items()}
    state["head.bias"] = torch.zeros(1)
    load_state_dict(model, state)
    text = log()
    assert (
        "missing keys in source state_dict: backbone.stage0.* (54); backbone.stage1.* (54); "
        "backbone.stage2.* (54); backbone.stage3.* (54); head.weight (217 in all)" in text
    )
    assert "unexpected key in source state_dict: teacher.backbone.stage0.* (63); teacher" in text
    load_state_dict(backbone(2), backbone(3).state_dict())
    lines = log().removeprefix(text).splitlines()
    assert any(
        x.startswith("size mismatch for backbone.stage0.0.conv.weight: (3, 1)") for x in lines
    )
    assert "size mismatch for 206 more (216 in all)" in lines
    assert sum(len(line) for line in lines) < 1500


def test_nothing_is_reported_if_all_fits(log):
    load_state_dict(net(), net().state_dict())
    assert "match exactly" not in log()


def test_a_module_reads_the_state_of_an_older_version_of_it():
    class Renamed(nn.Linear):
        _version = 2

        def _load_from_state_dict(self, state_dict, prefix, local_metadata, *args):
            if local_metadata.get("version", 1) < 2:
                state_dict[f"{prefix}weight"] = state_dict.pop(f"{prefix}kernel")
            super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)

    old = OrderedDict({"0.kernel": torch.ones(1, 1), "0.bias": torch.ones(1)})
    model = nn.Sequential(Renamed(1, 1))
    load_state_dict(model, old, strict=True)
    assert model[0].weight.item() == 1
    assert "0.kernel" in old
    # the version is saved with the state, also under wrappers
    compiled = torch.compile(model, backend="eager")
    again = get_state_dict(compiled)
    assert again._metadata["0"] == {"version": 2}
    load_state_dict(nn.Sequential(Renamed(1, 1)), weights_to_cpu(again), strict=True)


@pytest.fixture
def group(tmp_path):
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1
    )
    yield
    torch.distributed.destroy_process_group()


def test_wrapped_and_compiled_models_have_plain_names(group):
    plain = net()
    inner = net()
    inner[2]["head"] = torch.compile(inner[2]["head"], backend="eager")
    for wrapped in (
        nn.DataParallel(net()),
        nn.parallel.DistributedDataParallel(net()),
        torch.compile(net(), backend="eager"),
        nn.parallel.DistributedDataParallel(torch.compile(net(), backend="eager")),
        torch.compile(nn.parallel.DistributedDataParallel(net()), backend="eager"),
        inner,
    ):
        assert list(get_state_dict(wrapped)) == list(plain.state_dict())
        load_state_dict(wrapped, plain.state_dict(), strict=True)
        # DataParallel moves its model to a GPU where there is one.
        assert equal(weights_to_cpu(get_state_dict(wrapped)), plain.state_dict())


def test_wrappers_that_others_register_are_looked_through():
    class Wrapper(nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module

    plain = net()
    wrapped = nn.Sequential(OrderedDict(part=Wrapper(net())))
    assert next(iter(get_state_dict(wrapped))).startswith("part.module.")
    registry = Registry("model wrapper", parent=MODEL_WRAPPERS, scope="checkpoint_test")
    registry.register_module(module=Wrapper)
    try:
        assert list(get_state_dict(wrapped)) == [f"part.{name}" for name in plain.state_dict()]
        assert list(get_state_dict(wrapped.part)._metadata) == list(plain.state_dict()._metadata)
        load_state_dict(wrapped.part, plain.state_dict(), strict=True)
        assert equal(get_state_dict(wrapped.part), plain.state_dict())
    finally:
        MODEL_WRAPPERS.children.pop("checkpoint_test")


def test_a_module_of_the_name_module_is_no_wrapper():
    model = nn.ModuleDict({"module": nn.Linear(1, 1)})
    assert list(get_state_dict(model)) == ["module.weight", "module.bias"]


def test_state_goes_under_a_prefix_into_a_given_dict():
    destination = OrderedDict(other=torch.zeros(1))
    out = get_state_dict(nn.Linear(1, 1), destination, prefix="head.")
    assert out is destination
    assert list(out) == ["other", "head.weight", "head.bias"]
    assert "head" in out._metadata
    assert not out["head.weight"].requires_grad
    assert get_state_dict(nn.Linear(1, 1), keep_vars=True)["weight"].requires_grad


def test_weights_to_cpu_keeps_what_is_no_tensor():
    state = weights_to_cpu({"a": torch.ones(1), "_extra_state": {"x": 1}})
    assert state["_extra_state"] == {"x": 1}


def test_a_checkpoint_without_weights(tmp_path):
    path = str(tmp_path / "list.pth")
    torch.save([1, 2], path)
    with pytest.raises(CheckpointError, match=r"no state_dict found in .*list\.pth': .* not list"):
        load_checkpoint(net(), path)


@pytest.mark.parametrize(
    "state",
    [
        {"teacher.weight": torch.zeros(1, 1), "teacher.bias": torch.zeros(1)},
        {"weight": torch.zeros(7, 3), "bias": torch.zeros(7)},
    ],
)
def test_a_state_of_which_nothing_fits_is_refused(state):
    words = r"no key of the state_dict matches Linear .* has .*, the model has weight \(1, 2\)"
    with pytest.raises(CheckpointError, match=words):
        load_state_dict(nn.Linear(2, 1), state)
    load_state_dict(nn.Linear(2, 1), {})
    load_state_dict(nn.ReLU(), state)


def test_at_most_three_names_of_each_side_are_shown():
    wanted, given = nn.Sequential(*(nn.Linear(1, 1) for _ in range(4))), nn.LSTM(1, 1)
    with pytest.raises(CheckpointError) as caught:
        load_state_dict(wanted, given.state_dict())
    text = str(caught.value)
    assert "0.weight (1, 1), 0.bias (1,), 1.weight (1, 1), ..." in text
    assert "2.weight" not in text


class HoldsModel(nn.Module):
    """As a model for test-time augmentation: that which is trained is a part of it."""

    def __init__(self):
        super().__init__()
        self.module = net()


def test_weights_of_a_model_fit_what_holds_it_as_its_module():
    trained, holder = net(), HoldsModel()
    load_state_dict(holder, trained.state_dict(), strict=True)
    assert equal(holder.module.state_dict(), trained.state_dict())
    again = HoldsModel()
    load_state_dict(again, holder.state_dict(), strict=True)
    assert equal(again.state_dict(), holder.state_dict())


def test_wrappers_that_are_no_module_are_looked_through():
    from eng.registry import MODEL_WRAPPERS

    class Engine:
        def __init__(self, module):
            self.module = module

    MODEL_WRAPPERS.register_module(module=Engine, name="EngineOfATest")
    try:
        model, other = net(), net()
        assert equal(get_state_dict(Engine(model)), model.state_dict())
        load_state_dict(Engine(other), model.state_dict(), strict=True)
        assert equal(other.state_dict(), model.state_dict())
    finally:
        del MODEL_WRAPPERS.module_dict["EngineOfATest"]
