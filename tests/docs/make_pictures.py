"""Make the pictures of the README and the tutorial: `python -m tests.docs.make_pictures`."""

from __future__ import annotations

import re
import runpy
import tempfile
from pathlib import Path
from typing import Any

from tests.trace.browser import start

import flowy

ROOT = Path(__file__).parents[2]
HERE = ROOT / "docs" / "traces"


def tutorial_order() -> Any:
    """Return the order of the tutorial, configured, as it is when traces are introduced."""
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    scope: dict[str, Any] = {}
    for name in ("services.py", "shop.py"):
        source = re.search(rf"`{name}`:\n\n```python\n(.*?)^```", text, re.M | re.S)
        assert source is not None
        exec(source[1], scope)
    order = flowy.LocalWorkflow(scope["Order"])
    for name in ("price", "charge", "ship"):
        order.conf_activity(name, scope[name])
    return order


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        runs = {
            "example": (runpy.run_path(str(ROOT / "docs/examples/toy.py"))["w"], (2, 10), 520),
            "order": (tutorial_order(), ("Ann", ["tea", "cake", "pie"]), 640),
        }
        browser = start(temporary)
        try:
            for name, (workflow, args, height) in runs.items():
                page = folder / f"{name}.html"
                workflow.run(*args, _trace=page)
                for scheme in ("light", "dark"):
                    browser.execute_cdp_cmd(
                        "Emulation.setDeviceMetricsOverride",
                        {"width": 900, "height": height, "deviceScaleFactor": 2, "mobile": False},
                    )
                    browser.execute_cdp_cmd(
                        "Emulation.setEmulatedMedia",
                        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
                    )
                    browser.get(page.as_uri())
                    # The page scrolls, the picture does not.
                    browser.execute_script("document.body.style.overflow = 'hidden'")
                    browser.execute_async_script(
                        "requestAnimationFrame(() => setTimeout(arguments[0], 100))"
                    )
                    browser.save_screenshot(str(HERE / f"{name}-{scheme}.png"))
        finally:
            browser.quit()


if __name__ == "__main__":
    main()
