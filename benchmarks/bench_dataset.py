"""Speed of eng.dataset: one of a million annotations, against the bare pickle.loads of it."""

import pickle
import random
from statistics import median

from measure import compare, report_ratio, run_all

from eng.dataset import BaseDataset

COUNT, LOOKS, ROUNDS = 1_000_000, 20_000, 15


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


def look():
    # All of them, so that both read memory which no cache holds.
    pickles = [pickle.dumps(annotation(n), pickle.HIGHEST_PROTOCOL) for n in range(COUNT)]
    dataset = Million(data_prefix={})
    wanted = random.Random(0).choices(range(COUNT), k=LOOKS)
    size = median(len(pickles[number]) for number in wanted)

    def ours():
        for number in wanted:
            dataset.get_data_info(number)

    def plain():
        for number in wanted:
            pickle.loads(pickles[number])

    timed = compare(ours, plain, ROUNDS)
    what = f"{LOOKS:,} times get_data_info of one of {COUNT:,} annotations of {size:.0f} bytes"
    return report_ratio(what, timed, 1.3, "pickle.loads of them")


if __name__ == "__main__":
    run_all(look)
