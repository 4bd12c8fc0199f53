"""What axe finds wrong with a page, against WCAG 2.2 AA."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.async_api import Page

_SCRIPT = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


async def violations(page: Page) -> list[Any]:
    """Rules that are broken, each with the elements that break it."""
    await page.evaluate(_SCRIPT.read_text("utf-8"))
    found = await page.evaluate("(tags) => axe.run(document, {runOnly: tags})", _RULES)
    return [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found["violations"]]
