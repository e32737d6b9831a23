"""The page, in a real browser."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from flowy_trace import Trace

from . import runs
from .hostile import NASTY, hostile
from .simulation import simulate
from .traces import TRACES, shop

Browser: TypeAlias = Any  # Selenium's driver
Open: TypeAlias = Callable[..., Browser]


@pytest.fixture
def open_page(chromium: Browser, tmp_path: Path) -> Open:
    """Return what opens the page of a trace."""

    def open_page(
        trace: Trace, width: int = 1400, height: int = 1000, dark: bool = False
    ) -> Browser:
        path = tmp_path / "run.html"
        trace.save(path)
        chromium.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": scheme})
        for kind in ("browser", "performance"):
            chromium.get_log(kind)
        chromium.get(path.as_uri())
        settle(chromium)
        return chromium

    return open_page


def settle(browser: Browser) -> None:
    """Wait until the page has drawn what it was going to draw."""
    browser.execute_async_script(
        "const done = arguments[0];"
        "requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)));"
    )


def run(browser: Browser, script: str, *arguments: Any) -> Any:
    """Run a script in the page; return what it returns, after the page has been drawn again."""
    result = browser.execute_script(script, *arguments)
    settle(browser)
    return result


def press(browser: Browser, *keys: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    for key in keys:
        ActionChains(browser).send_keys(key).perform()
    settle(browser)


def rows(browser: Browser) -> list[str]:
    """Return the names of the rows that can be seen, from the top."""
    found: list[str] = run(
        browser,
        "return [...document.querySelectorAll('#rows .row')].map(row => "
        "[parseFloat(row.style.top), row.querySelector('.name span').textContent])"
        ".sort((a, b) => a[0] - b[0]).map(each => each[1])",
    )
    return found


def details(browser: Browser) -> str:
    return str(run(browser, "return document.getElementById('details').innerText"))


def complaints(browser: Browser) -> list[str]:
    """Return what the console shows, and what was asked of any network."""
    said = [entry["message"] for entry in browser.get_log("browser")]
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            url = message["params"]["request"]["url"]
            if not url.startswith(("file:", "data:")):
                said.append(url)
    return said


@pytest.mark.parametrize("name", TRACES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_page_draws_without_a_complaint_and_asks_nothing_of_anybody(
    open_page: Open, name: str, dark: bool
) -> None:
    browser = open_page(TRACES[name](), dark=dark)
    assert len(rows(browser)) >= 1
    assert run(browser, "return document.querySelectorAll('.graph:not([hidden]) .node').length")
    colour = run(browser, "return getComputedStyle(document.body).backgroundColor")
    assert colour == ("rgb(14, 18, 23)" if dark else "rgb(245, 247, 249)")
    assert complaints(browser) == []


def test_the_timeline_has_a_row_for_each_call_with_its_phases(open_page: Open) -> None:
    browser = open_page(shop())
    names = [name.partition("(")[0] for name in rows(browser)]
    assert names == [
        "Shop",
        "survey-0",
        *("order-0", "price-0", "stock-0", "total-0"),
        *("order-1", "price-0", "stock-0", "total-0"),
        *("order-2", "price-0", "stock-0", "total-0"),
        *("charge-0", "charge-1", "ship-0"),
    ]
    phases = run(
        browser,
        "return [...document.querySelectorAll('#rows .row')].map(row => "
        "[...row.querySelectorAll('.track i:not(.path)')].map(piece => piece.className).join())",
    )
    assert phases[8] == "queued,running failed,delay,running"
    assert phases[9] == "arguments,running"
    assert phases[1] == "running open"
    critical = run(browser, "return [...document.querySelectorAll('#rows .critical')].length")
    assert critical == 7


def test_a_click_shows_all_of_a_call(open_page: Open) -> None:
    browser = open_page(shop())
    run(browser, "document.querySelector('#row-8').click()")
    shown = details(browser)
    for text in (
        "stock-0",
        "'pear'",
        "'3 of pear'",
        "Shop / order-1",
        "total-0",
        "worker-3",
        "ConnectionError: the warehouse does not answer",
        "Traceback (most recent call last):",
        "52 % of the critical path",
    ):
        assert text in shown
    selected = run(browser, "return document.querySelector('#canvas .selected title').textContent")
    assert selected == "/order-1-0/stock-0"
    assert run(browser, "return document.querySelector('#row-9').classList.contains('target')")


def test_a_click_on_a_node_of_the_graph_shows_the_call(open_page: Open) -> None:
    browser = open_page(shop())
    run(
        browser,
        "[...document.querySelectorAll('#canvas .graph:not([hidden]) .node')]"
        ".find(node => node.querySelector('title').textContent === '/charge-0')"
        ".dispatchEvent(new MouseEvent('click', {bubbles: true}))",
    )
    assert "ValueError: card '0000' was refused" in details(browser)


def test_failures_come_first(open_page: Open) -> None:
    browser = open_page(TRACES["trouble"]())
    wrong = run(browser, "return document.getElementById('wrong').innerText").splitlines()
    assert wrong[0] == "What went wrong"
    assert wrong[1].startswith("Trouble failed: TaskError: child-1-1 failed: ")
    assert "child-1 / attempt 2 / nap-0 failed: TypeError: " in wrong[5]
    run(browser, "document.querySelectorAll('#wrong button')[1].click()")
    assert "TimedOut: START_TO_CLOSE" in details(browser)
    run(
        browser,
        "const order = document.getElementById('order'); order.value = 'wrong';"
        "order.dispatchEvent(new Event('change'))",
    )
    assert rows(browser)[:2] == ["Trouble", "nap-0(9)"]
    assert rows(browser)[-1] in ("child-0(0)", "nap-0(0)")


def test_a_run_without_failures_says_nothing_of_any(open_page: Open) -> None:
    browser = open_page(TRACES["example"]())
    assert run(browser, "return document.getElementById('wrong').hidden") is True


def test_calls_are_found_by_what_is_typed(open_page: Open) -> None:
    browser = open_page(shop())
    press(browser, "/", "p", "l", "u", "m")
    assert [name.partition("(")[0] for name in rows(browser)] == [
        "Shop",
        "order-2",
        "price-0",
        "stock-0",
        "total-0",
        "ship-0",
    ]
    assert run(browser, "return document.getElementById('count').textContent") == "5 of 16 calls"
    press(browser, "\ue007")  # Enter
    assert "order-2" in details(browser)
    run(
        browser,
        "const find = document.getElementById('find'); find.value = 'nothing is like this';"
        "find.dispatchEvent(new Event('input'))",
    )
    assert rows(browser) == []
    assert run(browser, "return document.querySelector('#rows .empty').textContent")


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("wrong", ["survey-0", "charge-0"]),
        (
            "critical",
            ["Shop", "order-1", "stock-0", "total-0", "charge-0", "charge-1", "ship-0"],
        ),
        ("retried", ["stock-0", "stock-0"]),
    ],
)
def test_calls_are_filtered(open_page: Open, choice: str, expected: list[str]) -> None:
    browser = open_page(shop())
    run(
        browser,
        "const filter = document.getElementById('filter'); filter.value = arguments[0];"
        "filter.dispatchEvent(new Event('change'))",
        choice,
    )
    assert [name.partition("(")[0] for name in rows(browser)] == expected


def test_it_can_be_used_with_the_keyboard_alone(open_page: Open) -> None:
    down, up, left, right, escape = "\ue015", "\ue013", "\ue012", "\ue014", "\ue00c"
    browser = open_page(shop())
    press(browser, down, down, down)
    assert "order-0" in details(browser)
    press(browser, left)
    assert [name.partition("(")[0] for name in rows(browser)][2:4] == ["order-0", "order-1"]
    press(browser, right, right, up)
    assert details(browser).startswith("order-0")
    before = run(browser, "return document.querySelector('#row-14 i').style.width")
    press(browser, "+")
    after = run(browser, "return document.querySelector('#row-14 i').style.width")
    assert float(after[:-1]) > float(before[:-1])
    press(browser, "0")
    assert run(browser, "return document.querySelector('#row-14 i').style.width") == before
    press(browser, "f")
    assert len(rows(browser)) == 2
    press(browser, "f", escape)
    assert run(browser, "return document.getElementById('details').hidden") is True
    press(browser, "\ue010")  # End
    assert details(browser).startswith("ship-0")


def test_the_graph_is_shown_by_call_or_by_task(open_page: Open) -> None:
    browser = open_page(TRACES["many"]())
    count = "return document.querySelectorAll('.graph:not([hidden]) .node').length"
    assert run(browser, count) == 3
    run(browser, "document.querySelector('#by [data-by=each]').click()")
    assert run(browser, count) == 120
    run(
        browser,
        "document.querySelector('#by [data-by=task]').click();"
        "document.querySelectorAll('.graph:not([hidden]) .node')[1]"
        ".dispatchEvent(new MouseEvent('click', {bubbles: true}))",
    )
    assert run(browser, "return document.getElementById('count').textContent") == "60 of 119 calls"


def test_light_and_dark_can_be_switched(open_page: Open) -> None:
    browser = open_page(TRACES["example"]())
    colour = "return getComputedStyle(document.body).backgroundColor"
    light = run(browser, colour)
    run(browser, "document.getElementById('theme').click()")
    dark = run(browser, colour)
    run(browser, "document.getElementById('theme').click()")
    assert (run(browser, colour), dark) == (light, "rgb(14, 18, 23)")


@pytest.mark.parametrize("name", ["shop", "hostile", "trouble", "many"])
def test_on_a_phone_nothing_is_wider_than_the_screen(open_page: Open, name: str) -> None:
    browser = open_page(TRACES[name](), 390, 844)
    assert run(browser, "return document.documentElement.scrollWidth") == 390
    run(browser, "document.querySelectorAll('#rows .row')[1].click()")
    assert run(browser, "return document.documentElement.scrollWidth") == 390
    box = run(browser, "return document.getElementById('details').getBoundingClientRect().toJSON()")
    assert (box["left"], box["right"]) == (0, 390)


def test_on_a_phone_a_long_run_id_has_the_width_of_the_screen(open_page: Open) -> None:
    browser = open_page(dataclasses.replace(shop(), run="x" * 100), 390, 844)
    box = run(browser, "return document.getElementById('meta').getBoundingClientRect().toJSON()")
    assert (box["left"], box["right"]) == (10, 380)


def test_of_the_attempts_only_what_is_known_has_a_column(open_page: Open) -> None:
    browser = open_page(shop())
    titles = "return [...document.querySelectorAll('#details th')].map(each => each.textContent)"
    run(browser, "document.querySelector('#row-8').click()")
    assert run(browser, titles) == [
        *("attempt", "began", "waited", "queued", "ran", "worker", "outcome")
    ]
    run(browser, "document.querySelector('#row-7').click()")
    assert run(browser, titles) == ["attempt", "began", "queued", "ran", "worker", "outcome"]


def test_what_is_printed_holds_every_call_with_all_that_is_known(open_page: Open) -> None:
    trace = shop()
    browser = open_page(trace)
    pdf = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {})["data"])
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") != 1
    run(browser, "dispatchEvent(new Event('beforeprint'))")
    printed = run(browser, "return document.getElementById('print').textContent")
    for _, call in trace.calls():
        assert call.key in printed
        assert call.arguments in printed
        assert (call.result or "") in printed
        for attempt in call.attempts:
            assert attempt.worker in printed
            if attempt.error is not None:
                assert str(attempt.error) in printed
                assert attempt.error.traceback in printed
    run(browser, "dispatchEvent(new Event('afterprint'))")
    assert run(browser, "return document.getElementById('print').childElementCount") == 0


def test_hostile_values_are_shown_as_what_they_are(open_page: Open) -> None:
    trace = simulate(hostile(), NASTY, NASTY)
    browser = open_page(trace)
    assert run(browser, "return document.querySelectorAll('img, #rows script').length") == 0
    assert run(browser, "return document.querySelectorAll('script').length") == 2
    texts = run(browser, "return flowyTrace.rows.map(row => [row.args, row.result])")
    entries = [(call.arguments, call.result) for _, call in trace.calls()]
    assert [tuple(each) for each in texts[1:]] == entries
    run(browser, "document.querySelector('#row-4').click()")
    error = trace.executions[0].calls[-1].error
    assert error is not None
    shown = run(browser, "return document.querySelector('#details pre.error').textContent")
    assert shown == str(error)
    assert complaints(browser) == []


def test_ten_thousand_calls_open_and_scroll(open_page: Open, tmp_path: Path) -> None:
    browser = open_page(simulate(runs.many(), 5000, workers=16))
    assert (tmp_path / "run.html").stat().st_size < 6_000_000
    for place in range(0, 240_000, 16_000):
        run(browser, "document.getElementById('rows').scrollTop = arguments[0]", place)
        assert 20 < len(rows(browser)) < 60
    run(browser, "document.getElementById('rows').scrollTop = 1e9")
    assert rows(browser)[-1].startswith("sum-4998(")
    press(browser, "/", "s", "u", "m", "-", "4", "9", "9", "8")
    assert run(browser, "return document.getElementById('count').textContent") == "1 of 9,999 calls"
    assert complaints(browser) == []


def test_ten_thousand_calls_with_long_values_and_tracebacks_stay_small() -> None:
    from flowy_trace import Attempt, Call, Error, Execution
    from flowy_trace.html import html

    def call(number: int) -> Call:
        error = Error("ValueError", f"€{number}" * 500, f"{number} traceback\n" * 300)
        attempt = Attempt(0, None, number, number, number + 1, "w" * 40, "failed", error)
        return Call(
            "task", number, "activity", f"{number}€" * 30, f"{number}€" * 30, (), (attempt,)
        )

    execution = Execution("", "w", calls=tuple(map(call, range(10_000))))
    page = html(Trace("w", executions=(execution,), ended=10_001))
    assert len(page.encode()) < 6_000_000


def test_a_trace_in_a_frame_is_the_page(chromium: Browser, tmp_path: Path) -> None:
    path = tmp_path / "notebook.html"
    path.write_text(f"<!DOCTYPE html>{TRACES['example']()._repr_html_()}", encoding="utf-8")
    chromium.get(path.as_uri())
    frame = chromium.find_element("css selector", "iframe")
    chromium.switch_to.frame(frame)
    settle(chromium)
    assert rows(chromium)[0] == "Example(2, 10)"
    chromium.switch_to.default_content()
