"""The page of ``eng plot`` in a headless browser, opened from a folder."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from recorded_runs import record_start, train, validate

from eng.cli import main

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


@pytest.fixture(scope="module")
def browser():
    found = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    with playwright.sync_playwright() as session:
        try:
            chromium = session.chromium.launch(
                executable_path=next(filter(None, found), None), args=["--no-sandbox"]
            )
        except playwright.Error as error:
            pytest.skip(f"no browser: {error}")
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, tmp_path):
    for name, scale in (("first", 1), ("second", 2)):
        records = [train(i, 1, loss=scale / i, lr=-0.1, one=scale) for i in range(1, 101)]
        records[50]["loss"] = float("nan")
        records[0]["</script><b>"] = 1.0
        record_start(tmp_path / name, "20260101_000000", [*records, validate(1, acc=0.1 * scale)])
    out = tmp_path / "curves.html"
    assert main(["plot", str(tmp_path / "first"), str(tmp_path / "second"), "--out", str(out)]) == 0
    page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
    problems = page.problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: message.type == "error" and problems.append(message.text))
    page.on("request", lambda request: problems.append(request.url))
    page.goto(out.as_uri())
    yield page
    assert problems == [out.as_uri()]  # no error, and no request but that of the page itself
    page.close()


def ink(page, color, name="loss"):
    """The number of pixels of a panel with about this colour."""
    page.evaluate("() => new Promise(requestAnimationFrame)")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    return page.evaluate(
        """([name, [r, g, b]]) => {
            const canvas = panels.find((panel) => panel.name === name).canvas;
            const { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
            let count = 0;
            for (let i = 0; i < data.length; i += 4) {
                const parts = [data[i] - r, data[i + 1] - g, data[i + 2] - b];
                const far = parts.reduce((sum, part) => sum + Math.abs(part), 0);
                if (data[i + 3] > 200 && far < 30) count++;
            }
            return count;
        }""",
        [name, color],
    )


BLUE, ORANGE = (0x3B, 0x82, 0xD6), (0xE0, 0x76, 0x2A)


def test_runs_are_drawn_and_switched_off(page):
    names = page.locator("section h2").all_inner_texts()
    assert names == ["loss", "one", "</script><b>", "acc", "lr", "val/time", "val/data_time"]
    assert ink(page, BLUE) > 50
    assert ink(page, ORANGE) > 50
    page.get_by_role("button", name="second", exact=True).click()
    assert ink(page, ORANGE) == 0
    assert ink(page, BLUE) > 50
    page.get_by_role("button", name="second", exact=True).click()
    assert ink(page, ORANGE) > 50


def test_hover_shows_the_values_of_all_runs(page):
    box = page.locator("canvas").first.bounding_box()
    middle = 56 + (box["width"] - 66) * 0.5
    page.mouse.move(box["x"] + middle, box["y"] + 100)
    tip = page.locator("#tip")
    lines = tip.inner_text().split("\n")
    assert lines[0] in ("iteration 50", "iteration 51")
    page.mouse.move(box["x"] + 60, box["y"] + 100)
    assert tip.inner_text().split() == ["iteration", "1", "first", "1", "second", "2"]
    page.mouse.move(5, 5)
    assert not tip.is_visible()


def test_zoom_by_dragging_and_back(page):
    box = page.locator("canvas").first.bounding_box()
    reset = page.locator("#reset")
    assert reset.is_disabled()
    page.mouse.move(box["x"] + 150, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 250, box["y"] + 100, steps=4)
    page.mouse.up()
    low, high = page.evaluate("state.zoom")
    assert 15 < low < 40 < high < 75
    assert reset.is_enabled()
    page.locator("canvas").nth(1).dblclick()
    assert page.evaluate("state.zoom") is None


def test_smoothing_log_axes_filter_and_theme(page):
    page.locator("#smoothing").fill("0.9")
    assert page.locator("#smoothing-value").inner_text() == "0.9"
    assert page.evaluate("smooth([2, 2, null, 2], 0.9)") == [
        pytest.approx(2), pytest.approx(2), None, pytest.approx(2)
    ]  # fmt: skip
    before = ink(page, BLUE)
    page.locator("#log-y").check()
    page.locator("#log-x").check()
    assert ink(page, BLUE) != before
    assert ink(page, BLUE, "lr") == 0  # negative
    page.locator("#filter").fill("LOSS|ac")
    assert page.locator("section:visible h2").all_inner_texts() == ["loss", "acc"]
    page.locator("#filter").fill("(")  # not finished: the filter before stays
    assert page.locator("section:visible").count() == 2
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    page.locator("#theme").click()
    assert page.evaluate(ground) == "rgb(20, 23, 28)"


def test_the_theme_of_the_system(page):
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 28)"


def test_a_narrow_window(page):
    page.set_viewport_size({"width": 360, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
