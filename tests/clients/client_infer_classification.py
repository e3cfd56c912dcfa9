"""Predict pictures by the inferencer of mmpretrain.

usage: python client_infer_classification.py CONFIG CHECKPOINT
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from mmengine import Config
from mmpretrain import ImageClassificationInferencer, get_model, inference_model, list_models

config, checkpoint = sys.argv[1:]
channels = 1 if "lenet" in config else 3
rng = np.random.default_rng(0)
pictures = [rng.integers(0, 255, (32, 32, channels)).astype(np.uint8).squeeze() for _ in range(4)]
Path("pictures").mkdir(exist_ok=True)
for number, picture in enumerate(pictures):
    cv2.imwrite(f"pictures/{number}.png", picture)

model = get_model(Config.fromfile(config), pretrained=checkpoint, device="cpu")
names = [f"class {number}" for number in range(10)]
inferencer = ImageClassificationInferencer(model, classes=names)
results = inferencer(pictures, batch_size=2)
assert all(result["pred_class"] == names[result["pred_label"]] for result in results)
assert all(abs(result["pred_scores"].sum() - 1) < 1e-5 for result in results)
drawn = inferencer("pictures", show_dir="drawn") if channels == 3 else results
assert len(list(Path("drawn").glob("*"))) == 4 or channels == 1
# Two at once: LeNet-5 of mmpretrain takes no single picture.
by_path = ImageClassificationInferencer(config, pretrained=checkpoint, device="cpu")
for one, other in zip(by_path(pictures, batch_size=2), results, strict=True):
    assert np.array_equal(one["pred_scores"], other["pred_scores"])

known = list_models("*resnet18*cifar10*")
assert known == ["resnet18_8xb16_cifar10"]
named = get_model(known[0], pretrained=False, device="cpu")
assert inference_model(named, rng.integers(0, 255, (32, 32, 3)).astype(np.uint8))["pred_class"]
print(f"predictions of {len(results)} pictures")
