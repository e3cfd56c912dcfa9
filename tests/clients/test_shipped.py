"""Configs and tests that the clients ship."""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

pytestmark = [pytest.mark.clients, pytest.mark.timeout(7200)]

#: Two of mmpretrain's need mmdet to be read, two use names that no base of theirs has.
LEAST = {"mmseg": 681, "mmpretrain": 534}
#: Every so many configs, and how many of their models need nothing that is not here.
BUILT = {"mmseg": (17, 39), "mmpretrain": (17, 30)}
#: Tests of mmsegmentation that fail here, and what the message says is missing.
WITHOUT = {
    "test_config_data_pipeline": "albumentations is not installed",
    "test_timm_backbone": "timm is not installed",
    "test_psa_head": "no compiled operator psamask_forward",
    # Their bases are of mmdet.
    "test_mask2former_head": "unexpected keyword argument 'in_channels'",
    "test_maskformer_head": "unexpected keyword argument 'in_channels'",
    # Latent diffusion; also their config lies outside of the wheel.
    "test_forward": "vpd_sd.py",
    "test__forward": "vpd_sd.py",
    "test_slide_flip_inference": "vpd_sd.py",
}
#: Whatever it may do with the network, the weights are there already.
WEIGHTS = """
import sys, torch, torchvision
torch.save(torchvision.models.resnet18().state_dict(), sys.argv[1])
"""


@pytest.mark.parametrize("library", LEAST)
def test_configs_are_read(clients, library: str, tmp_path: Path) -> None:
    script = Path(__file__).with_name("client_configs.py")
    lines = clients.run(tmp_path, script, "read", library).splitlines()
    assert int(lines[-1].split()[0]) >= LEAST[library], "\n".join(lines[-20:])


@pytest.mark.parametrize("library", BUILT)
def test_models_of_configs_are_built(clients, library: str, tmp_path: Path) -> None:
    script = Path(__file__).with_name("client_configs.py")
    every, least = BUILT[library]
    lines = clients.run(tmp_path, script, "build", library, every).splitlines()
    assert int(lines[-1].split()[0]) >= least, "\n".join(lines[-20:])


def test_the_tests_of_mmsegmentation(clients, tmp_path: Path) -> None:
    record = next(clients.site.glob("mmsegmentation-*.dist-info")) / "RECORD"
    for line in record.read_text(encoding="utf-8").splitlines():
        name = line.partition(",")[0]
        if name.startswith("tests/"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(clients.site / name, tmp_path / name)
    (tmp_path / "configs").symlink_to(clients.site / "mmseg" / ".mim" / "configs")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    weights = tmp_path / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
    weights.parent.mkdir(parents=True)
    clients.run(tmp_path, "-c", WEIGHTS, weights)
    words = ["-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", "--junitxml=report.xml"]
    said = clients.call(tmp_path, *words, "tests", TORCH_HOME=str(tmp_path)).stdout
    report = ET.parse(tmp_path / "report.xml")
    failed = {
        case.attrib["name"]: "".join(text for each in case for text in each.itertext())
        for case in report.iter("testcase")
        if case.find("failure") is not None or case.find("error") is not None
    }
    unexpected = [name for name in failed if WITHOUT.get(name, "\0") not in failed[name]]
    assert not unexpected, said[-6000:]
    counts = re.findall(r"(\d+) (passed|skipped)", said)
    assert {what: int(count) for count, what in counts} == {"passed": 129, "skipped": 2}
