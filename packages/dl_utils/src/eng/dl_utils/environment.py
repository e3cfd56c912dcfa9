"""The environment that a run is in, and its settings for child processes."""

import importlib
import importlib.metadata
import logging
import multiprocessing
import os
import platform
import shutil
import subprocess
import sys
from collections import OrderedDict, defaultdict
from typing import Any

import numpy as np
import torch

from eng.device import is_cuda_available, is_musa_available
from eng.logging import print_log
from eng.utils import is_installed

__all__ = ["collect_env", "find_cuda_home", "mmcv_full_available", "set_multi_processing"]


def collect_env() -> dict[str, Any]:
    """Report the environment, without failing on what is not there.

    Returns:
        Texts by name: platform, Python, devices, compilers, versions of libraries.
    """
    info: OrderedDict[str, Any] = OrderedDict()
    info["sys.platform"] = sys.platform
    info["Python"] = sys.version.replace("\n", "")
    info["CUDA available"] = is_cuda_available()
    info["MUSA available"] = is_musa_available()
    info["numpy_random_seed"] = int(np.random.get_state()[1][0])  # type: ignore[index]
    if info["CUDA available"]:
        by_name: dict[str, list[str]] = defaultdict(list)
        for index in range(torch.cuda.device_count()):
            by_name[torch.cuda.get_device_name(index)].append(str(index))
        for name, indices in by_name.items():
            info["GPU " + ",".join(indices)] = name
    cuda_home = find_cuda_home()
    if cuda_home is not None:
        info["CUDA_HOME"] = cuda_home
        info["NVCC"] = _read_last_line([os.path.join(cuda_home, "bin", "nvcc"), "-V"])  # noqa: PTH118
    info["GCC"] = _read_first_line(["gcc", "--version"])
    if sys.platform == "win32":
        info["MSVC"] = platform.python_compiler()
    info["PyTorch"] = str(torch.__version__)
    info["PyTorch compiling details"] = torch.__config__.show()
    for title, distributions in (
        ("TorchVision", ("torchvision",)),
        ("OpenCV", ("opencv-python", "opencv-python-headless", "opencv-contrib-python")),
        ("MMENGINE", ("eng-all", "eng-dl-utils")),
    ):
        version = _find_version(distributions)
        if version is not None:
            info[title] = version
    return info


def find_cuda_home() -> str | None:
    """Return the folder of the CUDA toolkit, as torch finds it."""
    given = os.environ.get("CUDA_HOME") or os.environ.get("CUDA_PATH")
    if given is None and torch.version.cuda is None and torch.version.hip is None:
        return None  # as torch says then, without the time that importing setuptools takes
    try:
        from torch.utils.cpp_extension import CUDA_HOME
    except ImportError:  # it needs setuptools, which not every torch brings
        return given
    return None if CUDA_HOME is None else str(CUDA_HOME)


def mmcv_full_available() -> bool:
    """Whether mmcv with its compiled operators is installed."""
    return is_installed("mmcv") and is_installed("mmcv._ext")


def set_multi_processing(
    mp_start_method: str = "fork", opencv_num_threads: int = 0, distributed: bool = False
) -> None:
    """Set how child processes start, and keep processes from using too many threads.

    Args:
        mp_start_method: ``fork``, ``spawn`` or ``forkserver``; left alone on Windows.
        opencv_num_threads: Threads of OpenCV, if it is installed; 0 switches them off.
        distributed: Whether this is one of several processes. Then ``OMP_NUM_THREADS`` and
            ``MKL_NUM_THREADS`` become 1 unless they are set.

    Raises:
        ValueError: The platform has no such start method.
    """
    if platform.system() != "Windows":
        known = multiprocessing.get_all_start_methods()
        if mp_start_method not in known:
            raise ValueError(f"unknown start method {mp_start_method!r}, known are: {known}")
        current = multiprocessing.get_start_method(allow_none=True)
        if current is not None and current != mp_start_method:
            print_log(
                f"processes started by {current} so far and start by {mp_start_method} from now on",
                logger="current",
                level=logging.WARNING,
            )
        multiprocessing.set_start_method(mp_start_method, force=True)
    if is_installed("cv2"):
        importlib.import_module("cv2").setNumThreads(opencv_num_threads)
    if distributed:
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        os.environ.setdefault("MKL_NUM_THREADS", "1")


def _read_first_line(command: list[str]) -> str:
    return (_read_output(command) or ["n/a"])[0]


def _read_last_line(command: list[str]) -> str:
    return (_read_output(command) or ["n/a"])[-1]


def _read_output(command: list[str]) -> list[str]:
    if shutil.which(command[0]) is None:
        return []
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.strip().splitlines() if done.returncode == 0 else []


def _find_version(distributions: tuple[str, ...]) -> str | None:
    for name in distributions:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None
