"""Speed of eng.structures: boolean indexing of instances, against the same on the bare tensors."""

import sys
import timeit

import torch

from eng.structures import InstanceData

COUNT = 100
TARGET = 3


def micros(call, number=2_000):
    return min(timeit.repeat(call, number=number, repeat=9)) / number * 1e6


def main():
    torch.set_num_threads(1)
    fields = {
        "labels": torch.arange(COUNT),
        "scores": torch.rand(COUNT),
        "bboxes": torch.rand(COUNT, 4),
        "points": torch.rand(COUNT, 17, 2),
        "areas": torch.rand(COUNT),
    }
    instances = InstanceData(metainfo={"img_shape": (800, 1333), "img_id": 7}, **fields)
    keep = fields["scores"] > 0.5
    bare = micros(lambda: [value[keep] for value in fields.values()])
    indexed = micros(lambda: instances[keep])
    ratio = indexed / bare
    print(
        f"boolean index of {COUNT} instances with {len(fields)} fields {indexed:.1f} us, "
        f"{ratio:.2f} times the {len(fields)} tensor operations ({bare:.1f} us): target {TARGET}"
    )
    return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
