"""The setting parallel: the same run in one process and spread over several."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

import parallel_cases as cases

from eng.dist.testing import run_in_processes
from eng.model import ParallelSettingsError
from eng.runner import Runner, RunnerConfigError

BLOCKS = ["TanhBlock"]
#: Numbers of data ranks, settings, and further settings of the run.
TWO: dict[str, tuple[int, Any, dict[str, Any]]] = {
    "tensor resumed": (1, {"tensor": 2}, {"drop": 0.3}),
    "shard": (2, {"shard": "rest", "wrap": BLOCKS}, {}),
    "data": (2, {"data": 2, "checkpoint_activations": BLOCKS}, {}),
}
FOUR: dict[str, tuple[int, Any, dict[str, Any]]] = {
    "shard and tensor": (2, {"shard": 2, "tensor": 2, "wrap": BLOCKS}, {}),
}
MORE: dict[str, tuple[int, Any, dict[str, Any]]] = {
    "hybrid": (4, {"data": 2, "shard": 2, "wrap": BLOCKS, "checkpoint_activations": BLOCKS}, {}),
    "data and tensor": (
        2,
        {"tensor": 2, "tensor_plan": {"blocks.*.up": "columns", "blocks.*.down": "rows"}},
        {},
    ),
}
ALL = {**TWO, **FOUR, **MORE}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, list[Any]], Path]:
    """Results of all ranks by the name of the case, and the folder of the runs."""
    folder = tmp_path_factory.mktemp("parallel")
    results: dict[str, list[Any]] = {}
    for number, some in ((2, TWO), (4, FOUR)):
        ranks = run_in_processes(cases.all_runs, number, str(folder), some, timeout=120)
        results |= {name: [rank[name] for rank in ranks] for name in some}
    return results, folder


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[float, tuple[Any, Path]]:
    """Result and folder of one process, without dropout and with it."""
    folder = tmp_path_factory.mktemp("alone")
    return {
        drop: (cases.run(str(folder / str(drop)), 1, None, drop=drop), folder / str(drop))
        for drop in (0.0, 0.3)
    }


def check_equal(
    name: str, ranks: list[Any], folder: Path, alone: dict[float, tuple[Any, Path]]
) -> None:
    """Hold a case in some processes against the same run in one."""
    wanted, other_folder = alone[ALL[name][2].get("drop", 0.0)]
    for rank in ranks:
        assert rank["losses"] == pytest.approx(wanted["losses"], abs=1e-5)
        assert rank["metrics"] == pytest.approx(wanted["metrics"], abs=1e-5)
        assert rank["metrics"]["number"] == rank["metrics"]["running_number"] == 20
        assert rank["samples_per_iter"] == 4
        # Each sample once, by the data rank alone.
        data_ranks = len(rank["epochs"][0])
        assert data_ranks == ALL[name][0]
        for epoch in rank["epochs"]:
            assert sorted(number for own in epoch for number in own) == [*range(20)]
    saved = torch.load(folder / name / "epoch_2.pth", weights_only=True)
    other = torch.load(other_folder / "epoch_2.pth", weights_only=True)
    for key in ("state_dict", "ema_state_dict"):
        assert set(saved[key]) == set(other[key])
        for weight, value in other[key].items():
            torch.testing.assert_close(saved[key][weight], value, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", [*TWO, *FOUR])
def test_losses_metrics_and_averages_are_those_of_one_process(
    found: tuple[dict[str, list[Any]], Path],
    alone: dict[float, tuple[Any, Path]],
    name: str,
) -> None:
    check_equal(name, found[0][name], found[1], alone)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", MORE)
def test_other_layouts_of_four_processes(
    alone: dict[float, tuple[Any, Path]], tmp_path: Path, name: str
) -> None:
    some = {name: MORE[name]}
    ranks = run_in_processes(cases.all_runs, 4, str(tmp_path), some, timeout=120)
    check_equal(name, [rank[name] for rank in ranks], tmp_path, alone)


def test_logged_means_of_split_layers_are_those_of_one_process(
    found: tuple[dict[str, list[Any]], Path], alone: dict[float, tuple[Any, Path]]
) -> None:
    for rank in found[0]["tensor resumed"]:
        assert rank["logged"] == pytest.approx(alone[0.3][0]["logged"], abs=1e-5)


def test_a_run_resumes_inside_an_epoch(found: tuple[dict[str, list[Any]], Path]) -> None:
    for rank in found[0]["tensor resumed"]:
        assert rank["resumed"] == pytest.approx(rank["losses"], abs=1e-6)


def test_a_process_keeps_its_share_of_the_model_and_its_average(
    found: tuple[dict[str, list[Any]], Path], alone: dict[float, tuple[Any, Path]]
) -> None:
    whole = alone[0.0][0]["own"]
    # Some sizes are odd, and layers without a plan are whole in each process of a tensor group.
    shares = {"shard": 0.52, "tensor resumed": 0.7, "shard and tensor": 0.32}
    for name, ranks in found[0].items():
        for rank in ranks:
            assert rank["own_average"] == rank["own"]
            assert rank["own"] <= whole * shares.get(name, 1)
        is_replicated = name == "data"
        assert ranks[0]["wrapper"] == (
            "MMDistributedDataParallel" if is_replicated else "MMFullyShard"
        )


def test_a_checkpoint_of_any_layout_resumes_in_one_process(
    found: tuple[dict[str, list[Any]], Path], alone: dict[float, tuple[Any, Path]], tmp_path: Path
) -> None:
    path = found[1] / "shard and tensor" / "epoch_1.pth"
    resumed = cases.run(str(tmp_path), 1, None, resume=True, load_from=str(path))
    assert resumed["losses"] == pytest.approx(alone[0.0][0]["losses"][5:], abs=1e-5)


def test_runs_of_one_process_keep_their_ranks_in_the_data(
    alone: dict[float, tuple[Any, Path]], tmp_path: Path
) -> None:
    wanted = alone[0.0][0]
    for rank in run_in_processes(cases.take_turns, 2, str(tmp_path), timeout=90):
        for losses, metrics in rank:
            assert losses == pytest.approx(wanted["losses"], abs=1e-5)
            assert metrics == pytest.approx(wanted["metrics"], abs=1e-5)


def test_what_does_not_fit_is_refused_with_the_closest_name(tmp_path: Path) -> None:
    sampler = {"type": "SamplerOfRanks", "shuffle": False}
    loader = {"dataset": {"type": "NumberedSums"}, "sampler": sampler, "batch_size": 2}
    mistakes: dict[str, Any] = {
        "plan": {"parallel": {"tensor": 2, "tensor_plan": {"blocks.*.upp": "columns"}}},
        "wrap": {"parallel": {"shard": 2, "wrap": ["TanhBlok"]}},
        "sizes": {"parallel": {"shard": 3}},
        "samples": {"parallel": {"tensor": 2}, "train_dataloader": loader},
    }
    first, second = run_in_processes(cases.refused, 2, str(tmp_path), mistakes, timeout=90)
    texts = {
        "plan": "tensor_plan: BlockModel has no part 'blocks.*.upp': did you mean 'blocks.*.up'?",
        "wrap": "wrap: BlockModel has no part 'TanhBlok': did you mean 'TanhBlock'?",
        "sizes": "a mesh of data='rest', shard=3, tensor=1 does not fit 2 processes",
        "samples": "have different batches of DataLoader with DistributedSampler",
    }
    for name, text in texts.items():
        assert text in first[name]
        assert text in second[name]


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"model_wrapper_cfg": {"type": "MMFullyShard"}}, "parallel and model_wrapper_cfg both"),
        ({"parallel": {"compile": True}, "compile": True}, "parallel.compile and compile both"),
        ({"parallel": {"shards": 2}}, "no setting 'shards': did you mean 'shard'"),
        ({"parallel": {"tensor_plan": {"up": "column"}}}, "did you mean 'columns'"),
        ({"parallel": {"mixed_precision": {"param_dtype": "bf16"}}}, "must be a dtype such as"),
    ],
)
def test_settings_that_contradict_are_refused(
    tmp_path: Path, more: dict[str, Any], text: str
) -> None:
    with pytest.raises((RunnerConfigError, ParallelSettingsError), match=text):
        Runner.from_cfg({**cases.job(str(tmp_path), 1, {"shard": 2}), **more})


def test_a_single_process_ignores_the_setting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cfg = cases.job(str(tmp_path), 1, {"data": 8, "shard": "rest"}, log_level="INFO")
    runner = Runner.from_cfg(cfg)
    assert type(runner.model).__name__ == "BlockModel"
    assert capsys.readouterr().out.count("parallel is ignored: there is a single process") == 1
