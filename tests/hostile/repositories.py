"""Repositories whose author means harm. Each function makes one; a new function is a new test.

``root`` is the checkout, ``outside`` a directory beside it with files of the machine, all of which hold the canary.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

CANARY = "canary7f3a"
GOOD = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/ingest\n"
COMMANDS = (
    "::add-mask::x",
    "::error::x",
    "::set-output name=a::b",
    "::stop-commands::x",
    "##[group]x",
    "##vso[task.x]y",
)
Builder = Callable[[Path, Path], None]


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def machine(outside: Path) -> None:
    """What is on the machine beside the checkout."""
    write(
        outside,
        {
            "shadow": f"root:{CANARY}:1:\nname: [{CANARY}\n",
            "hooks/a.yaml": f"{GOOD}{CANARY}: 1\nlabels: {{x: [{CANARY}]}}\n",
            "settings.toml": f'{CANARY} = "x"\n',
            "ca.pem": f"{CANARY}\n",
            "report": f"{CANARY}\n",
            "events.jsonl": f"{CANARY}\n",
        },
    )
    with sqlite3.connect(outside / "store.db") as database:
        database.execute("CREATE TABLE t (canary TEXT)")
        database.execute("INSERT INTO t VALUES (?)", (CANARY,))
    database.close()


def a_file_that_is_a_link(root: Path, outside: Path) -> None:
    link(root / "webhooks.d/x.yaml", outside / "shadow")


def a_relative_link(root: Path, _: Path) -> None:
    link(root / "webhooks.d/x.yaml", "../../outside/shadow")


def a_chain_of_links(root: Path, outside: Path) -> None:
    link(root / "one", outside)
    link(root / "two", "one")
    link(root / "webhooks.d/x.yaml", "../two/shadow")


def a_link_to_a_directory(root: Path, outside: Path) -> None:
    link(root / "webhooks.d/sub", outside / "hooks")


def a_directory_of_webhooks_that_is_a_link(root: Path, outside: Path) -> None:
    link(root / "webhooks.d", outside / "hooks")


def a_link_to_the_environment(root: Path, _: Path) -> None:
    link(root / "webhooks.d/x.yaml", "/proc/self/environ")


def links_to_devices(root: Path, _: Path) -> None:
    for name in ("zero", "stdin", "fd/0", "tty"):
        link(root / f"webhooks.d/{name.replace('/', '-')}.yaml", f"/dev/{name}")


def a_pipe(root: Path, _: Path) -> None:
    (root / "webhooks.d").mkdir()
    os.mkfifo(root / "webhooks.d/x.yaml")


def links_in_a_circle(root: Path, _: Path) -> None:
    link(root / "webhooks.d/x.yaml", "y.yaml")
    link(root / "webhooks.d/y.yaml", "x.yaml")
    link(root / "webhooks.d/sub", ".")


def a_link_into_the_directory_of_git(root: Path, _: Path) -> None:
    write(root, {"hookctl.toml": 'dir = "."\n', "a.yaml": GOOD})
    link(root / "x.yaml", ".git/canary")


def settings_that_name_a_directory_elsewhere(root: Path, outside: Path) -> None:
    write(root, {"hookctl.toml": f'dir = "{outside}/hooks"\n'})


def settings_that_lead_up(root: Path, _: Path) -> None:
    write(root, {"hookctl.toml": 'dir = "../outside/hooks"\n'})


def settings_that_name_a_link(root: Path, outside: Path) -> None:
    write(root, {"hookctl.toml": 'dir = "conf/hooks"\n'})
    link(root / "conf", outside)


def settings_that_are_a_link(root: Path, outside: Path) -> None:
    write(root, {"webhooks.d/a.yaml": GOOD})
    link(root / "hookctl.toml", outside / "settings.toml")


def settings_that_are_a_link_to_nothing(root: Path, outside: Path) -> None:
    write(root, {"webhooks.d/a.yaml": GOOD})
    link(root / "hookctl.toml", outside / "nothing")


def settings_without_end(root: Path, _: Path) -> None:
    link(root / "hookctl.toml", "/dev/zero")


def settings_that_are_a_pipe(root: Path, _: Path) -> None:
    os.mkfifo(root / "hookctl.toml")


def settings_that_are_a_directory(root: Path, _: Path) -> None:
    (root / "hookctl.toml").mkdir()


def deep_settings(root: Path, _: Path) -> None:
    write(root, {"hookctl.toml": "dir = " + "[" * 2000 + "]" * 2000 + "\n"})


def large_settings(root: Path, _: Path) -> None:
    write(root, {"hookctl.toml": "#" * 1_000_000 + "\n"})


def a_number_without_end_in_settings(root: Path, _: Path) -> None:
    write(root, {"hookctl.toml": f"[safety]\nremoval_percent = {'9' * 5000}\n"})


def settings_that_name_certificates_elsewhere(root: Path, outside: Path) -> None:
    write(root, {"hookctl.toml": f'cacert = "{outside}/ca.pem"\n', "webhooks.d/a.yaml": GOOD})


def settings_that_name_a_store_elsewhere(root: Path, outside: Path) -> None:
    write(root, {"hookctl.toml": f'store = "sqlite:///{outside}/store.db"\n', "webhooks.d/a.yaml": GOOD})


def settings_that_name_a_new_store_elsewhere(root: Path, _: Path) -> None:
    write(root, {"hookctl.toml": 'store = "sqlite:///../outside/new/hookctl.db"\n', "webhooks.d/a.yaml": GOOD})


def a_store_that_is_a_link(root: Path, outside: Path) -> None:
    write(root, {"webhooks.d/a.yaml": GOOD})
    link(root / ".hookctl/hookctl.db", outside / "store.db")


def a_directory_of_the_store_that_is_a_link(root: Path, outside: Path) -> None:
    write(root, {"webhooks.d/a.yaml": GOOD})
    link(root / ".hookctl", outside)


def links_beside_a_store(root: Path, outside: Path) -> None:
    write(root, {"webhooks.d/a.yaml": GOOD})
    a_store(root, "CREATE TABLE t (x)")
    for suffix in ("-wal", "-shm", "-journal"):
        link(root / f".hookctl/hookctl.db{suffix}", outside / "report")


def a_store_of_another_program(root: Path, _: Path) -> None:
    write(root, {"webhooks.d/a.yaml": GOOD})
    a_store(root, "CREATE TABLE t (x)")


def a_store_that_was_forged(root: Path, _: Path) -> None:
    write(root, {"webhooks.d/a.yaml": GOOD})
    a_store(
        root,
        "PRAGMA application_id = 0x686F6F6B",
        "CREATE VIEW applied_webhooks AS SELECT '::error::x' AS name, 'd' AS digest, '{}' AS document",
        "CREATE TABLE applies (serial, applied_at, applied_by, plan_digest)",
    )


def a_store_that_is_a_pipe(root: Path, _: Path) -> None:
    write(root, {"webhooks.d/a.yaml": GOOD})
    (root / ".hookctl").mkdir()
    os.mkfifo(root / ".hookctl/hookctl.db")


def reports_that_are_links(root: Path, outside: Path) -> None:
    write(root, {"webhooks.d/a.yaml": GOOD.replace("https", "http")})
    for form in ("json", "markdown", "github", "sarif"):
        link(root / f"out.{form}", outside / "report")


def reports_that_are_links_to_nothing(root: Path, outside: Path) -> None:
    write(root, {"webhooks.d/a.yaml": GOOD})
    for form in ("json", "markdown", "github", "sarif"):
        link(root / f"out.{form}", outside / f"new.{form}")


def events_that_are_a_link(root: Path, outside: Path) -> None:
    write(root, {"webhooks.d/a.yaml": GOOD})
    (root / "events.jsonl").unlink()
    link(root / "events.jsonl", outside / "events.jsonl")


def events_without_end(root: Path, _: Path) -> None:
    write(root, {"webhooks.d/a.yaml": GOOD})
    (root / "events.jsonl").unlink()
    link(root / "events.jsonl", "/dev/zero")


def references_to_secrets(root: Path, outside: Path) -> None:
    files = (
        f'headers:\n  X-A: "${{file:{outside}/shadow}}"\n  X-B: "${{env:TOKEN}}"\n'
        '  X-C: "${file:/proc/self/environ}"\n'
    )
    write(root, {"webhooks.d/a.yaml": GOOD + files + 'auth: {type: bearer, token: "${env:TOKEN}"}\n'})


def commands_in_names_of_files(root: Path, _: Path) -> None:
    write(root, {f"webhooks.d/{text.replace('/', '')}.yaml": "x" for text in COMMANDS})
    write(root, {"webhooks.d/a\n::error::x.yaml": "x", "webhooks.d/b\r::error::y.yaml": GOOD})


def commands_in_fields(root: Path, _: Path) -> None:
    for number, text in enumerate(COMMANDS):
        write(
            root,
            {f"webhooks.d/{number}.yaml": f"name: '{text}'\nevent: '{text}'\nurl: '{text}'\n'{text}': 1\n{text}\n"},
        )
        lines = f'name: "A{number}"\nevent: anomaly\nurl: https://siem.example.com/\n'
        labels = f'description: "x\\n{text}\\r{text}\\u3000{text}"\nlabels: {{a: "{text}"}}\n'
        write(
            root,
            {
                f"webhooks.d/ok{number}.yaml": (
                    f'{lines}{labels}body_template: |\n  {{\n  "a": "{text} {{{{ id }}}}"\n  }}\n'
                )
            },
        )


def commands_in_a_plan(root: Path, _: Path) -> None:
    for number, text in enumerate(COMMANDS):
        fields = (
            f'description: "x\\n{text}"\nlabels: {{a: "{text}"}}\nheaders: {{X-A: "{text}"}}\n'
            f'custom_validation_error_message: "{text}"\n'
        )
        body = f'body_template: |\n  {{"{text}": "{text} {{{{ id }}}}",\n  "b": "\\n{text}"}}\n'
        write(root, {f"webhooks.d/{number}.yaml": GOOD.replace("Siem", f"Siem{number}") + fields + body})


def commands_in_settings(root: Path, _: Path) -> None:
    write(root, {"webhooks.d/a.yaml": GOOD, "hookctl.toml": '"x\\n::error::y ##[group]" = 1\n'})


def markup_in_text(root: Path, _: Path) -> None:
    text = (
        "```` ``` </code></summary></details> @everyone ![x](https://evil.example.com/a.png) [a](b) <img src=x> <!-- #1"
    )
    body = f'body_template: |\n  {{"a": "{text}"}}\n'
    write(root, {"webhooks.d/a.yaml": GOOD + f"description: '{text}'\nlabels: {{a: '{text}'}}\n{body}"})
    write(root, {f"webhooks.d/{text.replace('/', '')[:100]}.yaml": f"name: '{text}'\n"})


def an_alias_bomb(root: Path, _: Path) -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))]
    write(root, {"webhooks.d/a.yaml": GOOD + "\n".join(lines) + "\n"})


def deep_yaml(root: Path, _: Path) -> None:
    write(root, {"webhooks.d/a.yaml": GOOD + "labels: " + "[" * 5000 + "]" * 5000 + "\n"})


def a_large_file(root: Path, _: Path) -> None:
    write(root, {"webhooks.d/a.yaml": GOOD + "#" * 2_000_000})


def deep_directories(root: Path, _: Path) -> None:
    write(root, {"webhooks.d/" + "d/" * 60 + "a.yaml": GOOD})


def names_that_are_not_text(root: Path, _: Path) -> None:
    write(root, {"webhooks.d/\u202eevil.yaml": GOOD, "webhooks.d/\x1b[2Jb.yaml": "x"})
    Path(os.fsdecode(os.fsencode(root) + b"/webhooks.d/\xff\xfe.yaml")).write_text("x", encoding="utf-8")


def a_directory_that_is_called_like_a_file(root: Path, _: Path) -> None:
    (root / "webhooks.d/a.yaml").mkdir(parents=True)


def attributes_and_hooks_of_git(root: Path, _: Path) -> None:
    write(root, {"webhooks.d/a.yaml": GOOD, ".gitattributes": "*.yaml filter=x diff=x merge=x export-subst\n"})
    write(
        root,
        {
            ".gitmodules": (
                '[submodule "x"]\n\tpath = webhooks.d/x\n\turl = ext::touch%20canary\n\tupdate = !touch canary\n'
            )
        },
    )


def policies_that_are_not_there(root: Path, _: Path) -> None:
    write(root, {"webhooks.d/a.yaml": GOOD, "hookctl.toml": '[policies."::error::x"]\nfile = "/etc/shadow"\n'})


def a_plugin_that_nothing_enables(root: Path, outside: Path) -> None:
    write(root, {"webhooks.d/a.yaml": GOOD, "plugins/evil.py": evil(outside), "hookctl.toml": "[plugins.files]\n"})


def a_plugin_with_another_digest(root: Path, outside: Path) -> None:
    line = f'[plugins.files]\nevil = "sha256:{"0" * 64}"\n'
    write(root, {"webhooks.d/a.yaml": GOOD, "plugins/evil.py": evil(outside), "hookctl.toml": line})


def a_plugin_with_the_digest_of_a_file_that_it_links_to(root: Path, outside: Path) -> None:
    (outside / "evil.py").write_text(evil(outside), encoding="utf-8")
    digest = hashlib.sha256(evil(outside).encode()).hexdigest()
    write(root, {"webhooks.d/a.yaml": GOOD, "hookctl.toml": f'[plugins.files]\nevil = "sha256:{digest}"\n'})
    link(root / "plugins/evil.py", outside / "evil.py")


def a_folder_of_plugins_that_is_a_link(root: Path, outside: Path) -> None:
    (outside / f"{CANARY}.py").write_text(evil(outside), encoding="utf-8")
    write(root, {"webhooks.d/a.yaml": GOOD})
    link(root / "plugins", outside)


def a_folder_of_plugins_outside(root: Path, outside: Path) -> None:
    folder = root.parent / "plugins"
    write(folder, {"evil.py": evil(outside)})
    digest = hashlib.sha256(evil(outside).encode()).hexdigest()
    write(root, {"a.yaml": GOOD, "hookctl.toml": f'dir = "."\n[plugins.files]\nevil = "sha256:{digest}"\n'})


def plugins_that_are_no_files(root: Path, _: Path) -> None:
    write(root, {"webhooks.d/a.yaml": GOOD, "plugins/large.py": "#" * 2_000_000})
    os.mkfifo(root / "plugins/pipe.py")
    link(root / "plugins/zero.py", "/dev/zero")
    (root / "plugins/directory.py").mkdir()


def modules_beside_the_webhooks(root: Path, outside: Path) -> None:
    settings = '[plugins]\nmodules = ["hookctl_evil", "hookctl_evil_package.part"]\n'
    write(root, {"webhooks.d/a.yaml": GOOD, "hookctl.toml": settings, "hookctl_evil.py": evil(outside)})
    write(root, {"hookctl_evil_package/part.py": evil(outside), "plugins/hookctl_evil.py": evil(outside)})


def commands_in_names_of_plugins(root: Path, outside: Path) -> None:
    write(root, {"webhooks.d/a.yaml": GOOD.replace("anomaly", "unknown")})
    write(root, {f"plugins/{command.replace('/', '')}\n{command}.py": evil(outside) for command in COMMANDS})


def evil(outside: Path) -> str:
    """A plugin that shows that it runs."""
    shown = f"print('{CANARY[:6]}' + '{CANARY[6:]}')"  # in two parts, so that the file is not found instead
    return f"import pathlib\n{shown}\npathlib.Path({str(outside)!r}, 'ran').write_text('x')\n"


def link(path: Path, target: Path | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def a_store(root: Path, *statements: str) -> None:
    (root / ".hookctl").mkdir()
    database = sqlite3.connect(root / ".hookctl/hookctl.db")
    with database:
        for statement in statements:
            database.execute(statement)
    database.close()


NOT_BUILDERS = {"write", "machine", "link", "a_store", "evil"}
REPOSITORIES: dict[str, Builder] = {
    name: found
    for name, found in [*globals().items()]
    if callable(found) and getattr(found, "__module__", "") == __name__ and name not in NOT_BUILDERS
}
