"""Metrics against scikit-learn, in one process and in two; a few cases are in test_processes."""

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

pytest.importorskip("sklearn")

import evaluator_workers
import metric_cases

from eng.dist.testing import run_in_processes

SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS)
@settings(max_examples=15, deadline=None)
def test_metrics_equal_those_of_scikit_learn(seed):
    metric_cases.check(seed)


@pytest.mark.exhaustive
@given(SEEDS)
@settings(max_examples=200, deadline=None)
def test_metrics_equal_those_of_scikit_learn_in_200_cases(seed):
    metric_cases.check(seed)


@pytest.mark.exhaustive
def test_metrics_equal_those_of_scikit_learn_in_two_processes_in_200_cases():
    run_in_processes(evaluator_workers.check_references, 2, 200)
