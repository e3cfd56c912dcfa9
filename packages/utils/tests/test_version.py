"""Versions as numbers."""

import pytest

import eng.utils as u


def test_versions():
    order = ["1.0.dev1", "1.0a1", "1.0b2", "1.0rc0", "1.0rc1", "1.0", "1.0.post1", "1.0.1"]
    digits = [u.digit_version(version) for version in order]
    assert digits == sorted(digits)
    assert u.digit_version("1.2.3rc1") == (1, 2, 3, 0, -1, 1)
    with pytest.raises(ValueError, match="PEP 440"):
        u.digit_version("one")
