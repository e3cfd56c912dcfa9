"""Report the environment of a run, and configure child processes."""

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

import numpy as np
import torch

from eng.device import is_cuda_available, is_musa_available
from eng.logging import print_log
from eng.utils import InvalidSettingError, is_installed

__all__ = ["collect_env", "find_cuda_home", "mmcv_full_available", "set_multi_processing"]


def collect_env() -> dict[str, str | bool | int]:
    """Report the environment; missing libraries and tools are left out.

    Returns:
        Values by name: platform, Python, devices, compilers, versions of libraries.
    """
    info: OrderedDict[str, str | bool | int] = OrderedDict()
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
    """Return the folder of the CUDA toolkit according to torch, None if it is not found."""
    given = os.environ.get("CUDA_HOME") or os.environ.get("CUDA_PATH")
    if given is None and torch.version.cuda is None and torch.version.hip is None:
        return None  # the result of torch, without the slow import of setuptools
    try:
        from torch.utils.cpp_extension import CUDA_HOME
    except ImportError:  # it needs setuptools, which some versions of torch do not require
        return given
    return None if CUDA_HOME is None else str(CUDA_HOME)


def mmcv_full_available() -> bool:
    """Whether mmcv with its compiled operators is installed."""
    return is_installed("mmcv") and is_installed("mmcv._ext")


def set_multi_processing(
    mp_start_method: str = "fork", opencv_num_threads: int = 0, distributed: bool = False
) -> None:
    """Set the start method of child processes, and limit the number of threads.

    Args:
        mp_start_method: ``fork``, ``spawn`` or ``forkserver``; ignored on Windows.
        opencv_num_threads: Threads of OpenCV, if it is installed; 0 disables threading.
        distributed: Whether training is distributed. Then ``OMP_NUM_THREADS`` and
            ``MKL_NUM_THREADS`` are set to 1 unless they are set already.

    Raises:
        ValueError: If the platform does not support the start method.
    """
    if platform.system() != "Windows":
        known = multiprocessing.get_all_start_methods()
        if mp_start_method not in known:
            raise InvalidSettingError(
                f"unknown start method {mp_start_method!r}, expected one of: {', '.join(known)}"
            )
        current = multiprocessing.get_start_method(allow_none=True)
        if current is not None and current != mp_start_method:
            print_log(
                f"changing the start method of processes from {current} to {mp_start_method}",
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
