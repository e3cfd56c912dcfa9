"""Functions that each process of tests/test_parallel.py runs."""

import os

import torch
import torch.distributed as dist
from torch import nn
from torch.nn import functional

from eng.checkpoint import (
    full_optimizer_state,
    get_state_dict,
    load_full_optimizer_state,
    load_state_dict,
)
from eng.model import BaseModel
from eng.optim import AmpOptimWrapper, OptimWrapper, OptimWrapperDict
from eng.registry import MODEL_WRAPPERS

STEPS, SAMPLES = 10, 16

WRAPPERS = {
    "ddp": {"type": "MMDistributedDataParallel"},
    "separate": {"type": "MMSeparateDistributedDataParallel"},
    "fsdp": {"type": "MMFullyShardedDataParallel"},
    "fsdp_in_parts": {
        "type": "MMFullyShardedDataParallel",
        "fsdp_auto_wrap_policy": {"type": "size_based_auto_wrap_policy", "min_num_params": 30},
        "sharding_strategy": "FULL_SHARD",
        "backward_prefetch": "pre",
        "cpu_offload": False,
    },
    "fsdp2": {"type": "MMFullyShard"},
    "fsdp2_in_parts": {
        "type": "MMFullyShard",
        "fsdp_auto_wrap_policy": {"type": "size_based_auto_wrap_policy", "min_num_params": 30},
        "reshard_after_forward": True,
    },
}


class Regressor(BaseModel):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 7), nn.LayerNorm(7), nn.Tanh(), nn.Linear(7, 5))
        self.head = nn.Linear(5, 1, bias=False)  # fewer rows than processes
        self.register_buffer("scale", torch.tensor(2.0))

    def forward(self, inputs, data_samples=None, mode="tensor"):
        out = self.head(self.body(inputs)) * self.scale
        if mode == "loss":
            return {"loss_l2": functional.mse_loss(out, data_samples), "mean": out.mean()}
        return list(out.flatten()) if mode == "predict" else out


def make(seed=0):
    torch.manual_seed(seed)
    return Regressor()


def batch(step, rank=0, world_size=1):
    """The samples of one process, which all together have the whole batch."""
    generator = torch.Generator().manual_seed(100 + step)
    inputs = torch.randn(SAMPLES, 3, generator=generator)
    labels = inputs.sum(1, keepdim=True)
    return {"inputs": inputs[rank::world_size], "data_samples": labels[rank::world_size]}


def optimizer_of(model, accumulate=1, clip=False):
    wrapper = OptimWrapper(
        torch.optim.AdamW(model.parameters(), lr=0.05),
        accumulative_counts=accumulate,
        clip_grad={"max_norm": 0.5} if clip else None,
    )
    wrapper.initialize_count_status(model, 0, STEPS)
    return wrapper


def train(model, wrapper, steps=range(STEPS), rank=0, world_size=1):
    """The mean loss over all processes in each step."""
    model.train()
    losses = []
    for step in steps:
        log_vars = model.train_step(batch(step, rank, world_size), wrapper)
        assert list(log_vars) == ["loss", "loss_l2", "mean"]
        loss = log_vars["loss"].clone()
        if world_size > 1:
            dist.all_reduce(loss)
        losses.append(loss.item() / world_size)
    return losses


@torch.no_grad()
def predictions(model):
    model.eval()
    data = batch(0)
    return [float(p) for p in model.val_step(data)], [float(p) for p in model.test_step(data)]


def wrapped(name, model):
    return MODEL_WRAPPERS.build({**WRAPPERS[name]}, default_args={"module": model})


def parity(names):
    """Losses and predictions of each wrapper, with and without accumulation and clipping."""
    rank, world_size = dist.get_rank(), dist.get_world_size()
    results = {}
    for name in names:
        for accumulate in (1, 3):
            for clip in (False, True):
                # Only the first process begins with the weights of the single one.
                model = wrapped(name, make(seed=0 if rank == 0 else 1))
                before = predictions(model)  # leaves nothing behind that training trips over
                wrapper = optimizer_of(model, accumulate, clip)
                losses = train(model, wrapper, rank=rank, world_size=world_size)
                results[name, accumulate, clip] = before, losses, predictions(model)
    return results


def single(accumulate, clip):
    model = make()
    before = predictions(model)
    return before, train(model, optimizer_of(model, accumulate, clip)), predictions(model)


def full_states(name, path):
    """Save in the middle of a run and go on, in another model and with another wrapper."""
    rank, world_size = dist.get_rank(), dist.get_world_size()
    model = wrapped(name, make())
    wrapper = optimizer_of(model)
    train(model, wrapper, range(4), rank, world_size)
    state = get_state_dict(torch.compile(model) if name.startswith("fsdp2") else model)
    optimizer_state = full_optimizer_state(model, wrapper.optimizer)
    if rank:
        assert state == {}
        assert optimizer_state == {}
    else:
        torch.save({"state_dict": state, "optimizer": optimizer_state}, path)
    dist.barrier()
    saved = torch.load(path, weights_only=True)
    other = wrapped(name, make(seed=5))
    other_wrapper = optimizer_of(other)
    load_state_dict(other, saved["state_dict"], strict=True)
    load_full_optimizer_state(other, other_wrapper.optimizer, saved["optimizer"])
    return train(other, other_wrapper, range(4, STEPS), rank, world_size)


