"""Print what ran of each page of the documentation."""

from __future__ import annotations

import pytest

BUDGET_S = 20


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A line for each page: blocks that ran, seconds, and why others did not."""
    reports = [
        report for key in ("passed", "failed") for report in terminalreporter.getreports(key)
    ]
    pages = [
        value
        for report in reports
        for name, value in getattr(report, "user_properties", [])
        if name == "page"
    ]
    if not pages:
        return
    terminalreporter.section("pages")
    for page, ran, skipped, seconds in sorted(pages):
        late = f"  over {BUDGET_S} s" if seconds > BUDGET_S else ""
        reasons = f"  {len(skipped)} skipped: {'; '.join(skipped)}" if skipped else ""
        terminalreporter.line(f"{page:<45}{ran:>4} blocks {seconds:>6.1f} s{late}{reasons}")
    blocks = sum(ran for _, ran, _, _ in pages)
    seconds = sum(seconds for *_, seconds in pages)
    terminalreporter.line(f"{len(pages)} pages, {blocks} blocks, {seconds:.0f} s")
