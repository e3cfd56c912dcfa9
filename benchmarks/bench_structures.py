"""Speed of eng.structures: boolean indexing of instances, against the same on the bare tensors."""

import torch
from measure import compare, report_ratio, run_all

from eng.structures import InstanceData

COUNT = 100


def index():
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
    timed = compare(
        lambda: instances[keep],
        lambda: [value[keep] for value in fields.values()],
        rounds=15,
        number=2_000,
    )
    what = f"boolean index of {COUNT} instances with {len(fields)} fields"
    return report_ratio(what, timed, 3, f"{len(fields)} tensor operations")


if __name__ == "__main__":
    run_all(index)
