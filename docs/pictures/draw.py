"""Small drawings in SVG: boxes, arrows and texts, readable in light and in dark.

A picture is shown as an image, where it sees nothing of the page's colours. So it has a ground of
its own, and follows what the reader's system prefers.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Literal, TypeAlias

Point: TypeAlias = tuple[float, float]
#: what a box is of: the user's code, the machine, an engine, something outside, or an ending
Kind: TypeAlias = Literal["code", "machine", "engine", "outside", "good", "bad"]
Anchor: TypeAlias = Literal["start", "middle", "end"]

#: of text, in pixels
_LINE = 18

_STYLE = """
svg { --ground: #ffffff; --ink: #1f2328; --muted: #59636e; --line: #59636e; --edge: #d1d9e0;
  --code: #ddf4ff; --machine: #fbefff; --engine: #dafbe1; --outside: #f6f8fa;
  --good: #dafbe1; --bad: #ffebe9; }
@media (prefers-color-scheme: dark) {
  svg { --ground: #151b23; --ink: #f0f6fc; --muted: #9198a1; --line: #9198a1; --edge: #3d444d;
    --code: #123b63; --machine: #43286b; --engine: #124324; --outside: #262c36;
    --good: #124324; --bad: #67181d; }
}
text { font: 14px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif;
  fill: var(--ink); }
.small { font-size: 12px; fill: var(--muted); }
.line { font-size: 12px; }
.code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 12.5px; }
.title { font-weight: 600; }
.ground { fill: var(--ground); stroke: var(--edge); }
.box { stroke: var(--line); }
.arrow { fill: none; stroke: var(--line); stroke-width: 1.5; }
.dashed { stroke-dasharray: 5 4; }
.tip { fill: var(--line); }
"""


class Picture:
    """A drawing that grows by what is put on it; later things lie above earlier ones.

    Parameters
    ----------
    width, height
        in pixels.
    title
        what it shows, for those who do not see it.
    """

    def __init__(self, width: int, height: int, title: str) -> None:
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img" aria-label="{escape(title)}">',
            f"<title>{escape(title)}</title>",
            f"<style>{_STYLE}</style>",
            '<marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
            'markerHeight="7" orient="auto-start-reverse">'
            '<path class="tip" d="M0 0L10 5L0 10z"/></marker>',
            f'<rect class="ground" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" '
            'rx="8"/>',
        ]

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        kind: Kind,
        title: str,
        *lines: str,
        round: bool = False,
    ) -> None:
        """Draw a box with a title and lines below it, all in its middle; a title may be empty."""
        radius = height / 2 if round else 6
        self._parts.append(
            f'<rect class="box" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" '
            f'rx="{radius:g}" style="fill: var(--{kind})"/>'
        )
        texts = [(title, "title")] if title else []
        texts += [(line, "line") for line in lines]
        first = y + height / 2 - (len(texts) - 1) * _LINE / 2 + 5
        for number, (text, style) in enumerate(texts):
            self.text(x + width / 2, first + number * _LINE, text, style, anchor="middle")

    def arrow(self, *points: Point, dashed: bool = False) -> None:
        """Draw a line through points with a tip at the end."""
        path = "L".join(f"{x:g} {y:g}" for x, y in points)
        style = "arrow dashed" if dashed else "arrow"
        self._parts.append(f'<path class="{style}" d="M{path}" marker-end="url(#tip)"/>')

    def line(self, start: Point, end: Point) -> None:
        """Draw a dashed line without a tip."""
        path = f"M{start[0]:g} {start[1]:g}L{end[0]:g} {end[1]:g}"
        self._parts.append(f'<path class="arrow dashed" d="{path}"/>')

    def text(
        self, x: float, y: float, text: str, style: str = "", anchor: Anchor = "start"
    ) -> None:
        """Write a line of text; `y` is where it stands."""
        kind = f' class="{style}"' if style else ""
        self._parts.append(
            f'<text{kind} x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'
        )

    def texts(
        self, x: float, y: float, lines: Sequence[str], style: str = "", anchor: Anchor = "start"
    ) -> None:
        """Write lines of text below each other."""
        for number, line in enumerate(lines):
            self.text(x, y + number * _LINE, line, style, anchor)

    def svg(self) -> str:
        """Return the drawing."""
        return "\n".join([*self._parts, "</svg>", ""])
