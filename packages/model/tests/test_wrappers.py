import copy
from functools import partial

import pytest
import torch
from torch import nn
from torch.distributed.fsdp import BackwardPrefetch, FullyShardedDataParallel, wrap

from eng.model import (
    BaseModel,
    MMDistributedDataParallel,
    MMFullyShard,
    MMFullyShardedDataParallel,
    MMSeparateDistributedDataParallel,
    is_model_wrapper,
)
from eng.optim import build_optim_wrapper
from eng.registry import FSDP_WRAP_POLICIES, FUNCTIONS, MODEL_WRAPPERS, MODELS, Registry


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x):
        return self.linear(x)


class Model(BaseModel):
    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(Block(), Block())
        self.head = nn.Linear(4, 1)
        self.frozen = nn.Linear(1, 1).requires_grad_(False)

    def forward(self, inputs, data_samples=None, mode="tensor"):
        out = self.head(self.blocks(inputs))
        return {"loss": out.mean()} if mode == "loss" else out


@pytest.fixture
def group(tmp_path):
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1
    )
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize(
    "cls",
    [
        MMDistributedDataParallel,
        MMSeparateDistributedDataParallel,
        MMFullyShardedDataParallel,
        MMFullyShard,
    ],
)
def test_every_wrapper_is_registered_and_known_as_one(group, cls):
    model = cls(Model())
    assert MODEL_WRAPPERS.get(cls.__name__) is cls
    assert is_model_wrapper(model)
    assert isinstance(model.module, Model)
    assert model.eval().training is model.module.training is False
    assert model.train().training is model.module.training is True
    assert model(torch.zeros(2, 4)).shape == (2, 1)


@pytest.mark.parametrize("cls", [MMFullyShardedDataParallel, MMFullyShard])
def test_settings_of_single_parameters_in_sharded_models(group, cls):
    model = Model()
    model.frozen.requires_grad_(True)
    model = cls(
        model, fsdp_auto_wrap_policy={"type": "size_based_auto_wrap_policy", "min_num_params": 5}
    )
    cfg = {
        "optimizer": {"type": "SGD", "lr": 1.0, "weight_decay": 1.0},
        "paramwise_cfg": {"custom_keys": {"blocks.1.linear": {"lr_mult": 0.5}}, "bias_lr_mult": 2},
    }
    lrs = [group["lr"] for group in build_optim_wrapper(model, cfg).optimizer.param_groups]
    assert lrs == [1, 2, 0.5, 0.5, 1, 2, 1, 2]
    cfg["paramwise_cfg"]["flat_decay_mult"] = 0
    if cls is MMFullyShard:
        decays = [
            group["weight_decay"]
            for group in build_optim_wrapper(model, cfg).optimizer.param_groups
        ]
        assert decays == [1, 0, 1, 1, 1, 0, 1, 0]
    else:
        with pytest.raises(ValueError, match="flat_decay_mult cannot"):
            build_optim_wrapper(model, cfg)


@pytest.mark.parametrize("broadcast", [True, False])
def test_buffers_are_broadcast_as_asked_for_and_nothing_warns(group, broadcast, recwarn):
    model = MMDistributedDataParallel(Model(), broadcast_buffers=broadcast)
    assert getattr(model, "forward_sync_buffers", model.broadcast_buffers) is broadcast
    assert not [w for w in recwarn if "broadcast_buffers" in str(w.message)]


def test_data_parallel_is_a_wrapper():
    assert is_model_wrapper(nn.DataParallel(Model()))
    assert MODEL_WRAPPERS.get("DataParallel") is nn.DataParallel


def test_only_parts_to_train_are_wrapped_separately(group, monkeypatch):
    model = MMSeparateDistributedDataParallel(Model(), find_unused_parameters=True)
    inner = model.module
    assert type(inner.blocks) is type(inner.head) is MMDistributedDataParallel
    assert type(inner.frozen) is nn.Linear
    assert inner.head.find_unused_parameters
    assert not inner.head.broadcast_buffers
    with model.no_sync():
        assert not inner.blocks.require_backward_grad_sync
        assert not inner.head.require_backward_grad_sync
    assert inner.blocks.require_backward_grad_sync

    class Loose(Model):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(1))

    alone = MMSeparateDistributedDataParallel(Loose())
    assert type(alone.module.head) is MMDistributedDataParallel
    assert alone.module.scale.requires_grad
    monkeypatch.setattr("eng.model.wrappers.separate_distributed.get_world_size", lambda: 2)
    with pytest.raises(ValueError, match=r"Loose itself has trainable parameters, \['scale'\]"):
        MMSeparateDistributedDataParallel(Loose())


