"""Warnings that are logged once are logged again in each test."""

import pytest

from eng.logging import MMLogger


@pytest.fixture(autouse=True)
def fresh_warnings():
    MMLogger.get_current_instance().reset_warnings()
