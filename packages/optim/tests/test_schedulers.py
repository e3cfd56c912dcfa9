import gc
import json
import math
import warnings
import weakref

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.optim import SGD, Adam, lr_scheduler

from eng import optim
from eng.optim import (
    AmpOptimWrapper,
    ConstantLR,
    ConstantMomentum,
    ConstantParamScheduler,
    CosineAnnealingLR,
    CosineAnnealingMomentum,
    CosineAnnealingParamScheduler,
    CosineRestartLR,
    ExponentialLR,
    ExponentialMomentum,
    LinearLR,
    LinearMomentum,
    LinearParamScheduler,
    MultiStepLR,
    MultiStepMomentum,
    OneCycleLR,
    OptimWrapper,
    PolyLR,
    PolyMomentum,
    StepLR,
    StepMomentum,
)
from eng.registry import PARAM_SCHEDULERS

STEPS = 40
steps = st.integers(1, STEPS)
shares = st.floats(0.01, 1)
gammas = st.floats(0.1, 1.1)
lrs = st.floats(1e-3, 10)


def make_optimizer(*values, kind=SGD, **kwargs):
    groups = [{"params": [nn.Parameter(torch.zeros(1))], "lr": lr} for lr in values or (0.5,)]
    return kind(groups, **kwargs)


def values_of(optimizer, schedulers, count=STEPS, name="lr"):
    """The values that each step is done with; the last is the one after all steps."""
    schedulers = schedulers if isinstance(schedulers, list) else [schedulers]
    values = [[group[name] for group in optimizer.param_groups]]
    for _ in range(count):
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
        values.append([group[name] for group in optimizer.param_groups])
    return values


@pytest.mark.parametrize(
    ("kind", "settings", "share"),
    [
        (StepLR, {"step_size": 2}, 0.1**3),
        (CosineAnnealingLR, {"T_max": 8}, 0.0),
        (LinearLR, {"start_factor": 0.5, "end": 6}, 1 / 0.8),
        (
            CosineRestartLR,
            {"periods": [3, 3, 3], "restart_weights": [1, 0.5, 0.25], "eta_min": 0.0},
            None,
        ),
        (ExponentialLR, {"gamma": 0.5}, 0.5**5),
    ],
)
def test_a_group_that_is_added_later_is_scheduled_from_then_on(kind, settings, share):
    whole = first(values_of((plain := make_optimizer(1.0)), kind(plain, **settings), 8))
    optimizer = make_optimizer(1.0)
    scheduler = kind(optimizer, **settings)
    begun = first(values_of(optimizer, scheduler, 3))
    optimizer.add_param_group({"params": [nn.Parameter(torch.zeros(1))], "lr": 0.5})
    values = values_of(optimizer, scheduler, 5)
    assert begun[:-1] + first(values) == pytest.approx(whole)
    assert len(scheduler.get_last_value()) == 2
    if share is not None:
        assert values[-1][1] == pytest.approx(0.5 * share)


def first(values):
    return [each[0] for each in values]


def check_against_torch(lr, ours, theirs, count=STEPS, closed_form=None):
    own, other = make_optimizer(lr, lr / 3), make_optimizer(lr, lr / 3)
    got = values_of(own, ours(own), count)
    wanted = values_of(other, theirs(other), count)
    for step, (a, b) in enumerate(zip(got, wanted, strict=True)):
        assert a == pytest.approx(b, rel=1e-6, abs=1e-9 * lr), step
        if closed_form is not None:
            assert a[0] == pytest.approx(closed_form(step), rel=1e-6, abs=1e-9 * lr), step


@given(lr=lrs, factor=shares, end=steps)
@settings(deadline=None)
def test_constant(lr, factor, end):
    check_against_torch(
        lr,
        lambda o: ConstantLR(o, factor=factor, end=end + 1),
        lambda o: lr_scheduler.ConstantLR(o, factor=factor, total_iters=end),
        closed_form=lambda t: lr * (factor if t < end else 1),
    )


