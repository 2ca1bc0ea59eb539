"""Rules about directories, files and their YAML."""

from __future__ import annotations

from hookctl.model.rules.rule import Rule

DIRECTORY_MISSING = Rule(
    id="directory-missing",
    summary="The directory of webhooks is not there.",
    explanation=(
        "hookctl reads webhooks.d, or the directory that --dir, HOOKCTL_DIR or hookctl.toml names. Run it where that directory is, name another, "
        "or run `hookctl init` for a first one."
    ),
    message="there is no such directory",
    hint="Name another with --dir, or run `hookctl init`.",
    variants={"file": ("not a directory", "Name another with --dir, or run `hookctl init`.")},
)

DIRECTORY_EMPTY = Rule(
    id="directory-empty",
    summary="The directory holds no webhook file.",
    explanation=(
        "Files are those that end with .yaml or .yml, in the directory and below it; names that begin with a dot are left out. "
        "A directory without any is refused, since an apply of nothing would remove every webhook."
    ),
    message="no *.yaml or *.yml file in it",
    hint="Write a webhook file, or run `hookctl init` for a first one.",
)

FILE_UNREADABLE = Rule(
    id="file-unreadable",
    summary="A file or directory cannot be read.",
    explanation="It may belong to somebody else, be a link to nothing, or be no plain file. It is not passed over: its webhooks would count as removed.",
    message="cannot be read: {reason}",
    hint="Check that it is there and that you may read it.",
    variants={
        "special": ("not a regular file", "Put a plain file there, or rename this one."),
        "revision": ("{what}, which is not followed in a revision", "Put a plain file there to compare it."),
    },
)

FILE_OUTSIDE = Rule(
    id="file-outside",
    summary="A link leads out of the directory of webhooks.",
    explanation=(
        "A repository must not make hookctl show files of the machine that checks it, so a link may not lead to anything "
        "outside of the directory, nor to a hidden file in it. A link to a file that is in the directory anyway is passed "
        "over. The directory itself may not be a link that leads out of where hookctl runs, unless --dir gives its full path."
    ),
    message="a link that leads out of the directory of webhooks, or to a hidden file",
    hint="Put a plain file or directory in its place.",
)

DIRECTORY_TOO_LARGE = Rule(
    id="directory-too-large",
    summary="The directory holds more than hookctl reads.",
    explanation="hookctl reads at most 100,000 files of 256 MiB in all, and 32 directories inside one another. Split the directory.",
    message="more than {files:,} files, or {mebibytes} MiB in them; the rest is not read",
    hint="Split it into directories, each with a store of its own.",
    variants={
        "depth": (
            "more than {limit} directories inside one another",
            "Put the files nearer to the directory of webhooks.",
        )
    },
)

FILE_NOT_TEXT = Rule(
    id="file-not-text",
    summary="The file is not UTF-8 text, or holds a control character.",
    explanation="Webhook files are read by people, so they are UTF-8 text. Inside double quotes a control character can be written as an escape, such as \\x1b.",
    message="not UTF-8 text: byte {offset} (0x{byte:02x}) belongs to no character",
    hint="Save it as UTF-8 text, or move it out of this directory.",
    variants={
        "encoding": ("neither UTF-8 nor {encoding}", "Save it as UTF-8 text."),
        "control": (
            "the control character U+{code:04X}",
            'Remove it; in text write it as an escape in double quotes, such as "\\x1b".',
        ),
    },
    good='description: "rings a bell: \\x07"',
)

FILE_TOO_LARGE = Rule(
    id="file-too-large",
    summary="The file is larger than 1 MiB.",
    explanation="A webhook is a few hundred bytes. Split the file: webhooks may stand in as many files as you like.",
    message="larger than {limit} bytes",
    hint="Split it: webhooks may stand in as many files as you like.",
    variants={"fields": ("larger than {limit} bytes", "Write a smaller webhook: a file can hold no larger one.")},
)

FILE_EMPTY = Rule(
    id="file-empty",
    summary="The file holds no webhook.",
    explanation="An empty file, or one of comments alone, is mostly one that was not saved. Write a webhook into it, or remove it.",
    message="no webhook in it",
    hint="Write a webhook, or remove the file.",
    bad="# nothing yet",
    good="name: SiemAnomalies",
)

MORE_FINDINGS = Rule(
    id="more-findings",
    summary="A file has more findings than are shown.",
    explanation="A hundred of a file are shown. So many mostly have one cause, such as a file of another kind; what follows may not have been looked at.",
    message="from here on at least {count:,} more {are} not shown",
    hint="Fix the findings above, then run it again.",
)

YAML_SYNTAX = Rule(
    id="yaml-syntax",
    summary="The document is not YAML.",
    explanation="Only this document is passed over; the others of the file are read. Text that holds `: ` or ` #`, or begins with a sign of YAML's, needs quotes.",
    message="not YAML: {what}",
    hint="{fix}",
    bad="description: severity: high",
    good='description: "severity: high"',
)

