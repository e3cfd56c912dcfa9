"""Speed of eng.model: averaging and image preprocessing beside torch's plain operations."""

import sys
import time
from statistics import median

import torch
from torch import nn

from eng.model import ExponentialMovingAverage, ImgDataPreprocessor

TENSORS, IMAGES, ROUNDS = 300, 32, 60
MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


def in_pairs(ours, theirs, rounds=ROUNDS):
    """Median milliseconds of two calls and of their ratio.

    One is called right after the other, taking turns at being first, so that a machine which is
    busy for a while slows both.
    """
    times = {ours: [], theirs: []}
    for number in range(rounds):
        for call in (ours, theirs) if number % 2 else (theirs, ours):
            start = time.perf_counter()
            call()
            times[call].append((time.perf_counter() - start) * 1e3)
    ratio = median(a / b for a, b in zip(times[ours], times[theirs], strict=True))
    return median(times[ours]), median(times[theirs]), ratio


class Layer(nn.Module):
    def __init__(self, elements):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(elements))
        self.bias = nn.Parameter(torch.randn(elements))


@torch.no_grad()
def averages(elements, target):
    model = nn.Sequential(*(nn.Sequential(Layer(elements), nn.ReLU()) for _ in range(TENSORS // 2)))
    ema = ExponentialMovingAverage(model)
    ema.update_parameters(model)
    averaged = [parameter.clone() for parameter in model.parameters()]
    source = [parameter.detach() for parameter in model.parameters()]
    assert len(averaged) == TENSORS
    ours, plain, ratio = in_pairs(
        lambda: ema.update_parameters(model),
        lambda: torch._foreach_lerp_(averaged, source, 0.0002),
    )
    print(
        f"EMA update of {TENSORS} tensors of {elements} numbers {ours:.2f} ms, one "
        f"_foreach_lerp_ {plain:.2f} ms: {ratio:.2f} times; "
        + (f"target {target}" if target else "no target: the model is tiny")
    )
    return not target or ratio <= target


def images():
    generator = torch.Generator().manual_seed(0)
    given = [
        torch.randint(256, (3, 224, 224), generator=generator, dtype=torch.uint8)
        for _ in range(IMAGES)
    ]
    mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (MEAN, STD))
    good = True
    for swap in (False, True):
        preprocess = ImgDataPreprocessor(MEAN, STD, bgr_to_rgb=swap, pad_size_divisor=32)

        def plain(swap=swap):
            batch = torch.stack(given)
            if swap:
                batch = batch[:, [2, 1, 0]]
            return (batch.float() - mean) / std

        assert torch.equal(preprocess({"inputs": given})["inputs"], plain())
        ours, theirs, ratio = in_pairs(lambda p=preprocess: p({"inputs": given}), plain)
        print(
            f"ImgDataPreprocessor of {IMAGES} images 3x224x224{' from BGR' if swap else ''} "
            f"{ours:.1f} ms, plain operations {theirs:.1f} ms: {ratio:.2f} times; "
            "target 1.2"
        )
        good = good and ratio <= 1.2
    return good


def main():
    torch.set_num_threads(1)
    # 300 tensors are those of a model such as DETR, with some 20 million parameters and more.
    return 0 if all([averages(64 * 1024, 1.15), averages(4 * 1024, None), images()]) else 1


if __name__ == "__main__":
    sys.exit(main())
