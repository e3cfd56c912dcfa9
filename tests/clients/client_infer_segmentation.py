"""Predict the pictures of a folder by the inferencer of mmseg.

usage: python client_infer_segmentation.py CONFIG CHECKPOINT
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from mmseg.apis import MMSegInferencer, inference_model, init_model

config, checkpoint = sys.argv[1:]
folder = Path("drive/images/validation")
names = sorted(map(str, folder.glob("*.png")))
inferencer = MMSegInferencer(config, checkpoint, device="cpu")

results = inferencer(str(folder), batch_size=2, out_dir="inferred", return_vis=True)
assert len(results["predictions"]) == len(results["visualization"]) == len(names)
assert {each.shape for each in results["predictions"]} == {(96, 96)}
assert {each.shape for each in results["visualization"]} == {(96, 96, 3)}
assert len(list(Path("inferred/vis").iterdir())) == len(names)
assert len(list(Path("inferred/pred").iterdir())) == len(names)

single = inferencer(cv2.imread(names[0]))
assert np.array_equal(single["predictions"], results["predictions"][0])
(sample, _) = inferencer(names[:2], return_datasamples=True)
assert np.array_equal(sample.pred_sem_seg.data[0].numpy(), results["predictions"][0])

model = init_model(config, checkpoint, device="cpu")
assert np.array_equal(
    inference_model(model, names[0]).pred_sem_seg.data[0].numpy(), single["predictions"]
)

print(f"predictions of {len(names)} pictures")
