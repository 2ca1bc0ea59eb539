"""Builds the documentation as a website: `make site`, or `python docs/site/build.py FOLDER`.

The pages link to each other as files of this repository, so that they can also be read there. This script copies
them, and the files that they link to, into one folder with links that fit, and Zensical builds the website from it.
A link that leads nowhere, or to an anchor that does not exist, is an error.

FOLDER gets one folder for each version, which contains the pages of the last build of that version, `versions.json`,
from which the pages make their list of versions, and an `index.html` that leads to the newest version. Other versions
that are there stay. Nothing is downloaded.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
CONFIG = Path(__file__).with_name("zensical.toml")
STYLE = CONFIG.with_name("extra.css")
PLACES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
"""Where the pages at the top level of the repository are on the website."""
FENCED = re.compile(r"(^ *```.*?^ *```$)", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"""(\]\(|\b(?:src|srcset|href)=")(?!https?:|mailto:|\#)([^)\s#"]+)""")
INFO = re.compile(r"\A( *```\S*).*")
CODE = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)")
VERSION = re.compile(r"\d+\.\d+")
REDIRECT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>hookctl</title>
<meta http-equiv="refresh" content="0; url={version}/">
<a href="{version}/">Documentation of hookctl {version}</a>
</html>
"""


def sources() -> list[str]:
    """The pages of the website, as paths in the repository."""
    found = [*PLACES, *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").glob("*.md")))]
    for folder in ("benchmarks", "examples"):
        readmes = sorted((ROOT / folder).rglob("README.md"))
        found += [path.relative_to(ROOT).as_posix() for path in readmes]
    return found


def place(source: str) -> str:
    """Where a file of the repository is on the website."""
    return PLACES.get(source, source.removeprefix("docs/"))


def linked(source: str, markdown: str) -> Iterator[str]:
    """The files of the repository that a page links to or shows."""
    for target in LINK.findall("".join(FENCED.split(markdown)[::2])):
        yield resolved(source, target[1])


def resolved(source: str, target: str) -> str:
    """A link's target as a path in the repository."""
    return os.path.normpath(PurePosixPath(source).parent / target)


def fitted(source: str, markdown: str) -> str:
    """A page with its links as they are on the website."""
    start = PurePosixPath(place(source)).parent

    def link(found: re.Match[str]) -> str:
        return found[1] + os.path.relpath(place(resolved(source, found[2])), start)

    def prose(text: str) -> str:
        # GitHub takes `\\|` in code within a table as a bar, and Python's Markdown as a backslash and a bar.
        lines = (
            CODE.sub(lambda code: code[0].replace("\\|", "|"), line) if line.startswith("|") else line
            for line in LINK.sub(link, text).split("\n")
        )
        return "\n".join(lines)

    parts = FENCED.split(markdown)
    parts[::2] = map(prose, parts[::2])
    parts[1::2] = (INFO.sub(r"\1", code) for code in parts[1::2])  # tests read a second word; the language is the first
    return "".join(parts)


def stage(folder: Path) -> None:
    """Write all pages, and the files that they link to, to ``folder``."""
    pages = sources()
    files = set()
    for source in pages:
        markdown = (ROOT / source).read_text(encoding="utf-8")
        files |= set(linked(source, markdown))
        target = folder / place(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(fitted(source, markdown), encoding="utf-8")
    for source in sorted(files.difference(pages)):
        if (ROOT / source).is_file():  # Zensical reports what does not exist
            target = folder / place(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, target)


def version() -> str:
    """The version that this checkout documents, without its last number: corrections do not change pages."""
    text = (ROOT / "engine/hookctl/_version.py").read_text(encoding="utf-8")
    found = VERSION.search(text)
    if found is None:
        raise SystemExit("engine/hookctl/_version.py contains no version")
    return found[0]


def publish(html: Path, output: Path, name: str) -> None:
    """Put the pages of one version beside those of the others."""
    shutil.rmtree(output / name, ignore_errors=True)
    shutil.copytree(html, output / name)
    names = [path.name for path in output.iterdir() if path.is_dir() and VERSION.fullmatch(path.name)]
    names.sort(key=lambda known: [int(number) for number in known.split(".")], reverse=True)
    listed = [{"version": known, "title": known, "aliases": ["latest"] if known == names[0] else []} for known in names]
    (output / "versions.json").write_text(json.dumps(listed, indent=2) + "\n", encoding="utf-8")
    (output / "index.html").write_text(REDIRECT.format(version=names[0]), encoding="utf-8")


def main(output: Path) -> None:
    """Build the version of this checkout into ``output``."""
    work = ROOT / "build/site-work"
    shutil.rmtree(work, ignore_errors=True)
    stage(work / "pages")
    shutil.copy(CONFIG, work)
    shutil.copy(STYLE, work / "pages")
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    if subprocess.run(command, cwd=work, check=False).returncode:
        raise SystemExit("the website was not built: fix what Zensical reports above")
    publish(work / "html", output, version())
    print(f"Built {output / 'index.html'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build/site")