@given(lr=lrs, start=shares, stop=shares, end=steps)
@settings(deadline=None)
def test_linear(lr, start, stop, end):
    check_against_torch(
        lr,
        lambda o: LinearLR(o, start_factor=start, end_factor=stop, end=end + 1),
        lambda o: lr_scheduler.LinearLR(o, start, stop, total_iters=end),
        closed_form=lambda t: lr * (start + (stop - start) * min(t, end) / end),
    )


@given(lr=lrs, gamma=gammas)
@settings(deadline=None)
def test_exponential(lr, gamma):
    check_against_torch(
        lr,
        lambda o: ExponentialLR(o, gamma=gamma),
        lambda o: lr_scheduler.ExponentialLR(o, gamma),
        closed_form=lambda t: lr * gamma**t,
    )


@given(lr=lrs, gamma=gammas, size=steps)
@settings(deadline=None)
def test_step(lr, gamma, size):
    check_against_torch(
        lr,
        lambda o: StepLR(o, step_size=size, gamma=gamma),
        lambda o: lr_scheduler.StepLR(o, size, gamma),
        closed_form=lambda t: lr * gamma ** (t // size),
    )


@given(lr=lrs, gamma=gammas, milestones=st.lists(steps, max_size=5))
@settings(deadline=None)
def test_multi_step(lr, gamma, milestones):
    check_against_torch(
        lr,
        lambda o: MultiStepLR(o, milestones=milestones, gamma=gamma),
        lambda o: lr_scheduler.MultiStepLR(o, sorted(milestones), gamma),
        closed_form=lambda t: lr * gamma ** sum(m <= t for m in milestones),
    )


@given(lr=lrs, period=steps, floor=st.floats(0, 1e-3))
@settings(deadline=None)
def test_cosine_falls_and_rises_again(lr, period, floor):
    def closed_form(t):
        return floor + (lr - floor) * (1 + math.cos(math.pi * t / period)) / 2

    optimizer = make_optimizer(lr)
    got = first(values_of(optimizer, CosineAnnealingLR(optimizer, T_max=period, eta_min=floor)))
    assert got == pytest.approx([closed_form(t) for t in range(STEPS + 1)], rel=1e-5, abs=1e-8 * lr)
    if period > 1:
        # torch's recursive form is the closed form up to the bottom
        check_against_torch(
            lr,
            lambda o: CosineAnnealingLR(o, T_max=period, eta_min=floor),
            lambda o: lr_scheduler.CosineAnnealingLR(o, period, floor),
            count=period - 1,
        )


@given(lr=lrs, power=st.floats(0.5, 3), end=steps, floor=st.floats(0, 1e-3))
@settings(deadline=None)
def test_poly(lr, power, end, floor):
    optimizer = make_optimizer(lr)
    got = first(values_of(optimizer, PolyLR(optimizer, eta_min=floor, power=power, end=end)))
    last = end - 1
    wanted = [
        floor + (lr - floor) * ((1 - min(t, last) / last) ** power if last else 1)
        for t in range(41)
    ]
    assert got == pytest.approx(wanted, rel=1e-5, abs=1e-8 * lr)
    if last:
        check_against_torch(
            lr,
            lambda o: PolyLR(o, power=power, end=end),
            lambda o: lr_scheduler.PolynomialLR(o, last, power),
        )


@pytest.mark.parametrize(
    ("kwargs", "wanted"),
    [
        ({"end": 5}, [1, 0.75, 0.5, 0.25, 0, 0, 0]),
        ({"end": 5, "power": 2}, [1, 0.5625, 0.25, 0.0625, 0, 0, 0]),
        ({"end": 3, "eta_min": 0.2}, [1, 0.6, 0.2, 0.2, 0.2, 0.2, 0.2]),
        ({"begin": 2, "end": 5}, [1, 1, 1, 0.5, 0, 0, 0]),
        ({"end": 2}, [1, 0, 0, 0, 0, 0, 0]),
        ({"end": 1}, [1, 1, 1, 1, 1, 1, 1]),
    ],
)
def test_poly_reaches_its_floor_at_its_last_step(kwargs, wanted):
    optimizer = make_optimizer(1.0)
    assert first(values_of(optimizer, PolyLR(optimizer, **kwargs), 6)) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (lambda o: ConstantLR(o, factor=0.5, end=1), [0.5, 1, 1]),
        (lambda o: ConstantLR(o, factor=0.5, end=2), [0.5, 1, 1]),
        (lambda o: ConstantLR(o, factor=0.5, end=3), [0.5, 0.5, 1]),
        (lambda o: ConstantLR(o, factor=0.5, begin=1, end=2), [1, 0.5, 1]),
        (lambda o: LinearLR(o, start_factor=0.25, end=1), [0.25, 1, 1]),
        (lambda o: LinearLR(o, start_factor=0.25, end=2), [0.25, 1, 1]),
        (lambda o: LinearLR(o, start_factor=0.25, end_factor=0.5, end=1), [0.25, 0.5, 0.5]),
        (lambda o: LinearLR(o, start_factor=0, end=1), [0, 1, 1]),
        (lambda o: LinearLR(o, start_factor=0.5, begin=1, end=2, by_epoch=False), [1, 0.5, 1]),
    ],
)
def test_a_warm_up_of_one_step_acts_once(make, wanted):
    optimizer = make_optimizer(1.0)
    assert first(values_of(optimizer, make(optimizer), 2)) == wanted
    saved = make_optimizer(1.0)
    scheduler = make(saved)
    resumed = make_optimizer(1.0)
    other = make(resumed)
    resumed.load_state_dict(saved.state_dict())
    other.load_state_dict(scheduler.state_dict())
    assert first(values_of(resumed, other, 2)) == wanted


