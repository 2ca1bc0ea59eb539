"""Rules about what files share: defaults and variables."""

from __future__ import annotations

from hookctl.model.rules.rule import Rule

DEFAULTS_FIELD = Rule(
    id="defaults-field",
    summary="defaults.yaml sets a field that each webhook must have for itself.",
    explanation=(
        "Each webhook has its own name, so a default for it would give every webhook the same one. All other fields "
        "can be in defaults.yaml."
    ),
    message="a default cannot set `{name}`",
    hint="Remove it from this file; write it in each webhook.",
)

DEFAULTS_DOCUMENTS = Rule(
    id="defaults-documents",
    summary="defaults.yaml is not one mapping, or there are two files of defaults in one directory.",
    explanation=(
        "The file has the fields of one webhook, without those that differ. It cannot contain several documents, and "
        "a directory has either defaults.yaml or defaults.yml."
    ),
    message="more than one set of defaults for this directory",
    hint="Put all defaults of a directory into one document of one file.",
)

UNKNOWN_VARIABLE = Rule(
    id="unknown-variable",
    summary="A variable has no value.",
    explanation=(
        "`${var:NAME}` is replaced when the file is read: by --var NAME=VALUE, by `vars` of the environment, or by "
        "[vars] of hookctl.toml. A value that differs between environments belongs there; a secret does not."
    ),
    message="the variable {name!r} has no value",
    hint="{fix}",
)
