"""Make the pictures of docs/traces: `python -m tests.trace.make_pictures`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tests.trace.browser import start
from tests.trace.traces import shop

from flowy_trace.trace_json import from_json, to_json

ROOT = Path(__file__).parents[2]
HERE = ROOT / "docs" / "traces"


def main() -> None:
    # Tracebacks name files of the machine that the pictures are made on.
    trace = from_json(to_json(shop()).replace(f"{ROOT}{os.sep}", ""))
    HERE.mkdir(exist_ok=True)
    for ending in (".svg", ".mmd", ".txt"):
        trace.save(HERE / f"shop{ending}")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "shop.html")
        trace.save(page)
        browser = start(folder)
        try:
            for name, width, height, scheme in (
                ("page-light", 1280, 860, "light"),
                ("page-dark", 1280, 860, "dark"),
                ("page-phone", 390, 844, "light"),
            ):
                browser.execute_cdp_cmd(
                    "Emulation.setDeviceMetricsOverride",
                    {
                        "width": width,
                        "height": height,
                        "deviceScaleFactor": 1,
                        "mobile": width < 600,
                    },
                )
                browser.execute_cdp_cmd(
                    "Emulation.setEmulatedMedia",
                    {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
                )
                browser.get(page.as_uri())
                if width > 600:
                    browser.execute_script("document.querySelector('#row-8').click()")
                browser.execute_async_script(
                    "requestAnimationFrame(() => setTimeout(arguments[0], 100))"
                )
                browser.save_screenshot(str(HERE / f"{name}.png"))
        finally:
            browser.quit()


if __name__ == "__main__":
    main()
