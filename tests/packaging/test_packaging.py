"""hookctl as users get it: wheel, sdist and editable install, each in a new environment and run outside a checkout."""

from __future__ import annotations

import json
import site
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

import hookctl
from hookctl.cli.pages import topics
from hookctl.report.text.page import page_text

ROOT = Path(__file__).parents[2]
SHIPPED = {
    "engine/hookctl": "hookctl",
    "plugins/hookctl_plugins": "hookctl_plugins",
    "schemas": "hookctl/schemas",
    "docs": "hookctl/docs",
}
"""Where each folder of the checkout lies in a wheel."""

CONSUMER = """
from pathlib import Path

import hookctl
from hookctl.cli.pages import topics
from hookctl.report.text.page import page_text
from hookctl.plugin import AuthType, hookimpl


def names(directory: Path) -> list[str]:
    plugins = hookctl.load_plugins()
    review: hookctl.Review = hookctl.review(directory, plugins)
    return [change.name for change in review.plan.changes]


@hookimpl
def hookctl_auth_types() -> list[AuthType]:
    return []


print(names(Path("webhooks.d")))
"""


def run(*command: str | Path, cwd: Path) -> str:
    result = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False, timeout=600
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@dataclass(frozen=True)
class Installed:
    """A fresh virtual environment with hookctl in it."""

    directory: Path
    packages: Path
    """Its site-packages."""

    @property
    def python(self) -> Path:
        return self.directory / "bin" / "python"

    def hookctl(self, *arguments: str, cwd: Path) -> str:
        return run(self.directory / "bin" / "hookctl", *arguments, cwd=cwd)


def fresh(directory: Path, *, borrow: bool) -> Installed:
    """A new virtual environment; with ``borrow`` it also sees this one's packages, which saves downloads."""
    run(sys.executable, "-m", "venv", "--without-pip", directory, cwd=directory.parent)
    packages = next(directory.glob("lib/python*/site-packages"))
    if borrow:
        (packages / "borrowed.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
    return Installed(directory, packages)


def install(into: Installed, *arguments: str | Path) -> None:
    run(
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--python",
        into.python,
        "install",
        "--quiet",
        *arguments,
        cwd=into.directory,
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The sdist of this checkout, and the wheel that was built from the sdist."""
    directory = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", directory, ROOT, cwd=directory)
    return {"wheel": next(directory.glob("*.whl")), "sdist": next(directory.glob("*.tar.gz"))}


@pytest.fixture(scope="module", params=["wheel", "sdist", "editable"])
def installed(
    request: pytest.FixtureRequest, built: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Installed:
    """The wheel with all that pip finds it needs; the others borrow that from this environment."""
    environment = fresh(tmp_path_factory.mktemp(request.param) / "venv", borrow=request.param != "wheel")
    if request.param == "wheel":
        install(environment, built["wheel"])
    elif request.param == "sdist":
        install(environment, "--no-deps", "--no-build-isolation", built["sdist"])
    else:
        install(environment, "--no-deps", "--no-build-isolation", "--editable", ROOT)
    return environment


def test_it_is_the_installed_one_that_runs(installed: Installed, tmp_path: Path) -> None:
    where = Path(run(installed.python, "-c", "import hookctl; print(hookctl.__file__)", cwd=tmp_path).strip())
    editable = (
        next(installed.packages.glob("hookctl-*.dist-info")).joinpath("direct_url.json").read_text(encoding="utf-8")
    )
    home = ROOT / "engine" if json.loads(editable).get("dir_info", {}).get("editable") else installed.packages
    assert home in where.parents


def test_the_command_line_works(installed: Installed, tmp_path: Path) -> None:
    assert installed.hookctl("--version", cwd=tmp_path).strip().endswith(hookctl.__version__)
    assert "body_template" in installed.hookctl("schema", "webhook", cwd=tmp_path)
    assert "severity" in installed.hookctl("schema", "event", "anomaly", cwd=tmp_path)
    page = page_text((ROOT / "docs/settings.md").read_text("utf-8"), topics())
    assert installed.hookctl("explain", "settings", cwd=tmp_path) == page


def test_the_examples_are_valid_and_planned(installed: Installed, tmp_path: Path) -> None:
    installed.hookctl("--dir", str(ROOT / "webhooks.d"), "validate", cwd=tmp_path)
    assert "SiemAnomalies" in installed.hookctl("--dir", str(ROOT / "webhooks.d"), "plan", cwd=tmp_path)


def test_first_files_are_shipped(installed: Installed, tmp_path: Path) -> None:
    installed.hookctl("init", cwd=tmp_path)
    installed.hookctl("validate", cwd=tmp_path)


def test_types_are_shipped(installed: Installed, tmp_path: Path) -> None:
    """mypy, strict, on a program of ours that knows nothing but what is installed; then the program itself."""
    (tmp_path / "consumer.py").write_text(CONSUMER, encoding="utf-8")
    installed.hookctl("init", cwd=tmp_path)
    run(
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file=",
        "--python-executable",
        installed.python,
        "consumer.py",
        cwd=tmp_path,
    )
    assert run(installed.python, "consumer.py", cwd=tmp_path) == "['My first webhook']\n"


def test_the_wheel_holds_the_packages_schemas_and_pages_and_nothing_else(built: dict[str, Path]) -> None:
    wanted = {
        f"{inside}/{path.relative_to(ROOT / folder).as_posix()}"
        for folder, inside in SHIPPED.items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and not {"__pycache__", "images"} & {*path.parts}
    }
    found = set(zipfile.ZipFile(built["wheel"]).namelist())
    metadata = {name for name in found if ".dist-info/" in name}
    assert {
        "hookctl/py.typed",
        "hookctl_plugins/py.typed",
        "hookctl/schemas/webhook.schema.json",
        "hookctl/schemas/events/anomaly.schema.json",
    } <= wanted
    assert found - metadata == wanted
    assert {name.split("/", 1)[1] for name in metadata} == {
        "METADATA",
        "WHEEL",
        "RECORD",
        "entry_points.txt",
        "licenses/LICENSE",
    }


def test_the_sdist_holds_what_its_own_tests_need(built: dict[str, Path]) -> None:
    with tarfile.open(built["sdist"]) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    assert {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "Makefile",
        "webhooks.d/siem.yaml",
        "tests/packaging/test_packaging.py",
        "docs/cli.md",
    } <= names
    assert not {name for name in names if name.startswith((".venv", ".hookctl")) or "__pycache__" in name}