def test_a_warm_up_of_one_step_is_followed_by_another_schedule():
    for turn in (1, -1):
        optimizer = make_optimizer(1.0)
        schedulers = [LinearLR(optimizer, 0.1, end=1), PolyLR(optimizer, begin=1, end=4)]
        got = first(values_of(optimizer, schedulers[::turn], 4))
        assert got == pytest.approx([0.1, 1, 0.5, 0, 0])


@given(
    highest=lrs,
    total=st.integers(10, STEPS),
    start=st.floats(0.2, 0.4),
    strategy=st.sampled_from(["cos", "linear"]),
    three=st.booleans(),
)
@settings(deadline=None)
def test_one_cycle(highest, total, start, strategy, three):
    check_against_torch(
        1.0,
        lambda o: OneCycleLR(
            o,
            eta_max=[highest, highest / 2],
            total_steps=total,
            pct_start=start,
            anneal_strategy=strategy,
            three_phase=three,
        ),
        lambda o: lr_scheduler.OneCycleLR(
            o,
            max_lr=[highest, highest / 2],
            total_steps=total,
            pct_start=start,
            anneal_strategy=strategy,
            three_phase=three,
            cycle_momentum=False,
        ),
        count=total - 1,
    )


@pytest.mark.parametrize(
    ("kwargs", "wanted"),
    [
        ({"T_max": 4, "eta_min_ratio": 0.1}, [1, 0.86819805, 0.55, 0.23180195, 0.1]),
        ({"end": 4, "eta_min_ratio": 0.0}, [1, 0.85355339, 0.5, 0.14644661, 0.14644661]),
        ({"T_max": 2, "eta_min": None}, [1, 0.5, 0, 0.5, 1]),
        ({"begin": 2, "end": 5, "eta_min_ratio": 1.0}, [1, 1, 1, 1, 1]),
    ],
)
def test_the_floor_of_a_cosine_as_a_share_of_each_base_value(kwargs, wanted):
    optimizer = make_optimizer(1.0, 0.5)
    got = values_of(optimizer, CosineAnnealingLR(optimizer, **kwargs), 4)
    assert first(got) == pytest.approx(wanted)
    assert [b for _, b in got] == pytest.approx([value / 2 for value in wanted])


def test_a_floor_and_its_share_exclude_each_other():
    for kind in (ValueError, AssertionError):
        with pytest.raises(kind, match="either eta_min or eta_min_ratio"):
            CosineAnnealingLR(make_optimizer(), T_max=4, eta_min=0.1, eta_min_ratio=0.1)


