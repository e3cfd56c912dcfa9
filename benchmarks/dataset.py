"""Speed of eng.dataset: one of a million annotations, against the bare pickle.loads of it."""

import pickle
import random
import sys
import time
from statistics import median

from eng.dataset import BaseDataset

COUNT, LOOKS, ROUNDS = 1_000_000, 20_000, 15
TARGET = 1.3


def annotation(number):
    """What a sample of a detection dataset has; 300 bytes pickled."""
    boxes = [[number % 600 + i, number % 400 - i, 31.5, 17.25] for i in range(2)]
    return {
        "img_path": f"data/coco/train2017/{number:012}.jpg",
        "img_id": number,
        "height": 480,
        "width": 640,
        "instances": [{"bbox": b, "bbox_label": i, "ignore_flag": 0} for i, b in enumerate(boxes)],
        "note": "x" * 61,
    }


class Million(BaseDataset):
    def load_data_list(self):
        return [annotation(number) for number in range(COUNT)]


def micros(call, wanted):
    start = time.perf_counter()
    for number in wanted:
        call(number)
    return (time.perf_counter() - start) / len(wanted) * 1e6


def main():
    # All of them, so that both read memory which no cache holds.
    pickles = [pickle.dumps(annotation(n), pickle.HIGHEST_PROTOCOL) for n in range(COUNT)]
    dataset = Million(data_prefix={})
    wanted = random.Random(0).choices(range(COUNT), k=LOOKS)
    size = median(len(pickles[number]) for number in wanted)
    # turn by turn, so that a machine which is busy for a while slows both
    bare, info = [], []
    for _ in range(ROUNDS):
        bare.append(micros(lambda n: pickle.loads(pickles[n]), wanted))
        info.append(micros(dataset.get_data_info, wanted))
    ratio = min(info) / min(bare)
    print(
        f"get_data_info of one of {COUNT:,} annotations of {size:.0f} bytes {min(info):.2f} us, "
        f"{ratio:.2f} times pickle.loads of it ({min(bare):.2f} us): target {TARGET}"
    )
    return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
