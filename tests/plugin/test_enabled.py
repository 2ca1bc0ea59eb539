"""Plugins that hookctl.toml enables: modules, and single files by name and digest."""

from __future__ import annotations

import hashlib
import os
import py_compile
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import pytest

from hookctl.config.cache.fingerprint import fingerprint
from hookctl.errors import PluginError
from hookctl.plugin.calls import Plugins
from hookctl.plugin.enabled import MAX_BYTES, Enabled, PluginFile, folder_beside
from hookctl.plugin.host import load_plugins
from hookctl.plugin.importing import PACKAGE, import_content, import_installed

Project = Callable[[Mapping[str, str]], Path]
RunCli = Callable[..., Any]
CODE = """
from dataclasses import dataclass
from hookctl.plugin import SecretSource, hookimpl

with open("ran", "a") as file:
    RAN = file.write("x")

@dataclass
class Vault:
    name: str

@hookimpl
def hookctl_secret_sources():
    return [SecretSource(scheme="acme", summary=Vault("A vault.").name, resolve=str.upper)]
"""
WEBHOOK = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/ingest\nheaders: {X-Key: '${acme:key}'}\n"


def digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def enabling(**files: str) -> str:
    return "[plugins.files]\n" + "".join(f'{name} = "{digest(code)}"\n' for name, code in files.items())


@pytest.fixture(autouse=True)
def forget_imports() -> Iterator[None]:
    yield
    for name in [name for name in sys.modules if name.startswith((PACKAGE, "acme_hooks", "acme_space"))]:
        del sys.modules[name]


