"""Rules about directories, files and their YAML."""

from __future__ import annotations

from hookctl.model.rules.rule import Rule

FILE_RULES = (
    Rule(
        "directory-missing",
        "The directory of webhooks is not there.",
        "hookctl reads webhooks.d, or the directory that --dir, HOOKCTL_DIR or hookctl.toml names. Run it where that directory is, name another, "
        "or run `hookctl init` for a first one.",
        "",
        "",
    ),
    Rule(
        "directory-empty",
        "The directory holds no webhook file.",
        "Files are those that end with .yaml or .yml, in the directory and below it; names that begin with a dot are left out. "
        "A directory without any is refused, since an apply of nothing would remove every webhook.",
        "",
        "",
    ),
    Rule(
        "file-unreadable",
        "A file or directory cannot be read.",
        "It may belong to somebody else, be a link to nothing, or be no plain file. It is not passed over: its webhooks would count as removed.",
        "",
        "",
    ),
    Rule(
        "file-outside",
        "A link leads out of the directory of webhooks.",
        "A repository must not make hookctl show files of the machine that checks it, so a link may not lead to anything "
        "outside of the directory, nor to a hidden file in it. A link to a file that is in the directory anyway is passed "
        "over. The directory itself may not be a link that leads out of where hookctl runs, unless --dir gives its full path.",
        "",
        "",
    ),
    Rule(
        "directory-too-large",
        "The directory holds more than hookctl reads.",
        "hookctl reads at most 100,000 files of 256 MiB in all, and 32 directories inside one another. Split the directory.",
        "",
        "",
    ),
    Rule(
        "file-not-text",
        "The file is not UTF-8 text, or holds a control character.",
        "Webhook files are read by people, so they are UTF-8 text. Inside double quotes a control character can be written as an escape, such as \\x1b.",
        "",
        'description: "rings a bell: \\x07"',
    ),
    Rule(
        "file-too-large",
        "The file is larger than 1 MiB.",
        "A webhook is a few hundred bytes. Split the file: webhooks may stand in as many files as you like.",
        "",
        "",
    ),
    Rule(
        "file-empty",
        "The file holds no webhook.",
        "An empty file, or one of comments alone, is mostly one that was not saved. Write a webhook into it, or remove it.",
        "# nothing yet",
        "name: SiemAnomalies",
    ),
    Rule(
        "more-findings",
        "A file has more findings than are shown.",
        "A hundred of a file are shown. So many mostly have one cause, such as a file of another kind; what follows may not have been looked at.",
        "",
        "",
    ),
    Rule(
        "yaml-syntax",
        "The document is not YAML.",
        "Only this document is passed over; the others of the file are read. Text that holds `: ` or ` #`, or begins with a sign of YAML's, needs quotes.",
        "description: severity: high",
        'description: "severity: high"',
    ),
    Rule(
        "yaml-tab",
        "A line is indented with a tab.",
        "YAML allows spaces alone, since a tab is as wide as the reader's editor makes it.",
        "headers:\n\tX-Source: hookctl",
        "headers:\n  X-Source: hookctl",
    ),
    Rule(
        "yaml-duplicate-key",
        "A key stands twice in one mapping.",
        "Readers of YAML differ in which one counts, and most say nothing. Keep one.",
        "status: active\nstatus: inactive",
        "status: inactive",
    ),
    Rule(
        "yaml-anchor",
        "An anchor or alias is used.",
        "An alias hides from a reviewer what is sent, and a few lines of them can stand for gigabytes. Write the value out where it is needed.",
        "labels: &shared\n  team: security",
        "labels:\n  team: security",
    ),
    Rule(
        "yaml-tag",
        "A tag is used.",
        "Tags such as !!binary make values that JSON does not have. Remove the tag, and put text in quotes.",
        "description: !!str 2024",
        'description: "2024"',
    ),
    Rule(
        "yaml-depth",
        "More than 64 lists and mappings stand inside one another.",
        "No webhook needs that, and deep nesting exhausts the programs that read it.",
        "labels: " + "[" * 64 + "]" * 64,
        "labels:\n  team: security",
    ),
    Rule(
        "yaml-ambiguous-number",
        "A number that readers of YAML or JSON read differently.",
        "012 is 10 to YAML 1.1 and 12 to YAML 1.2; 1_000, 0o14, 1e3 are numbers to one and text to the other; JSON has no .nan and no .inf. "
        "Put it in quotes if it is text, or write a plain decimal number.",
        "timeout_seconds: 012",
        "timeout_seconds: 12",
    ),
    Rule(
        "yaml-not-a-mapping",
        "The document is a list or a single value.",
        "A webhook is a mapping: lines of `key: value`. Several webhooks in one file are several documents with a line of --- between them.",
        "- name: SiemAnomalies",
        "name: SiemAnomalies",
    ),
    Rule(
        "yaml-byte-order",
        "The file has a byte-order mark, or is encoded in UTF-16 or UTF-32.",
        "Some readers take the mark for text. Save the file as UTF-8 without it; the rest of the file is checked all the same.",
        "",
        "",
    ),
    Rule(
        "yaml-line-break",
        "A line ends in a way that readers disagree about.",
        "A carriage return alone, U+0085, U+2028 and U+2029 end a line to some readers and not to others, and can hide text in a review. "
        "End lines with a line feed; inside double quotes the characters can be written as escapes.",
        "",
        'description: "one\\Ltwo"',
    ),
    Rule(
        "yaml-key-type",
        "A key is not text.",
        "Keys such as 1, null or {{ x }} are no text to YAML. Put the key in quotes; a value that begins with {{ needs quotes, too.",
        "labels:\n  1: first",
        'labels:\n  "1": first',
    ),
)