def test_a_state_without_the_share_of_the_floor_is_continued_from():
    whole, stopped, resumed = make_optimizer(1.0), make_optimizer(1.0), make_optimizer(1.0)
    wanted = values_of(whole, CosineAnnealingLR(whole, T_max=9, eta_min=0.2), 8)
    scheduler = CosineAnnealingLR(stopped, T_max=9, eta_min=0.2)
    values_of(stopped, scheduler, 3)
    state = scheduler.state_dict()
    del state["eta_min_ratio"]
    other = CosineAnnealingLR(resumed, T_max=9, eta_min_ratio=0.5)
    resumed.load_state_dict(stopped.state_dict())
    other.load_state_dict(state)
    assert values_of(resumed, other, 5) == wanted[3:]


def test_warm_up_then_cosine():
    optimizer = make_optimizer(0.4)
    schedulers = [
        LinearLR(optimizer, start_factor=0.1, begin=0, end=6),
        CosineAnnealingLR(optimizer, T_max=20, begin=6, end=26, eta_min=0.01),
    ]
    got = first(values_of(optimizer, schedulers, 24))
    warm = [0.4 * (0.1 + 0.9 * t / 5) for t in range(6)]
    fall = [0.01 + 0.39 * (1 + math.cos(math.pi * t / 20)) / 2 for t in range(19)]
    assert got == pytest.approx(warm + fall)