@pytest.fixture
def root(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a plugin that nothing enables, as the working directory."""
    root = project({"webhooks.d/siem.yaml": WEBHOOK, "plugins/acme.py": CODE})
    monkeypatch.chdir(root)
    return root


def loaded(**files: str) -> Plugins:
    return load_plugins(enabled=Enabled(files=files, folder=Path("plugins")))


def only_failure(plugins: Plugins) -> tuple[str, str, str]:
    (failure,) = plugins.failures
    return failure.kind, failure.message, failure.hint


# -- single files ------------------------------------------------------------------------------------------------------


def test_an_enabled_file_is_loaded_with_its_digest_as_version(root: Path) -> None:
    plugins = loaded(acme=digest(CODE))
    assert plugins.secret_sources["acme"].resolve("key") == "KEY"
    provider = plugins.providers[-1]
    assert (provider.name, provider.package, provider.version) == ("acme", "plugins/acme.py", digest(CODE))
    assert provider.shown == f"plugins/acme.py {digest(CODE)[:19]}"
    assert [path.name for path in (root / "plugins").iterdir()] == ["acme.py"]  # no bytecode is kept


def test_a_file_that_is_not_enabled_never_runs(root: Path) -> None:
    kind, message, hint = only_failure(loaded())
    assert (kind, message) == ("disabled", "plugins/acme.py is not loaded: hookctl.toml does not enable it")
    assert f'add acme = "{digest(CODE)}" to [plugins.files]' in hint
    assert not (root / "ran").exists()


def test_a_file_with_another_digest_never_runs(root: Path) -> None:
    kind, message, hint = only_failure(loaded(acme=digest(CODE + "\n")))
    assert (kind, message) == (
        "failed",
        "plugins/acme.py is not loaded: its content does not have the digest in hookctl.toml",
    )
    assert f'set acme = "{digest(CODE)}"' in hint
    assert not (root / "ran").exists()


def test_an_enabled_file_that_is_missing_is_reported(root: Path) -> None:
    (root / "plugins/acme.py").unlink()
    kind, message, _ = only_failure(loaded(acme=digest(CODE)))
    assert (kind, message) == (
        "failed",
        "plugins/acme.py is not loaded: hookctl.toml enables it, but it does not exist",
    )
    no_folder = load_plugins(enabled=Enabled(files={"acme": digest(CODE)}))
    assert only_failure(no_folder)[1] == message


def test_what_runs_is_what_was_hashed(root: Path) -> None:
    """The file is exchanged after it was read: the bytes that were read run, and nothing else."""
    file = PluginFile("acme", "plugins/acme.py", digest(CODE), CODE.encode())
    (root / "plugins/acme.py").write_text("raise SystemExit('exchanged')")
    assert import_content(file).RAN == 1


def test_bytecode_beside_a_file_is_ignored(root: Path) -> None:
    """Python would take it without a look at the source, because its hash is not to be checked."""
    other = root / "other.py"
    other.write_text("raise SystemExit('bytecode')")
    compiled = cache_from_source(str(root / "plugins/acme.py"))
    py_compile.compile(str(other), compiled, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    py_compile.compile(str(other), "plugins/acme.pyc", invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    assert "acme" in loaded(acme=digest(CODE)).secret_sources


@pytest.mark.parametrize("statement", ["from . import helper", "from .helper import x", "import helper"])
def test_a_file_cannot_import_another_of_its_folder(root: Path, statement: str) -> None:
    (root / "plugins/acme.py").write_text(statement)
    (root / "plugins/helper.py").write_text("x = open('ran', 'a')")
    plugins = loaded(acme=digest(statement))
    assert any("running plugins/acme.py raised" in failure.message for failure in plugins.failures)
    assert not (root / "ran").exists()
    assert PACKAGE + "acme" not in sys.modules


@pytest.mark.parametrize("target", ["../outside.py", "../.git/hooks.py"])
def test_a_file_that_is_a_link_to_elsewhere_is_not_read(root: Path, target: str) -> None:
    (root / "plugins/acme.py").unlink()
    (root / "plugins/acme.py").symlink_to(f"../{target}")
    outside = (root / "plugins" / f"../{target}").resolve()
    outside.parent.mkdir(exist_ok=True)
    outside.write_text(CODE)
    assert "points outside" in only_failure(loaded(acme=digest(CODE)))[1]
    assert digest(CODE) not in only_failure(loaded())[2]


def test_a_folder_that_is_a_link_to_elsewhere_is_not_listed(root: Path, tmp_path: Path) -> None:
    (root / "plugins").rename(tmp_path / "elsewhere")
    (root / "plugins").symlink_to(tmp_path / "elsewhere")
    assert loaded().failures == ()
    assert "points outside" in only_failure(loaded(acme=digest(CODE)))[1]


@pytest.mark.parametrize("what", ["pipe", "directory", "large"])
def test_what_is_not_a_file_of_limited_size_is_not_read(root: Path, what: str) -> None:
    path = root / "plugins/acme.py"
    path.unlink()
    if what == "pipe":
        os.mkfifo(path)
    elif what == "directory":
        path.mkdir()
    else:
        path.write_bytes(b"#" * (MAX_BYTES + 1))
    assert only_failure(loaded(acme=digest(CODE)))[0] == "failed"
    assert only_failure(loaded())[0] == "disabled"


def test_a_name_that_cannot_be_enabled_is_to_be_changed(root: Path) -> None:
    (root / "plugins/acme.py").rename(root / "plugins/two words.py")
    assert only_failure(loaded())[2] == "Name it in letters, digits, `_` and `-`."


def test_a_file_without_a_hook_adds_nothing(root: Path) -> None:
    (root / "plugins/acme.py").write_text("x = 1")
    assert only_failure(loaded(acme=digest("x = 1")))[1] == "plugin acme adds nothing: it has no hook"


def test_the_cache_of_results_depends_on_the_content(root: Path) -> None:
    before = fingerprint(loaded(acme=digest(CODE)))
    about = (root / "plugins/acme.py").stat()
    (root / "plugins/acme.py").write_text(changed := CODE.replace("vault", "VAULT"))
    os.utime(root / "plugins/acme.py", ns=(about.st_atime_ns, about.st_mtime_ns))
    assert fingerprint(loaded(acme=digest(changed))) != before


@pytest.mark.parametrize(
    ("directory", "folder"),
    [("webhooks.d", "plugins"), ("a/webhooks.d/", "a/plugins"), ("/x/hooks", "/x/plugins"), ("../h", "../plugins")],
)
def test_the_folder_is_beside_the_directory(directory: str, folder: str) -> None:
    assert folder_beside(Path(directory)) == Path(folder)


def test_the_folder_is_beside_the_working_directory_if_that_has_the_webhooks(root: Path) -> None:
    assert folder_beside(Path()) == root.parent / "plugins"
    assert folder_beside(Path("..")) == root.parent.parent / "plugins"


# -- modules -----------------------------------------------------------------------------------------------------------


def test_a_module_that_the_settings_name_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    site = tmp_path / "site"
    (site / "acme_space").mkdir(parents=True)
    (site / "acme_space/hooks.py").write_text(CODE)  # in a namespace package
    monkeypatch.syspath_prepend(str(site))
    plugins = load_plugins(enabled=Enabled(modules=["acme_space.hooks"]))
    assert plugins.failures == ()
    assert plugins.providers[-1].package == "module acme_space.hooks"
    assert (root / "ran").exists()


def test_a_module_has_the_version_of_its_distribution() -> None:
    (failure,) = load_plugins(enabled=Enabled(modules=["pluggy"])).failures
    assert failure.message == "plugin pluggy adds nothing: it has no hook"
    from hookctl.plugin.importing import released

    assert released("pluggy.anything")[0] == "pluggy"
    assert released("acme_nowhere") == ("", "")


def installed(site: Path, distribution: str, module: str, metadata: str = "") -> None:
    """A distribution with one module in the namespace package ``acme_space``."""
    info = site / f"{distribution}-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "acme_space").mkdir(exist_ok=True)
    (site / "acme_space" / f"{module}.py").write_text(CODE.replace("acme", module))
    (info / "METADATA").write_text(metadata or f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "RECORD").write_text(f"acme_space/{module}.py,,\n")


@pytest.mark.usefixtures("root")
def test_a_module_of_a_namespace_has_the_version_of_its_own_distribution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second"):
        installed(tmp_path / "site", f"acme_{name}", name)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    plugins = load_plugins(enabled=Enabled(modules=["acme_space.first", "acme_space.second"]))
    assert not plugins.failures
    providers = {provider.name: provider.distribution for provider in plugins.providers if not provider.built_in}
    assert providers == {"acme_space.first": "acme_first", "acme_space.second": "acme_second"}


@pytest.mark.usefixtures("root")
def test_a_module_is_loaded_although_the_metadata_of_its_distribution_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path / "site", "acme_first", "first", "Metadata-Version: 2.1\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    plugins = load_plugins(enabled=Enabled(modules=["acme_space.first"]))
    assert "first" in plugins.secret_sources
    assert [failure.message for failure in plugins.failures if "reading metadata" not in failure.message] == []


@pytest.mark.parametrize("layout", ["acme_hooks.py", "acme_hooks/__init__.py", "acme_hooks/part.py"])
@pytest.mark.parametrize("entry", ["", "here"])
def test_a_module_of_the_working_directory_is_never_imported(
    root: Path, monkeypatch: pytest.MonkeyPatch, layout: str, entry: str
) -> None:
    """Whatever puts that directory on the path: `python -m hookctl`, or an empty entry of PYTHONPATH."""
    (root / layout).parent.mkdir(exist_ok=True)
    (root / layout).write_text(CODE)
    monkeypatch.syspath_prepend(str(root) if entry else "")
    name = "acme_hooks.part" if layout.endswith("part.py") else "acme_hooks"
    with pytest.raises(PluginError, match="is a file of the working directory"):
        import_installed(name)
    plugins = load_plugins(enabled=Enabled(modules=[name]))
    assert "is a file of the working directory" in only_failure(plugins)[1]
    assert not (root / "ran").exists()


def test_a_module_that_is_not_installed_is_reported() -> None:
    plugins = load_plugins(enabled=Enabled(modules=["acme_nowhere.hooks"]))
    assert only_failure(plugins)[1] == "the module acme_nowhere.hooks is not installed"


# -- on the command line -----------------------------------------------------------------------------------------------


def test_a_file_is_reported_until_it_is_enabled(root: Path, run_cli: RunCli) -> None:
    result = run_cli("validate", cwd=root)
    assert (result.exit_code, "unknown-secret-scheme" in result.stdout) == (1, True)
    assert "acme could not be loaded completely and may contain it" in result.stdout
    assert result.stderr.startswith("Warning: plugins/acme.py is not loaded: hookctl.toml does not enable it\n")
    line = result.stderr.partition("then add ")[2].partition(" to [plugins.files]")[0]
    (root / "hookctl.toml").write_text(f"[plugins.files]\n{line}\n")
    result = run_cli("validate", cwd=root)
    assert (result.exit_code, result.stderr) == (0, "")
    (root / "hookctl.toml").write_text("[plugins.files]\n[safety]\nremoval_percent = 10\n")
    assert run_cli("validate", cwd=root).exit_code == 1


def test_doctor_warns_of_a_file_and_fails_for_another_digest(root: Path, run_cli: RunCli) -> None:
    result = run_cli("doctor", cwd=root)
    assert (result.exit_code, "! plugins   plugins/acme.py is not loaded" in result.stdout) == (0, True), result.stdout
    (root / "hookctl.toml").write_text(enabling(acme="x"))
    result = run_cli("doctor", cwd=root)
    assert (result.exit_code, "✗ plugins   plugins/acme.py is not loaded" in result.stdout) == (1, True)


@pytest.mark.parametrize("way", ["working directory", "options", "variables"])
def test_a_command_of_an_enabled_file_is_listed_and_runs(root: Path, run_cli: RunCli, way: str) -> None:
    command = (
        "import click\nfrom hookctl.plugin import hookimpl\n"
        "@hookimpl\ndef hookctl_commands():\n    return [click.Command('hello', callback=lambda: click.echo('Hi.'))]\n"
    )
    (root / "plugins/acme.py").write_text(command)
    (root / "hookctl.toml").write_text(enabling(acme=command))
    directory, config = str(root / "webhooks.d"), str(root / "hookctl.toml")
    options = ["--dir", directory, "--config", config] if way == "options" else []
    env = {"HOOKCTL_DIR": directory, "HOOKCTL_CONFIG": config} if way == "variables" else {}
    cwd = root if way == "working directory" else root.parent
    assert run_cli(*options, "hello", cwd=cwd, env=env).stdout == "Hi.\n"
    if not options:  # --help comes before the options are read
        assert "  hello" in run_cli("--help", cwd=cwd, env=env).stdout


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ('[plugins]\nmodules = "acme"\n', "plugins.modules must be a list of modules"),
        ('[plugins]\nmodules = ["a-b"]\n', "plugins.modules must be a list of modules"),
        ('[plugins]\nmodules = ["../x"]\n', "plugins.modules must be a list of modules"),
        ('[plugins.files]\nacme = "18a3"\n', "plugins.files must be a table of names and digests"),
        (f'[plugins.files]\n"../acme" = "{digest("")}"\n', "plugins.files must be a table of names and digests"),
        (f'[plugins.files]\n"acme.py" = "{digest("")}"\n', "plugins.files must be a table of names and digests"),
        (f'[plugins.files]\nacme = "{digest("").upper()}"\n', "plugins.files must be a table of names and digests"),
    ],
)
def test_a_wrong_setting_is_named(root: Path, run_cli: RunCli, settings: str, named: str) -> None:
    (root / "hookctl.toml").write_text(settings)
    result = run_cli("validate", cwd=root)
    assert (result.exit_code, named in result.stderr) == (1, True), result.stderr
    assert not (root / "ran").exists()


def test_a_settings_file_that_nobody_named_does_not_lead_to_a_folder_elsewhere(root: Path, run_cli: RunCli) -> None:
    (root / "checkout").mkdir()
    (root / "checkout/hookctl.toml").write_text('dir = "."\n' + enabling(acme=CODE))
    (root / "checkout/siem.yaml").write_text(WEBHOOK)
    result = run_cli("validate", cwd=root / "checkout")
    assert "Warning: plugins/acme.py is not loaded" in result.stderr
    assert not (root / "checkout/ran").exists()
    assert run_cli("--config", "hookctl.toml", "validate", cwd=root / "checkout").exit_code == 0
    assert (root / "checkout/ran").exists()


# -- what a pull request changes ---------------------------------------------------------------------------------------


def commit(root: Path) -> None:
    git = ["git", "-C", str(root), "-c", "user.name=ada", "-c", "user.email=ada@example.com"]
    if not (root / ".git").exists():
        subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "webhooks.d", "plugins", *root.glob("hookctl.toml")], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "x"], check=True)


def test_a_plan_against_a_revision_runs_only_what_the_revision_enables(root: Path, run_cli: RunCli) -> None:
    commit(root)
    (root / "hookctl.toml").write_text(enabling(acme=CODE) + '[plugins]\nmodules = ["acme_hooks"]\n')
    result = run_cli("plan", "--format", "acme", "--against", "HEAD", cwd=root)
    assert result.exit_code == 64  # the formats of plugins were looked for
    assert "plugins/acme.py is not loaded: hookctl.toml enables it here, but not in 'HEAD'" in result.stderr
    assert "the module acme_hooks is not loaded: hookctl.toml enables it here, but not in 'HEAD'" in result.stderr
    assert not (root / "ran").exists()
    (root / "hookctl.toml").write_text(enabling(acme=CODE))
    commit(root)
    result = run_cli("plan", "--against", "HEAD", cwd=root)
    assert (result.exit_code, result.stderr) == (0, ""), result.stdout
    (root / "plugins/acme.py").write_text(changed := CODE + "\n")
    (root / "hookctl.toml").write_text(enabling(acme=changed))
    before = (root / "ran").read_text()
    assert "but not in 'HEAD'" in run_cli("plan", "--against", "HEAD", cwd=root).stderr
    assert (root / "ran").read_text() == before
    assert run_cli("--config", "hookctl.toml", "plan", "--against", "HEAD", cwd=root).exit_code == 0  # it was named


def test_a_revision_with_settings_that_are_not_valid_enables_nothing(root: Path, run_cli: RunCli) -> None:
    (root / "hookctl.toml").write_text("x = [\n")
    commit(root)
    (root / "hookctl.toml").write_text(enabling(acme=CODE))
    assert "but not in 'HEAD'" in run_cli("plan", "--against", "HEAD", cwd=root).stderr
    result = run_cli("plan", "--against", "nowhere", cwd=root)
    assert (result.exit_code, "'nowhere' is not a commit" in result.stderr) == (1, True)
    assert not (root / "ran").exists()