def sharded_parts(model):
    fsdp = torch.distributed.fsdp
    kinds = (fsdp.FullyShardedDataParallel, fsdp.FSDPModule)
    return sorted(
        name.replace("_fsdp_wrapped_module.", "").replace("._fsdp_wrapped_module", "")
        for name, part in model.module.named_modules()
        if isinstance(part, kinds) and part is not model.module
    )


def own_policy(module, recurse, nonwrapped_numel):
    return recurse or isinstance(module, Block)


@pytest.mark.parametrize("cls", [MMFullyShardedDataParallel, MMFullyShard])
@pytest.mark.parametrize(
    ("policy", "parts"),
    [
        (None, []),
        ("size_based_auto_wrap_policy", []),
        ("default_auto_wrap_policy", []),
        ({"type": "size_based_auto_wrap_policy", "min_num_params": 20}, ["blocks.0", "blocks.1"]),
        (
            {"type": "transformer_auto_wrap_policy", "transformer_layer_cls": "BlockForTest"},
            ["blocks.0", "blocks.1"],
        ),
        (
            {"type": "transformer_auto_wrap_policy", "transformer_layer_cls": ["BlockForTest"]},
            ["blocks.0", "blocks.1"],
        ),
        ("OwnPolicyForTest", ["blocks.0", "blocks.1"]),
        (own_policy, ["blocks.0", "blocks.1"]),
        (wrap.ModuleWrapPolicy({Block}), ["blocks.0", "blocks.1"]),
        (partial(wrap.size_based_auto_wrap_policy, min_num_params=5),
         ["blocks.0.linear", "blocks.1.linear", "head"]),
    ],
)  # fmt: skip
def test_policies_by_name_and_by_themselves(group, cls, policy, parts):
    MODELS.register_module(name="BlockForTest", module=Block)
    FSDP_WRAP_POLICIES.register_module(name="OwnPolicyForTest", module=own_policy)
    try:
        model = Model()
        model.frozen.requires_grad_(True)
        got = sharded_parts(cls(model, fsdp_auto_wrap_policy=policy))
    finally:
        MODELS.module_dict.pop("BlockForTest")
        FSDP_WRAP_POLICIES.module_dict.pop("OwnPolicyForTest")
    if "min_num_params" in str(policy) and isinstance(policy, dict):
        parts = [f"{part}.linear" for part in parts]
    assert got == parts


def test_settings_of_sharding_by_name(group):
    model = MMFullyShardedDataParallel(
        Model().requires_grad_(True),
        cpu_offload=True,
        backward_prefetch="BACKWARD_POST",
        sharding_strategy="NO_SHARD",
        mixed_precision={"param_dtype": "bfloat16", "reduce_dtype": torch.float32},
    )
    assert model.backward_prefetch is BackwardPrefetch.BACKWARD_POST
    assert model.sharding_strategy.name == "NO_SHARD"
    assert model.mixed_precision.param_dtype is torch.bfloat16
    assert model(torch.zeros(1, 4)).dtype is torch.bfloat16
    model = MMFullyShardedDataParallel(Model(), process_group=torch.distributed.group.WORLD)
    assert model(torch.zeros(1, 4)).shape == (1, 1)
    model = MMFullyShard(Model(), mixed_precision={"param_dtype": "bfloat16"}, cpu_offload=True)
    assert model(torch.zeros(1, 4)).dtype is torch.bfloat16


@pytest.mark.parametrize(
    ("cls", "kwargs", "error", "match"),
    [
        (MMFullyShardedDataParallel, {"cpu_offload": 1}, TypeError, "cpu_offload must be a bool"),
        (MMFullyShardedDataParallel, {"backward_prefetch": 1}, TypeError, "'pre', 'post'"),
        (MMFullyShardedDataParallel, {"backward_prefetch": "x"}, ValueError, "not 'x'"),
        (MMFullyShardedDataParallel, {"sharding_strategy": "x"}, ValueError, "FULL_SHARD.*'x'"),
        (
            MMFullyShardedDataParallel,
            {"mixed_precision": {"param_dtype": "float17"}},
            ValueError,
            "'float17' is not a dtype",
        ),
        (MMFullyShardedDataParallel, {"fsdp_auto_wrap_policy": 3}, TypeError, "a wrap policy must"),
        (MMFullyShard, {"fsdp_auto_wrap_policy": {"size": 3}}, TypeError, "a dict with 'type'"),
        (MMFullyShard, {"fsdp_auto_wrap_policy": "size"}, KeyError, "size"),
        (MMFullyShard, {"sharding": "x"}, TypeError, r"unexpected arguments \['sharding'\]"),
    ],
)
def test_bad_settings(group, cls, kwargs, error, match):
    with pytest.raises(error, match=match):
        cls(Model(), **kwargs)