def test_schedulers_at_the_same_time_multiply():
    optimizer = make_optimizer(1.0)
    schedulers = [LinearLR(optimizer, start_factor=0.5, end=6), StepLR(optimizer, 2, gamma=0.1)]
    got = first(values_of(optimizer, schedulers, 10))
    wanted = [(0.5 + 0.5 * min(t, 5) / 5) * 0.1 ** (t // 2) for t in range(11)]
    assert got == pytest.approx(wanted)


def test_nothing_is_changed_outside_begin_and_end():
    optimizer = make_optimizer(1.0)
    got = first(values_of(optimizer, ExponentialLR(optimizer, gamma=0.5, begin=3, end=6), 10))
    assert got == [1, 1, 1, 1, 0.5, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25]


def test_a_start_factor_of_zero_still_rises():
    optimizer = make_optimizer(1.0)
    got = first(values_of(optimizer, LinearLR(optimizer, start_factor=0, end=5), 6))
    assert got == pytest.approx([0, 0.25, 0.5, 0.75, 1, 1, 1])


@pytest.mark.parametrize(
    ("cls", "settings_in_epochs", "settings_in_iterations"),
    [
        (ConstantLR, {"factor": 0.5}, {"factor": 0.5}),
        (LinearLR, {"start_factor": 0.1}, {"start_factor": 0.1}),
        (CosineAnnealingLR, {"T_max": 4}, {"T_max": 28}),
        (ExponentialLR, {"gamma": 0.9}, {"gamma": 0.9}),
        (StepLR, {"step_size": 2}, {"step_size": 14}),
        (MultiStepLR, {"milestones": [1, 3]}, {"milestones": [7, 21]}),
        (PolyLR, {"power": 2}, {"power": 2}),
        (OneCycleLR, {"eta_max": 1.0, "total_steps": 5}, {"eta_max": 1.0, "total_steps": 35}),
        (
            CosineRestartLR,
            {"periods": [2, 3], "restart_weights": [1, 1], "eta_min": 0},
            {"periods": [14, 21], "restart_weights": [1, 1], "eta_min": 0},
        ),
    ],
)
def test_build_iter_from_epoch(cls, settings_in_epochs, settings_in_iterations):
    a, b = make_optimizer(), make_optimizer()
    converted = cls.build_iter_from_epoch(a, begin=0, end=5, epoch_length=7, **settings_in_epochs)
    direct = cls(b, begin=0, end=35, by_epoch=False, **settings_in_iterations)
    assert converted.by_epoch is False
    assert values_of(a, converted, 34) == values_of(b, direct, 34)


def test_build_iter_from_epoch_rejects_what_it_cannot_convert():
    with pytest.raises(ValueError, match="by_epoch=True"):
        StepLR.build_iter_from_epoch(make_optimizer(), step_size=1, by_epoch=False, epoch_length=2)
    for length in (None, 0, -1):
        with pytest.raises(ValueError, match="epoch_length"):
            StepLR.build_iter_from_epoch(make_optimizer(), step_size=1, epoch_length=length)


ALL_LR = [
    lambda o: ConstantLR(o, factor=0.5, end=12),
    lambda o: LinearLR(o, end=12),
    lambda o: CosineAnnealingLR(o, T_max=30, eta_min=0.1),
    lambda o: ExponentialLR(o, gamma=0.9),
    lambda o: StepLR(o, step_size=3),
    lambda o: MultiStepLR(o, milestones=[2, 9, 9]),
    lambda o: PolyLR(o, end=30, power=2),
    lambda o: OneCycleLR(o, eta_max=2.0, total_steps=60),
    lambda o: CosineAnnealingLR(o, T_max=30, eta_min_ratio=0.1),
    lambda o: CosineRestartLR(o, periods=[7, 20], restart_weights=[1, 0.5], eta_min=0.01),
]


@pytest.mark.parametrize("make", ALL_LR)
@given(stop=st.integers(0, 20))
@settings(deadline=None, max_examples=15)
def test_going_on_from_a_state_changes_nothing(make, stop):
    whole = make_optimizer(0.5, 0.2)
    wanted = values_of(whole, make(whole), 25)
    stopped = make_optimizer(0.5, 0.2)
    scheduler = make(stopped)
    values_of(stopped, scheduler, stop)
    state = json.loads(json.dumps(scheduler.state_dict()))  # plain data
    resumed = make_optimizer(0.5, 0.2)
    other = make(resumed)
    resumed.load_state_dict(stopped.state_dict())
    other.load_state_dict(state)
    assert values_of(resumed, other, 25 - stop) == wanted[stop:]
    assert other.get_last_value() == wanted[-1]


def test_a_counter_of_milestones_is_understood():
    optimizer = make_optimizer(1.0)
    scheduler = MultiStepLR(optimizer, milestones=[5])
    scheduler.load_state_dict({**scheduler.state_dict(), "milestones": {2: 1, 3: 2}})
    assert first(values_of(optimizer, scheduler, 4)) == pytest.approx([1, 1, 0.1, 1e-3, 1e-3])


def test_going_on_from_a_number_of_steps():
    optimizer = make_optimizer(1.0)
    optimizer.param_groups[0].update(initial_lr=1.0, lr=0.1)
    StepLR(optimizer, step_size=2, last_step=2)
    assert optimizer.param_groups[0]["lr"] == 0.1  # step 3 belongs to the same stair as step 2
    fresh = make_optimizer(1.0)
    with pytest.raises(KeyError, match=r"'initial_lr' .*group 0"):
        StepLR(fresh, step_size=2, last_step=2)


@pytest.mark.parametrize(
    ("make", "closed_form"),
    [
        (lambda o: ConstantMomentum(o, factor=0.5, end=5), lambda t: 0.5 if t < 4 else 1),
        (lambda o: LinearMomentum(o, 0.5, end=5), lambda t: 0.5 + 0.5 * min(t, 4) / 4),
        (
            lambda o: CosineAnnealingMomentum(o, T_max=9),
            lambda t: (1 + math.cos(math.pi * t / 9)) / 2,
        ),
        (lambda o: ExponentialMomentum(o, gamma=0.9), lambda t: 0.9**t),
        (lambda o: MultiStepMomentum(o, [2, 4]), lambda t: 0.1 ** ((t >= 2) + (t >= 4))),
        (lambda o: PolyMomentum(o, end=9), lambda t: 1 - t / 8),
        (lambda o: StepMomentum(o, 3), lambda t: 0.1 ** (t // 3)),
    ],
)
def test_momentum_of_sgd_and_adam(make, closed_form):
    sgd = make_optimizer(momentum=0.8)
    wanted = [0.8 * closed_form(t) for t in range(7)]
    assert first(values_of(sgd, make(sgd), 6, "momentum")) == pytest.approx(wanted)
    adam = make_optimizer(kind=Adam, betas=(0.8, 0.99))
    betas = first(values_of(adam, make(adam), 6, "betas"))
    assert [b for b, _ in betas] == pytest.approx(wanted)
    assert {b for _, b in betas} == {0.99}


def test_any_parameter_of_a_wrapper_is_scheduled():
    wrapper = OptimWrapper(make_optimizer(0.1, 0.2, weight_decay=0.5))
    scheduler = LinearParamScheduler(wrapper, "weight_decay", start_factor=0.5, end=3)
    assert scheduler.get_last_value() == [0.25, 0.25, 0.25]
    wrapper.step()
    scheduler.step()
    assert [group["weight_decay"] for group in wrapper.optimizer.param_groups] == [0.375, 0.375]
    assert wrapper.get_lr() == {"base_lr": [1e-3], "lr": [0.1, 0.2]}


def test_built_from_a_config():
    optimizer = make_optimizer(1.0)
    scheduler = PARAM_SCHEDULERS.build(
        {"type": "MultiStepLR", "milestones": [1], "by_epoch": True},
        default_args={"optimizer": optimizer},
    )
    assert isinstance(scheduler, MultiStepLR)
    optimizer.step()
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1)


@given(iterations=st.integers(1, 30), every=st.integers(1, 5), begin=st.integers(0, 3))
@settings(deadline=None, max_examples=40)
def test_a_clock_of_optimizer_steps_counts_updates_and_not_batches(iterations, every, begin):
    def make(optimizer, **clock):
        return [
            LinearLR(optimizer, 0.1, begin=begin, end=begin + 4, **clock),
            ExponentialLR(optimizer, gamma=0.9, begin=begin + 4, **clock),
        ]

    weight = nn.Parameter(torch.zeros(1))
    wrapper = OptimWrapper(SGD([weight], lr=0.5), accumulative_counts=every)
    wrapper.initialize_count_status(nn.Linear(1, 1), 0, iterations)
    schedulers = make(wrapper, by="step")
    used = []
    for _ in range(iterations):
        lr = wrapper.get_lr()["lr"][0]
        wrapper.update_params(weight.sum())
        if wrapper.should_update():
            used.append(lr)
        for scheduler in schedulers:
            scheduler.step()
    assert len(used) == -(-iterations // every)
    plain = make_optimizer(0.5)
    wanted = values_of(plain, make(plain, by_epoch=False), len(used))
    assert [*used, wrapper.get_lr()["lr"][0]] == first(wanted)


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("kind", [SGD, Adam, torch.optim.AdamW])
def test_a_step_that_mixed_precision_leaves_out_is_not_counted(kind, fused, monkeypatch):
    monkeypatch.setattr("eng.optim.optimizer.amp_optimizer_wrapper.get_device", lambda: "cpu")
    weight = nn.Parameter(torch.ones(1))
    wrapper = AmpOptimWrapper(dtype="float16", optimizer=kind([weight], lr=1.0, fused=fused))
    scheduler = ExponentialLR(wrapper, gamma=0.5, by="step")
    for factor, lr in ((1.0, 0.5), (float("inf"), 0.5), (1.0, 0.25)):
        before = weight.item()
        wrapper.update_params((weight * factor).sum())
        assert (weight.item() != before) == math.isfinite(factor)
        scheduler.step()
        assert wrapper.get_lr()["lr"] == [lr]


def test_the_clock_goes_on_from_a_state_and_keeps_no_scheduler_alive():
    def updates(optimizer, scheduler, count):
        for _ in range(count):
            optimizer.step()
            scheduler.step()
            scheduler.step()  # nothing has happened since
        return optimizer.param_groups[0]["lr"]

    whole, stopped, resumed = (make_optimizer(1.0) for _ in range(3))
    wanted = updates(whole, StepLR(whole, 3, by="step"), 9)
    scheduler = StepLR(stopped, 3, by="step")
    updates(stopped, scheduler, 4)
    other = StepLR(resumed, 3, by="step")
    resumed.load_state_dict(stopped.state_dict())
    other.load_state_dict(json.loads(json.dumps(scheduler.state_dict())))
    assert updates(resumed, other, 5) == wanted == pytest.approx(1e-3)
    told = weakref.ref(scheduler)
    del scheduler
    gc.collect()
    assert told() is None
    stopped.step()


def test_a_state_of_another_clock_is_refused():
    batches, updates = StepLR(make_optimizer(), 3), StepLR(make_optimizer(), 3, by="step")
    with pytest.raises(ValueError, match=r"counts epochs or iterations, the state .* optimizer"):
        batches.load_state_dict(updates.state_dict())
    with pytest.raises(ValueError, match=r"counts steps of the optimizer, the state .* epochs"):
        updates.load_state_dict(batches.state_dict())


CLOCKED = sorted(
    name
    for name in optim.__all__
    if name.endswith(("LR", "Momentum")) and not name.startswith("ReduceOnPlateau")
)


@pytest.mark.parametrize("name", CLOCKED)
def test_every_scheduler_has_the_clock(name):
    needed = {"Exponential": {"gamma": 0.9}, "MultiStep": {"milestones": [1]},
              "Step": {"step_size": 1}, "OneCycle": {"eta_max": 1.0, "total_steps": 5},
              "CosineAnnealing": {"T_max": 5},
              "CosineRestart": {"periods": [5], "eta_min": 0.0}}  # fmt: skip
    kwargs = needed.get(name.removesuffix("LR").removesuffix("Momentum"), {"end": 5})
    optimizer = make_optimizer(momentum=0.5)
    scheduler = getattr(optim, name)(optimizer, by="step", **kwargs)
    assert scheduler.by_epoch is False
    key = "momentum" if name.endswith("Momentum") else "lr"
    before = optimizer.param_groups[0][key]
    for _ in range(4):
        scheduler.step()
    assert optimizer.param_groups[0][key] == before
    for _ in range(4):
        optimizer.step()
        scheduler.step()
    assert optimizer.param_groups[0][key] != before
    assert getattr(optim, name)(make_optimizer(momentum=0.5), by="epoch", **kwargs).by_epoch
    assert not getattr(optim, name)(make_optimizer(momentum=0.5), by="iter", **kwargs).by_epoch


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda o: StepLR(o, 1, by="batch"), ValueError, "by should be one of .*not 'batch'"),
        (
            lambda o: StepLR.build_iter_from_epoch(o, step_size=1, epoch_length=2, by="step"),
            ValueError,
            "by='epoch'",
        ),
        (lambda o: StepLR("sgd", 1), TypeError, "StepLR needs an Optimizer or an OptimWrapper"),
        (lambda o: StepLR(o, 1, begin=-1), ValueError, "at least 0"),
        (
            lambda o: StepLR(o, 1, begin=5, end=5),
            ValueError,
            "end should be larger than begin, but got begin=5, end=5",
        ),
        (lambda o: OneCycleLR(o, 1, 9, end=11), ValueError, "9 steps, .* continues until step 10"),
        (lambda o: OneCycleLR(o, 1, 9, begin=5, end=16), ValueError, "set end=14"),
        (lambda o: StepLR(o, 0), ValueError, "step_size must be at least 1, not 0"),
        (lambda o: ConstantLR(o, factor=1.5), ValueError, r"factor must be in \[0, 1\]"),
        (lambda o: LinearLR(o, start_factor=-1), ValueError, "start_factor"),
        (lambda o: LinearLR(o, end_factor=2), ValueError, "end_factor"),
        (lambda o: CosineAnnealingLR(o, T_max=0), ValueError, "T_max"),
        (lambda o: OneCycleLR(o, eta_max=1), ValueError, "total_steps or end"),
        (lambda o: OneCycleLR(o, eta_max=1, total_steps=0), ValueError, "total_steps"),
        (lambda o: OneCycleLR(o, eta_max=[1, 2], total_steps=9), ValueError, "2 values for 1"),
        (lambda o: OneCycleLR(o, 1, 9, anneal_strategy="step"), ValueError, "one of 'cos' or"),
        (lambda o: OneCycleLR(o, 1, 9, pct_start=2), ValueError, "pct_start"),
        (lambda o: ConstantParamScheduler(o, "beta"), KeyError, "missing key 'beta' .*; it has"),
        (lambda o: CosineAnnealingParamScheduler("x", "lr", 3), TypeError, "not str"),
        (lambda o: StepMomentum("sgd", 1), TypeError, "StepMomentum needs an Optimizer"),
    ],
)
def test_bad_input(make, error, match):
    with pytest.raises(error, match=match):
        make(make_optimizer(0.1))


def test_momentum_of_an_optimizer_that_has_none():
    with pytest.raises(ValueError, match="Adagrad has neither momentum nor betas"):
        StepMomentum(make_optimizer(kind=torch.optim.Adagrad), 1)


@pytest.mark.parametrize("strategy", ["cos", "linear"])
def test_one_cycle_ends_with_the_call_after_its_last_step(strategy):
    optimizer = make_optimizer(1.0)
    scheduler = OneCycleLR(optimizer, eta_max=1.0, total_steps=3, anneal_strategy=strategy)
    got = first(values_of(optimizer, scheduler, 3))
    assert got[2:] == pytest.approx([4e-6, 4e-6])
    with pytest.raises(ValueError, match="step 4 is past the 3 steps"):
        scheduler.step()


@pytest.mark.parametrize("clock", [{"end": 10}, {"begin": 1, "end": 11}, {"end": 4}, {}])
def test_one_cycle_may_end_before_or_with_its_steps(clock):
    optimizer = make_optimizer(1.0)
    scheduler = OneCycleLR(optimizer, eta_max=1.0, total_steps=9, **clock)
    assert len(values_of(optimizer, scheduler, 9)) == 10


def count_of_order_warnings(run):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run()
    found = [w for w in caught if "before `optimizer.step()`" in str(w.message)]
    assert all(w.category is UserWarning and w.filename == __file__ for w in found)
    return len(found)


@pytest.mark.parametrize("wrap", [lambda o: o, OptimWrapper])
@pytest.mark.parametrize("make", [lambda o: StepLR(o, 1), lambda o: MultiStepLR(o, [3], begin=2)])
def test_a_step_before_the_optimizer_is_warned_of_once(make, wrap):
    def in_the_wrong_order():
        optimizer = wrap(make_optimizer())
        scheduler = make(optimizer)
        scheduler.step()
        optimizer.step()
        scheduler.step()

    def in_order():
        optimizer = wrap(make_optimizer())
        scheduler = make(optimizer)
        for _ in range(2):
            optimizer.step()
            scheduler.step()

    def resumed():
        optimizer = wrap(make_optimizer())
        scheduler = make(optimizer)
        scheduler.load_state_dict(make(make_optimizer()).state_dict())
        scheduler.step()

    assert count_of_order_warnings(in_the_wrong_order) == 1
    assert count_of_order_warnings(in_order) == 0
    assert count_of_order_warnings(resumed) == 0


def test_accumulated_and_overflowed_updates_are_not_a_wrong_order():
    def accumulate():
        weight = nn.Parameter(torch.ones(1))
        wrapper = OptimWrapper(SGD([weight], lr=1.0), accumulative_counts=3)
        scheduler = StepLR(wrapper, 1)
        wrapper.update_params(weight.sum())
        scheduler.step()

    def overflow():
        weight = nn.Parameter(torch.ones(1))
        wrapper = AmpOptimWrapper(dtype="float16", optimizer=SGD([weight], lr=1.0))
        scheduler = StepLR(wrapper, 1)
        wrapper.update_params((weight * float("inf")).sum())
        scheduler.step()

    def by_step():
        StepLR(make_optimizer(), 1, by="step").step()

    assert [count_of_order_warnings(run) for run in (accumulate, overflow, by_step)] == [0, 0, 0]
