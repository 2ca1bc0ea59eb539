"""Rules about directories, files and their YAML."""

from __future__ import annotations

from hookctl.model.rules.rule import Rule

DIRECTORY_MISSING = Rule(
    id="directory-missing",
    summary="The directory of webhook files does not exist.",
    explanation=(
        "hookctl reads webhooks.d, or the directory that --dir, HOOKCTL_DIR or hookctl.toml names. Run "
        "hookctl where that directory is, name another directory, or create a first one with `hookctl init`."
    ),
    message="no such directory",
    hint="Name another directory with --dir, or run `hookctl init`.",
    variants={"file": ("not a directory", "Name another directory with --dir, or run `hookctl init`.")},
)

DIRECTORY_EMPTY = Rule(
    id="directory-empty",
    summary="The directory contains no webhook file.",
    explanation=(
        "hookctl reads files that end with .yaml or .yml, in the directory and below it, except names that "
        "begin with a dot. It refuses a directory without webhook files, because an apply of nothing would "
        "remove every webhook."
    ),
    message="the directory contains no *.yaml or *.yml file",
    hint="Write a webhook file, or create a first one with `hookctl init`.",
)

FILE_UNREADABLE = Rule(
    id="file-unreadable",
    summary="A file or directory cannot be read.",
    explanation=(
        "The file may belong to another user, be a broken link, or not be a regular file. hookctl does not "
        "skip it, because its webhooks would then count as removed."
    ),
    message="cannot be read: {reason}",
    hint="Check that the file exists and that you may read it.",
    variants={
        "special": ("not a regular file", "Replace it with a regular file, or rename it."),
        "revision": ("{what}, which hookctl does not follow in a revision", "Put a regular file there to compare it."),
    },
)

FILE_OUTSIDE = Rule(
    id="file-outside",
    summary="A link points outside the webhook directory.",
    explanation=(
        "A repository must not make hookctl show files of the machine that checks it, so a link must not point "
        "outside of the directory, or to a hidden file in it. A link to a file that is in the directory "
        "anyway is skipped. The directory itself may be a link that points elsewhere only if --dir gives its "
        "full path."
    ),
    message="a link that points outside the webhook directory, or to a hidden file",
    hint="Put a regular file or directory in its place.",
)

DIRECTORY_TOO_LARGE = Rule(
    id="directory-too-large",
    summary="The directory contains more than hookctl reads.",
    explanation=(
        "hookctl reads at most 100,000 files with 256 MiB in total, in directories up to 32 levels deep. "
        "Split the directory."
    ),
    message="more than {files:,} files, or more than {mebibytes} MiB in total; the rest is not read",
    hint="Split it into several directories, each with its own store.",
    variants={
        "depth": (
            "directories are nested more than {limit} levels deep",
            "Move the files closer to the directory of webhooks.",
        )
    },
)

FILE_NOT_TEXT = Rule(
    id="file-not-text",
    summary="The file is not UTF-8 text, or contains a control character.",
    explanation=(
        "People read webhook files, so they must be UTF-8 text. Inside double quotes, you can write a control"
        " character as an escape, such as \\x1b."
    ),
    message="not UTF-8 text: byte {offset} (0x{byte:02x}) is not part of a character",
    names_position=True,
    hint="Save the file as UTF-8 text, or move it out of this directory.",
    variants={
        "encoding": ("neither UTF-8 nor {encoding}", "Save it as UTF-8 text."),
        "control": (
            "the control character U+{code:04X}",
            'Remove it. In text, write it as an escape in double quotes, such as "\\x1b".',
        ),
    },
    good='description: "rings a bell: \\x07"',
)

FILE_TOO_LARGE = Rule(
    id="file-too-large",
    summary="The file is larger than 1 MiB.",
    explanation="A webhook takes a few hundred bytes. Split the file: webhooks can be in any number of files.",
    message="larger than {limit} bytes",
    hint="Split the file: webhooks can be in any number of files.",
    variants={"fields": ("larger than {limit} bytes", "Write a smaller webhook: a file cannot contain a larger one.")},
)

FILE_EMPTY = Rule(
    id="file-empty",
    summary="The file contains no webhook.",
    explanation=(
        "The file is empty or has only comments, often because it was not saved. Write a webhook into it, or remove it."
    ),
    message="the file contains no webhook",
    hint="Write a webhook, or remove the file.",
    bad="# nothing yet",
    good="name: SiemAnomalies",
)

MORE_FINDINGS = Rule(
    id="more-findings",
    summary="A file has more findings than are shown.",
    explanation=(
        "hookctl shows a hundred findings of a file. So many findings usually have one cause, such as a file "
        "of another kind. The rest of the file may not have been checked."
    ),
    message="from here on at least {count:,} more {are} not shown",
    hint="Fix the findings above, then run it again.",
)

YAML_SYNTAX = Rule(
    id="yaml-syntax",
    summary="The document is not YAML.",
    explanation=(
        "hookctl skips only this document and reads the others in the file. Text that contains `: ` or ` #`, "
        "or that begins with a special character of YAML, needs quotes."
    ),
    message="the document is not valid YAML: {what}",
    hint="{fix}",
    bad="description: severity: high",
    good='description: "severity: high"',
)