def misfits(name):
    model = wrapped(name, make())
    state = {n: v.clone() for n, v in make(seed=3).state_dict().items()}
    state["neck.weight"] = state.pop("head.weight")
    state["body.0.bias"] = torch.zeros(2)
    try:
        load_state_dict(model, state, strict=True)
    except Exception as error:
        message = f"{type(error).__name__}: {error}"
    after = get_state_dict(model)
    return message, after.get("body.0.weight"), after.get("body.0.bias")


def overflow(name):
    """An update of which one process alone has infinite gradients, and one that is fine."""
    rank, world_size = dist.get_rank(), dist.get_world_size()
    model = wrapped(name, make())
    wrapper = AmpOptimWrapper(
        loss_scale=64.0,
        dtype="float16",
        optimizer=torch.optim.SGD(model.parameters(), lr=0.05),
        clip_grad={"max_norm": 1.0},
    )
    scales, moved = [], []
    for step in range(2):
        before = [p.clone() for p in model.parameters()]
        data = batch(step, rank, world_size)
        if step == 0 and rank == world_size - 1:
            data["data_samples"] = data["data_samples"] * 1e38
        model.train_step(data, wrapper)
        pairs = zip(before, model.parameters(), strict=True)
        different = [_local(a).ne(_local(b)).any() for a, b in pairs]
        moved.append(bool(torch.stack(different).any()))
        scales.append(wrapper.loss_scaler.get_scale())
    return scales, moved


def _local(tensor):
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor


# ------------------------------------------------------------------ a GAN


class Gan(BaseModel):
    """Learns to turn noise into numbers around 3."""

    def __init__(self):
        super().__init__()
        self.generator = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
        self.discriminator = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
        self.no_parameters = nn.Identity()

    def forward(self, inputs, data_samples=None, mode="tensor"):
        return self.generator(inputs)

    def train_step(self, data, optim_wrapper):
        data = self.data_preprocessor(data, True)
        noise, real = data["inputs"], data["data_samples"]
        update = optim_wrapper["discriminator"]
        with update.optim_context(self.discriminator):
            fake = self.generator(noise).detach()
            loss_d = functional.softplus(-self.discriminator(real)).mean()
            loss_d = loss_d + functional.softplus(self.discriminator(fake)).mean()
        update.update_params(loss_d)
        update = optim_wrapper["generator"]
        self.discriminator.requires_grad_(False)
        with update.optim_context(self.generator):
            loss_g = functional.softplus(-self.discriminator(self.generator(noise))).mean()
        update.update_params(loss_g)
        self.discriminator.requires_grad_(True)
        return {"loss_d": loss_d.detach(), "loss_g": loss_g.detach()}


def frozen_part():
    """What each process has of a part that is not trained, after beginning with another."""
    torch.manual_seed(dist.get_rank())
    gan = Gan()
    gan.features = nn.Linear(1, 1).requires_grad_(False)
    return wrapped("separate", gan).module.features.weight.item()


def gan_batch(step, rank=0, world_size=1):
    generator = torch.Generator().manual_seed(step)
    noise = torch.randn(SAMPLES, 2, generator=generator)
    real = torch.randn(SAMPLES, 1, generator=generator) / 10 + 3
    return {"inputs": noise[rank::world_size], "data_samples": real[rank::world_size]}


def train_gan(wrap, accumulate, steps=STEPS, rank=0, world_size=1):
    torch.manual_seed(0)
    gan = Gan()
    model = wrapped("separate", gan) if wrap else gan
    optimizers = OptimWrapperDict(
        **{
            name: OptimWrapper(
                torch.optim.Adam(getattr(gan, name).parameters(), lr=0.01, betas=(0.5, 0.99)),
                accumulative_counts=accumulate,
            )
            for name in ("generator", "discriminator")
        }
    )
    for each in optimizers.values():
        each.initialize_count_status(gan, 0, steps)
    losses = []
    model.train()
    for step in range(steps):
        log_vars = model.train_step(gan_batch(step, rank, world_size), optimizers)
        both = torch.stack([log_vars["loss_d"], log_vars["loss_g"]])
        if world_size > 1:
            dist.all_reduce(both)
        losses.append((both / world_size).tolist())
    with torch.no_grad():
        return losses, model(gan_batch(0)["inputs"]).mean().item()


def everything(names, sharded, folder):
    """All of it in one go: starting the processes takes longer than what they do."""
    rank, world_size = dist.get_rank(), dist.get_world_size()
    return {
        "parity": parity(names),
        "gan": {a: train_gan(True, a, rank=rank, world_size=world_size) for a in (1, 3)},
        "full": {name: full_states(name, f"{folder}/{name}.pth") for name in sharded},
        "misfits": {name: misfits(name) for name in sharded},
        "frozen": frozen_part(),
        "overflow": {name: overflow(name) for name in ("ddp", *sharded)},
    }


# ------------------------------------------------------------------ meshes


def meshes(kinds):
    """Losses with each mesh, and weights after training; a message where it is refused."""
    rank, world_size = dist.get_rank(), dist.get_world_size()
    found = []
    for cfg, machine in kinds:
        os.environ["LOCAL_WORLD_SIZE"] = str(machine or world_size)
        try:
            model = MODEL_WRAPPERS.build(dict(cfg), default_args={"module": make()})
        except (TypeError, ValueError) as error:
            found.append(str(error))
            continue
        losses = train(model, optimizer_of(model, clip=True), rank=rank, world_size=world_size)
        found.append((losses, predictions(model)[0]))
    return found
