"""docs/plan.svg: the picture of `hookctl plan` in README.md, with the text that the command prints today.

``make picture`` draws it again.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "plan.svg"
HOOKCTL = Path(sys.executable).with_name("hookctl")
CHANGES = {"/ingest": "/v2/ingest", '"{{ data.requester.email }}"': "{{ data.requester }}"}
"""What the picture shows a plan for: texts in siem.yaml, and what takes their place."""

COLUMNS = 100
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
SIZE, WIDTH, HEIGHT = 14, 8.43, 20
"""Pixels: the font's size, and the room for one character."""
MARGIN, BAR = 20, 40
"""Pixels around the text, and the height of the window's title bar."""
BACKGROUND, FOREGROUND = "#0d1117", "#e6edf3"
BUTTONS = ("#ff5f57", "#febc2e", "#28c840")
STYLES = {
    "1": "font-weight:bold",
    "2": "opacity:.7",
    "31": "fill:#ff7b72",
    "32": "fill:#56d364",
    "33": "fill:#e3b341",
    "34": "fill:#79c0ff",
    "36": "fill:#76e3ea",
}
"""What a terminal's codes look like; one that is missing here fails the drawing."""
CODE = re.compile(r"\x1b\[([0-9;]*)m")
TEXT = re.compile(r"<text[^>]*>(.*?)</text>")
SPAN = re.compile(r"<[^>]+>")


def printed(directory: Path) -> str:
    """What ``hookctl plan`` prints, in color, after a change of the example webhooks, which are applied."""
    shutil.copytree(ROOT / "webhooks.d", directory / "webhooks.d")
    run(directory, "apply", "--auto-approve")
    webhook = directory / "webhooks.d" / "siem.yaml"
    text = webhook.read_text(encoding="utf-8")
    for before, after in CHANGES.items():
        assert text.count(before) == 1
        text = text.replace(before, after)
    webhook.write_text(text, encoding="utf-8")
    return run(directory, "--color", "always", "plan")


def run(directory: Path, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HOOKCTL_", "NO_COLOR"))}
    command: list[str | Path] = [HOOKCTL, *arguments]
    done = subprocess.run(
        command, cwd=directory, env=environment | {"COLUMNS": str(COLUMNS)}, capture_output=True, text=True, check=True
    )
    return done.stdout


def spans(line: str) -> Iterator[tuple[str, str]]:
    """The pieces of a line, each with its style."""
    codes: list[str] = []
    for index, piece in enumerate(CODE.split(line)):
        if index % 2:
            new = piece.split(";")
            codes = [] if new in (["0"], [""]) else [*codes, *new]
        elif piece:
            yield piece, ";".join(STYLES[code] for code in codes)


def draw(text: str) -> str:
    """The text as the picture of a terminal, in SVG."""
    lines = ["$ hookctl plan", *text.rstrip("\n").split("\n")]
    width, height = round(COLUMNS * WIDTH + 2 * MARGIN), BAR + len(lines) * HEIGHT + MARGIN
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        "<title>hookctl plan shows a changed webhook, and the change of the request that it sends</title>",
        f'<rect width="{width}" height="{height}" rx="8" fill="{BACKGROUND}"/>',
        *(f'<circle cx="{MARGIN + 4 + 20 * place}" cy="20" r="6" fill="{hue}"/>' for place, hue in enumerate(BUTTONS)),
        f'<g font-family="{FONTS}" font-size="{SIZE}" fill="{FOREGROUND}" xml:space="preserve">',
        "<style>text { white-space: pre }</style>",  # Chromium does not inherit xml:space
    ]
    for row, line in enumerate(lines):
        pieces = "".join(
            f'<tspan style="{style}">{escape(piece, quote=False)}</tspan>' if style else escape(piece, quote=False)
            for piece, style in spans(line)
        )
        drawn.append(f'<text x="{MARGIN}" y="{BAR + row * HEIGHT + SIZE}">{pieces}</text>')
    return "\n".join([*drawn, "</g>", "</svg>", ""])


def text_of(picture: str) -> str:
    """The text that a picture shows."""
    return "\n".join(unescape(SPAN.sub("", line)) for line in TEXT.findall(picture)) + "\n"


def test_the_picture_shows_what_plan_prints(tmp_path: Path) -> None:
    text = printed(tmp_path)
    if "UPDATE_DOCS" in os.environ:
        PICTURE.write_text(draw(text), encoding="utf-8")
    shown = text_of(PICTURE.read_text(encoding="utf-8"))
    assert shown == f"$ hookctl plan\n{CODE.sub('', text)}", "run `make picture`"


def test_markup_and_colors_in_the_text_are_drawn_as_such() -> None:
    picture = draw('\x1b[33m\x1b[1ma <b> & "c"\x1b[0m  d\n\n')
    assert text_of(picture) == '$ hookctl plan\na <b> & "c"  d\n'
    assert '<tspan style="fill:#e3b341;font-weight:bold">a &lt;b&gt; &amp; "c"</tspan>  d</text>' in picture