YAML_TAB = Rule(
    id="yaml-tab",
    summary="A line is indented with a tab.",
    explanation="YAML allows only spaces for indentation, because editors show tabs with different widths.",
    message="a tab in the indentation",
    hint="Indent with spaces.",
    bad="headers:\n\tX-Source: hookctl",
    good="headers:\n  X-Source: hookctl",
)

YAML_DUPLICATE_KEY = Rule(
    id="yaml-duplicate-key",
    summary="A mapping has the same key twice.",
    explanation="YAML readers differ in which value they use, and most do not report it. Keep one of the two.",
    message="the key {key!r} is already in line {line}",
    names_position=True,
    hint="Keep one of the two: readers differ in which one they use.",
    bad="status: active\nstatus: inactive",
    good="status: inactive",
)

YAML_ANCHOR = Rule(
    id="yaml-anchor",
    summary="An anchor or alias is used.",
    explanation=(
        "An alias hides from a reviewer what is sent, and a few lines with aliases can expand to gigabytes. "
        "Write the value where it is needed."
    ),
    message="the anchor {anchor}",
    hint="Write the value where it is needed: hookctl does not read anchors and aliases.",
    variants={
        "alias": (
            "an alias without its anchor, or the same anchor twice",
            "Write the value where it is needed: hookctl does not read anchors and aliases.",
        )
    },
    bad="labels: &shared\n  team: security",
    good="labels:\n  team: security",
)

YAML_TAG = Rule(
    id="yaml-tag",
    summary="A tag is used.",
    explanation=(
        "Tags such as !!binary create values that JSON does not have. Remove the tag, and put text in quotes."
    ),
    message="the tag {tag}",
    hint="Remove the tag; put text in quotes.",
    bad="description: !!str 2024",
    good='description: "2024"',
)

YAML_DEPTH = Rule(
    id="yaml-depth",
    summary="Lists and mappings are nested more than 64 levels deep.",
    explanation="No webhook needs this, and deep nesting can exhaust the programs that read it.",
    message="more than {limit} levels of nesting",
    hint="Use the flat structure that `hookctl schema webhook` shows.",
    bad="labels: " + "[" * 64 + "]" * 64,
    good="labels:\n  team: security",
)

YAML_AMBIGUOUS_NUMBER = Rule(
    id="yaml-ambiguous-number",
    summary="YAML or JSON readers read this number differently.",
    explanation=(
        "012 is 10 in YAML 1.1 and 12 in YAML 1.2. 1_000, 0o14 and 1e3 are numbers in one version and text in"
        " the other. JSON has neither .nan nor .inf. Put the value in quotes if it is text, or write a plain "
        "decimal number."
    ),
    message="{number} {why}",
    hint="Put it in quotes if it is text; otherwise write a plain decimal number.",
    variants={"fields": ("a number does not fit into 64 bits", "Write a smaller number, or text.")},
    bad="timeout_seconds: 012",
    good="timeout_seconds: 12",
)

YAML_NOT_A_MAPPING = Rule(
    id="yaml-not-a-mapping",
    summary="The document is a list or a single value.",
    explanation=(
        "A webhook is a mapping: lines of the form `key: value`. To put several webhooks in one file, "
        "separate them with lines of ---."
    ),
    message="{what}, not a webhook",
    hint="Write `key: value` lines, starting with `name:`.",
    bad="- name: SiemAnomalies",
    good="name: SiemAnomalies",
)

YAML_BYTE_ORDER = Rule(
    id="yaml-byte-order",
    summary="The file has a byte-order mark, or is encoded in UTF-16 or UTF-32.",
    explanation=(
        "Some readers treat the mark as text. Save the file as UTF-8 without it. hookctl still checks the "
        "rest of the file."
    ),
    message="begins with a byte-order mark",
    hint="Save it as UTF-8 without a byte-order mark.",
    variants={
        "encoding": ("encoded in {encoding}", "Save it as UTF-8 without a byte-order mark."),
        "inside": ("a byte-order mark inside the file", "Remove the invisible character U+FEFF."),
    },
)

YAML_LINE_BREAK = Rule(
    id="yaml-line-break",
    summary="A line ends in a way that readers interpret differently.",
    explanation=(
        "A lone carriage return, U+0085, U+2028 and U+2029 end a line for some readers but not for others, "
        "and can hide text in a review. End lines with a line feed. Inside double quotes, you can write these"
        " characters as escapes."
    ),
    message="the line break U+{code:04X}, which readers interpret differently",
    hint="End lines with a line feed; in text write it as an escape in double quotes.",
    good='description: "one\\Ltwo"',
)

YAML_KEY_TYPE = Rule(
    id="yaml-key-type",
    summary="A key is not text.",
    explanation=(
        "YAML does not read keys such as 1, null or {{ x }} as text. Put the key in quotes. A value that "
        "begins with {{ needs quotes as well."
    ),
    message="the key {key} is not text",
    hint="Put the key in quotes.",
    variants={"collection": ("a key that is a list or a mapping", "Put a value that begins with {{ or [ in quotes.")},
    bad="labels:\n  1: first",
    good='labels:\n  "1": first',
)