YAML_TAB = Rule(
    id="yaml-tab",
    summary="A line is indented with a tab.",
    explanation="YAML allows spaces alone, since a tab is as wide as the reader's editor makes it.",
    message="a tab in the indentation",
    hint="Indent with spaces: YAML allows no tabs there.",
    bad="headers:\n\tX-Source: hookctl",
    good="headers:\n  X-Source: hookctl",
)

YAML_DUPLICATE_KEY = Rule(
    id="yaml-duplicate-key",
    summary="A key stands twice in one mapping.",
    explanation="Readers of YAML differ in which one counts, and most say nothing. Keep one.",
    message="the key {key!r} stands already in line {line}",
    hint="Keep one of the two: readers differ in which one counts.",
    bad="status: active\nstatus: inactive",
    good="status: inactive",
)

YAML_ANCHOR = Rule(
    id="yaml-anchor",
    summary="An anchor or alias is used.",
    explanation="An alias hides from a reviewer what is sent, and a few lines of them can stand for gigabytes. Write the value out where it is needed.",
    message="the anchor {anchor}",
    hint="Write the value out where it is needed: anchors and aliases are not read.",
    variants={
        "alias": (
            "an alias without its anchor, or an anchor twice",
            "Write the value out where it is needed: anchors and aliases are not read.",
        )
    },
    bad="labels: &shared\n  team: security",
    good="labels:\n  team: security",
)

YAML_TAG = Rule(
    id="yaml-tag",
    summary="A tag is used.",
    explanation="Tags such as !!binary make values that JSON does not have. Remove the tag, and put text in quotes.",
    message="the tag {tag}",
    hint="Remove the tag; put text in quotes.",
    bad="description: !!str 2024",
    good='description: "2024"',
)

YAML_DEPTH = Rule(
    id="yaml-depth",
    summary="More than 64 lists and mappings stand inside one another.",
    explanation="No webhook needs that, and deep nesting exhausts the programs that read it.",
    message="more than {limit} levels of nesting",
    hint="Write the webhook flat, as the schema has it.",
    bad="labels: " + "[" * 64 + "]" * 64,
    good="labels:\n  team: security",
)

YAML_AMBIGUOUS_NUMBER = Rule(
    id="yaml-ambiguous-number",
    summary="A number that readers of YAML or JSON read differently.",
    explanation=(
        "012 is 10 to YAML 1.1 and 12 to YAML 1.2; 1_000, 0o14, 1e3 are numbers to one and text to the other; JSON has no .nan and no .inf. "
        "Put it in quotes if it is text, or write a plain decimal number."
    ),
    message="{number} {why}",
    hint="Put it in quotes if it is text; else write it as a plain decimal number.",
    variants={"fields": ("a number has more digits than 64 bits hold", "Write a shorter number, or text.")},
    bad="timeout_seconds: 012",
    good="timeout_seconds: 12",
)

YAML_NOT_A_MAPPING = Rule(
    id="yaml-not-a-mapping",
    summary="The document is a list or a single value.",
    explanation="A webhook is a mapping: lines of `key: value`. Several webhooks in one file are several documents with a line of --- between them.",
    message="{what}, not a webhook",
    hint="Write `key: value` lines, beginning with `name:`.",
    bad="- name: SiemAnomalies",
    good="name: SiemAnomalies",
)

YAML_BYTE_ORDER = Rule(
    id="yaml-byte-order",
    summary="The file has a byte-order mark, or is encoded in UTF-16 or UTF-32.",
    explanation="Some readers take the mark for text. Save the file as UTF-8 without it; the rest of the file is checked all the same.",
    message="begins with a byte-order mark",
    hint="Save it as UTF-8 without a byte-order mark.",
    variants={
        "encoding": ("encoded in {encoding}", "Save it as UTF-8 without a byte-order mark."),
        "inside": ("a byte-order mark inside the file", "Remove the invisible character U+FEFF."),
    },
)

YAML_LINE_BREAK = Rule(
    id="yaml-line-break",
    summary="A line ends in a way that readers disagree about.",
    explanation=(
        "A carriage return alone, U+0085, U+2028 and U+2029 end a line to some readers and not to others, and can hide text in a review. "
        "End lines with a line feed; inside double quotes the characters can be written as escapes."
    ),
    message="the line break U+{code:04X}, which readers disagree about",
    hint="End lines with a line feed; in text write it as an escape in double quotes.",
    good='description: "one\\Ltwo"',
)

YAML_KEY_TYPE = Rule(
    id="yaml-key-type",
    summary="A key is not text.",
    explanation="Keys such as 1, null or {{ x }} are no text to YAML. Put the key in quotes; a value that begins with {{ needs quotes, too.",
    message="the key {key} is not text",
    hint="Put the key in quotes.",
    variants={"collection": ("a key that is a list or a mapping", "Put a value that begins with {{ or [ in quotes.")},
    bad="labels:\n  1: first",
    good='labels:\n  "1": first',
)