def test_settings_of_fsdp_by_the_names_of_torch(group):
    class Two(BaseModel):
        def __init__(self):
            super().__init__()
            self.first, self.second = torch.nn.Linear(4, 4), torch.nn.Linear(4, 4)
            self.third = torch.nn.Linear(4, 1, device="meta")

        def forward(self, inputs, data_samples=None, mode="tensor"):
            return self.third(self.second(self.first(inputs)))

    def fill(module, value=1):
        if isinstance(module, torch.nn.Linear):
            module.to_empty(device="cpu")
            torch.nn.init.constant_(module.weight, value)

    FUNCTIONS.register_module(name="fill_for_test", module=fill)
    settings = {
        "auto_wrap_policy": {"type": "size_based_auto_wrap_policy", "min_num_params": 1},
        "param_init_fn": {"type": "fill_for_test", "value": 3},
        "mixed_precision": {"param_dtype": "bfloat16"},
    }
    before = copy.deepcopy(settings)
    try:
        model = MMFullyShardedDataParallel(
            Two(),
            sharding_strategy="NO_SHARD",
            ignored_modules=["second"],
            use_orig_params=True,
            **settings,
        )
        named = MMFullyShardedDataParallel(
            Two(), auto_wrap_policy="always_wrap_policy", param_init_fn="fill_for_test"
        )
    finally:
        FUNCTIONS.module_dict.pop("fill_for_test")
    assert settings == before
    assert model.mixed_precision.param_dtype is torch.bfloat16
    assert model.module.third.module.weight.tolist() == [[3] * 4]
    parts = (model.module.first, model.module.second)
    assert [isinstance(part, FullyShardedDataParallel) for part in parts] == [True, False]
    assert isinstance(named.module.first, FullyShardedDataParallel)
    assert named.module.third.module.weight.tolist() == [[1] * 4]


def test_settings_of_fsdp_by_names_of_another_scope(group):
    """As a config has them that inherits from one of another package."""

    class Part(torch.nn.Linear):
        pass

    class Whole(BaseModel):
        def __init__(self):
            super().__init__()
            self.first, self.second = Part(2, 2), torch.nn.Linear(2, 2)

        def forward(self, inputs, data_samples=None, mode="tensor"):
            return self.second(self.first(inputs))

    def fill(module, value):
        for weight in module.parameters(recurse=False):
            torch.nn.init.constant_(weight, value)

    scope = "wrap_client"
    Registry("model", scope=scope, parent=MODELS).register_module("WrapPart", module=Part)
    Registry("function", scope=scope, parent=FUNCTIONS).register_module("wrap_fill", module=fill)
    policy = {
        "type": "transformer_auto_wrap_policy",
        "transformer_layer_cls": ["WrapPart"],
        "_scope_": scope,
    }
    model = MMFullyShardedDataParallel(
        Whole(),
        auto_wrap_policy=policy,
        param_init_fn={"type": "wrap_fill", "value": 3, "_scope_": scope},
    )
    parts = (model.module.first, model.module.second)
    assert [isinstance(part, FullyShardedDataParallel) for part in parts] == [True, False]


@pytest.mark.parametrize(
    ("settings", "error", "match"),
    [
        ({"sharding_strategy": 3}, TypeError, "sharding_strategy must be a name"),
        ({"mixed_precision": "float16"}, TypeError, "mixed_precision must be a dict"),
        ({"auto_wrap_policy": "size"}, ValueError, "size"),
        ({"auto_wrap_policy": {"type": "nope"}}, ValueError, "nope"),
        ({"auto_wrap_policy": 3}, TypeError, "a wrap policy must"),
        ({"param_init_fn": "nope"}, ValueError, "'nope' is not registered in FUNCTIONS"),
        ({"param_init_fn": 3}, TypeError, "param_init_fn must be a callable"),
        ({"ignored_modules": ["nope"]}, ValueError, "ignored_modules: 'nope' is not in Model"),
        ({"ignored_parameters": "weight"}, TypeError, "ignored_parameters must be a list"),
        (
            {"auto_wrap_policy": "always_wrap_policy", "fsdp_auto_wrap_policy": "x"},
            ValueError,
            "not both",
        ),
    ],
)
def test_bad_settings_of_fsdp(group, settings, error, match):
    with pytest.raises(error, match=match):
        MMFullyShardedDataParallel(Model(), **settings)


def test_wrappers_call_the_model_by_the_same_method(group):
    model = MMDistributedDataParallel(Model().requires_grad_(True))
    inputs = torch.ones(1, 4)
    expected = model.module(inputs)
    for batch in ({"inputs": inputs}, (inputs,), [inputs]):
        assert torch.equal(model._run_forward(batch, mode="tensor"), expected)
    with pytest.raises(TypeError, match="must return a dict, a list or a tuple, not Tensor"):
        model._run_forward(inputs, mode="tensor")
