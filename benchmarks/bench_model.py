"""Speed of eng.model: averaging and image preprocessing beside torch's plain operations."""

import torch
from measure import compare, report_ratio, run_all
from torch import nn

from eng.model import ExponentialMovingAverage, ImgDataPreprocessor

TENSORS, IMAGES, ROUNDS = 300, 32, 60
MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


class Layer(nn.Module):
    def __init__(self, elements):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(elements))
        self.bias = nn.Parameter(torch.randn(elements))


@torch.no_grad()
def average(elements, limit):
    model = nn.Sequential(*(nn.Sequential(Layer(elements), nn.ReLU()) for _ in range(TENSORS // 2)))
    ema = ExponentialMovingAverage(model)
    ema.update_parameters(model)
    averaged = [parameter.clone() for parameter in model.parameters()]
    source = [parameter.detach() for parameter in model.parameters()]
    assert len(averaged) == TENSORS
    timed = compare(
        lambda: ema.update_parameters(model),
        lambda: torch._foreach_lerp_(averaged, source, 0.0002),
        ROUNDS,
    )
    what = f"EMA update of {TENSORS} tensors of {elements} numbers"
    return report_ratio(what, timed, limit, "one _foreach_lerp_")


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
        timed = compare(lambda p=preprocess: p({"inputs": given}), plain, ROUNDS)
        what = f"ImgDataPreprocessor of {IMAGES} images 3x224x224{' from BGR' if swap else ''}"
        good &= report_ratio(what, timed, 1.2, "plain operations")
    return good


def averages():
    # 300 tensors are those of a model such as DETR, with some 20 million parameters and more; a
    # tiny model has no limit.
    return all([average(64 * 1024, 1.15), average(4 * 1024, None)])


if __name__ == "__main__":
    torch.set_num_threads(1)
    run_all(averages, images)
