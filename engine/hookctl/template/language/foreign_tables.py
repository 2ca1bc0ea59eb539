"""The forms of other template languages: language, pattern of what is between the delimiters, and what to write.

The groups ``a`` to ``d`` are values of the language; other groups are copied as they are.
"""

from __future__ import annotations

import re

Form = tuple[str, re.Pattern[str], str]

_PATH = r"[\w.\[\]/@-]+"
"""Of Handlebars."""
_GO = r"(?:\$?\.[\w.]*|\$\w+(?:\.\w+)*)"
_GO_ARGUMENT = rf"""(?:{_GO}|"[^"]*"|`[^`]*`|-?\d[\d.]*|true|false|nil)"""
_GO_PIPE = rf"{_GO}\s*(?:\|\s*[\w.]+(?:[^\w.|][^|]*)?)*"
"""Each character can be read in only one way, so that a long text which does not match takes no time either."""
_GO_OPERATORS = (("eq", "=="), ("ne", "!="), ("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">="))
_KEYS = r"""(?:\??\.\w+(?:\(\))?|\[(?:\d+|"[^"]*"|'[^']*')\])*"""
"""Of n8n: what follows an item."""
_ONLY_EVENT = "Write {{{{ data.name }}}} with a field of the event, and filters in place of JavaScript."


def _forms(*rows: tuple[str, str, str]) -> tuple[Form, ...]:
    return tuple((language, re.compile(pattern, re.DOTALL), fix) for language, pattern, fix in rows)


def _go_conditions() -> tuple[tuple[str, str, str], ...]:
    """Go's ``if`` and ``else if``, with the conditions that it has as functions."""
    rows: list[tuple[str, str, str]] = []
    for word, tag in (("if", "if"), (r"else\s+if", "elif")):
        for name, sign in _GO_OPERATORS:
            pattern = rf"{word}\s+\(?{name}\s+(?P<a>{_GO_ARGUMENT})\s+(?P<b>{_GO_ARGUMENT})\)?"
            rows.append(("Go", pattern, f"Write {{{{% {tag} {{a}} {sign} {{b}} %}}}}."))
        rows += [
            ("Go", rf"{word}\s+not\s+(?P<a>{_GO})", f"Write {{{{% {tag} not {{a}} %}}}}."),
            (
                "Go",
                rf"{word}\s+(?P<word>and|or)\s+(?P<a>{_GO_ARGUMENT})\s+(?P<b>{_GO_ARGUMENT})",
                f"Write {{{{% {tag} {{a}} {{word}} {{b}} %}}}}.",
            ),
            ("Go", rf"{word}\s+(?P<a>{_GO})", f"Write {{{{% {tag} {{a}} %}}}}."),
            (
                "Go",
                rf"{word}\s.*",
                f"Write {{{{% {tag} data.name == 'value' %}}}}: operators stand between the values.",
            ),
        ]
    return tuple(rows)


_GO_FORMS = (
    ("Go", r"/\*\s*(?P<text>.*?)\s*\*/", "Write {{# {text} #}}."),
    ("Go", rf"range\s+(?:\$\w+\s*,\s*)?\$(?P<name>\w+)\s*:=\s*(?P<a>{_GO})", "Write {{% for {name} in {a} %}}."),
    ("Go", rf"range\s+(?P<a>{_GO})", "Write {{% for item in {a} %}}."),
    ("Go", r"range\s.*", "Write {{% for item in data.list %}}."),
    *_go_conditions(),
    ("Go", r"else", "Write {{% else %}}."),
    ("Go", r"end", "Write {{% endif %}} or {{% endfor %}}."),
    ("Go", rf"with\s+(?P<a>{_GO})", "Write {{% if {a} %}}, and the whole path inside."),
    ("Go", r"(?:define|template|block|include)\s.*", "Write the text here: a body is a single template."),
    ("Go", rf'printf\s+"[^"]*"\s+(?P<a>{_GO}).*', "Join text with ~: {{{{ 'text ' ~ {a} }}}}."),
    ("Go", rf"len\s+(?P<a>{_GO})", "Write {{{{ {a} | length }}}}."),
    ("Go", rf"(?:toUpper|upper)\s+(?P<a>{_GO})", "Write {{{{ {a} | upper }}}}."),
    ("Go", rf"(?:toLower|lower)\s+(?P<a>{_GO})", "Write {{{{ {a} | lower }}}}."),
    ("Go", rf"(?:toJson|json|js)\s+(?P<a>{_GO})", "Write {{{{ {a} | tojson }}}}."),
    ("Go", rf"join\s+(?P<b>{_GO_ARGUMENT})\s+(?P<a>{_GO})", "Write {{{{ {a} | join({b}) }}}}."),
    ("Go", rf"default\s+(?P<b>{_GO_ARGUMENT})\s+(?P<a>{_GO})", "Write {{{{ {a} | default({b}) }}}}."),
    ("Go", rf"index\s+(?P<a>{_GO})\s+(?P<b>{_GO_ARGUMENT})", "Write {{{{ {a}[{b}] }}}}."),
    ("Go", rf"\$(?P<name>\w+)\s*:?=\s*(?P<a>{_GO})", "Write {{% set {name} = {a} %}}."),
    ("Go", rf"(?P<a>{_GO_PIPE})", "Write {{{{ {a} }}}}."),
    ("Go", rf"\w+\s+(?P<a>{_GO})", "Write {{{{ {a} }}}}, with a filter after it."),
)
_N8N_FORMS = (
    ("n8n", r"\$(?:now|today)\b.*", "Write {{{{ event_time | datetime }}}}."),
    (
        "n8n",
        r"\$env\.(?P<name>\w+)",
        "Write ${{env:{name}}} outside of {{{{ }}}}: it is resolved when the event is sent.",
    ),
    ("n8n", r"\$(?:execution|workflow)\b.*", "Write {{{{ id }}}}, the id of the event."),
    ("n8n", rf"\$json(?P<a>{_KEYS})", "Write {{{{ {a} }}}}."),
    ("n8n", rf"\$json(?P<a>{_KEYS})\s*(?:\|\||\?\?)\s*(?P<other>[^|?]+)", "Write {{{{ {a} | default({other}) }}}}."),
    (
        "n8n",
        rf"""\$json(?P<a>{_KEYS})\s*\?\s*(?P<yes>[^?:]+?)\s*:\s*(?P<no>[^?:]+)""",
        "Write {{{{ {yes} if {a} else {no} }}}}.",
    ),
    (
        "n8n",
        rf"""\$(?:node\[[^\]]+\]|\([^()]*\)|input)(?:\.(?:item|first\(\)|last\(\)|all\(\)))?\.json(?P<a>{_KEYS})""",
        "Write {{{{ {a} }}}}: a template sees only the event.",
    ),
    (
        "n8n",
        r"\$(?:(?:json|node|input|vars|binary|parameter|prevNode|runIndex|itemIndex)\b|items?\(|\().*",
        _ONLY_EVENT,
    ),
)
_HANDLEBARS_FORMS = (
    ("Handlebars", rf"#if\s+(?P<a>{_PATH})", "Write {{% if {a} %}} ... {{% endif %}}."),
    ("Handlebars", rf"#unless\s+(?P<a>{_PATH})", "Write {{% if not {a} %}} ... {{% endif %}}."),
    (
        "Handlebars",
        rf"#each\s+(?P<a>{_PATH})\s+as\s+\|(?P<b>\w+)[^{{}}]*",
        "Write {{% for {b} in {a} %}} ... {{% endfor %}}.",
    ),
    ("Handlebars", rf"#each\s+(?P<a>{_PATH})", "Write {{% for item in {a} %}} ... {{% endfor %}}."),
    ("Handlebars", r"else|\^", "Write {{% else %}}."),
    ("Handlebars", rf"else\s+if\s+(?P<a>{_PATH})", "Write {{% elif {a} %}}."),
    ("Handlebars", r"/(?:if|unless)", "Write {{% endif %}}."),
    ("Handlebars", r"/each", "Write {{% endfor %}}."),
    ("JavaScript", r"!+(?P<a>data(?:\.\w+)+)", "Write {{{{ not {a} }}}}."),
    ("Handlebars", r"!(?:--)?\s*(?P<text>[^{}]*?)\s*(?:--)?", "Write {{# {text} #}}."),
    ("Handlebars", r"@(?P<a>index|first|last)", "Write {{{{ loop.{a} }}}}."),
    ("Handlebars", r"@key", "Write {{{{ key }}}}, and {{% for key, value in data.name | items %}}."),
    ("Handlebars", rf"#with\s+(?P<a>{_PATH})", "Write the whole path, such as {{{{ {a}.name }}}}."),
    ("Handlebars", r"(?P<a>\w[\w.-]*(?:\.\[[^\]]+\][\w.-]*)+)", "Write {{{{ {a} }}}}."),
    ("Handlebars", r"(?P<a>[A-Za-z_][\w.]*(?:-[A-Za-z_][\w.]*)+)", "Write {{{{ {a} }}}}."),
    ("Handlebars", r"[#/>&^].*", "`hookctl explain templates` shows what to write instead."),
)
_LIQUID_PIPE = r"[^|]+(?:\|\s*\w+\s*(?::[^|]*)?)*\|\s*\w+\s*:[^|]+(?:\|\s*\w+\s*(?::[^|]*)?)*"
"""Filters, of which at least one has its arguments after a colon."""
_JS_SIMPLE = r"[^?:|&]+?"

OUTPUTS: tuple[Form, ...] = _forms(
    *_N8N_FORMS,
    *_GO_FORMS,
    *_HANDLEBARS_FORMS,
    (
        "JavaScript",
        rf"(?P<a>{_JS_SIMPLE})\s*\?\s*(?P<b>{_JS_SIMPLE})\s*:\s*(?P<c>{_JS_SIMPLE})",
        "Write {{{{ {b} if {a} else {c} }}}}.",
    ),
    (
        "JavaScript",
        rf"(?P<a>{_JS_SIMPLE})\s*(?:\?\?|\|\|)\s*(?P<b>{_JS_SIMPLE})",
        "Write {{{{ {a} | default({b}) }}}}.",
    ),
    ("JavaScript", r"(?P<a>[\w.]+(?:\?\.[\w.]+)+)", "Write {{{{ {a} | default('none') }}}}."),
    ("JavaScript", r"(?P<a>.*(?:&&|===|!==).*)", "Write {{{{ {a} }}}}."),
    (
        "JavaScript",
        r"(?P<a>.*)\s*=>\s*.*",
        "Write {{{{ data.alerts | map(attribute='name') | list }}}}, or use jmespath('...').",
    ),
    ("Liquid", rf"(?P<a>{_LIQUID_PIPE})", "Write {{{{ {a} }}}}."),
)
"""Forms between ``{{`` and ``}}``."""
TAGS: tuple[Form, ...] = _forms(
    ("Liquid", r"assign\s+(?P<name>\w+)\s*=\s*(?P<a>.+)", "Write {{% set {name} = {a} %}}."),
    ("Liquid", r"(?:capture|endcapture)\b.*", "Write {{% set name = 'text ' ~ value %}}: text is joined with ~."),
    ("Liquid", r"unless\s+(?P<a>[\w.]+)", "Write {{% if not {a} %}} ... {{% endif %}}."),
    ("Liquid", r"unless\s+(?P<a>.+)", "Write {{% if not ({a}) %}} ... {{% endif %}}."),
    ("Liquid", r"endunless|endcase", "Write {{% endif %}}."),
    ("Liquid", r"(?P<b>\S+)\s+contains\s+(?P<a>.+)", "Write {a} in {b}."),
    ("Liquid", r"if\s+(?P<b>\S+)\s+contains\s+(?P<a>\S+)", "Write {{% if {a} in {b} %}}."),
    ("Liquid", r"els(?:e\s+)?if\s+(?P<b>\S+)\s+contains\s+(?P<a>\S+)", "Write {{% elif {a} in {b} %}}."),
    ("Liquid", r"if\s+.*\scontains\s.*", "Write {{% if 'x' in data.list %}}: in, with the list after it."),
    ("Liquid", r"elsif\s+(?P<a>.+)", "Write {{% elif {a} %}}."),
    (
        "Liquid",
        r"case\s+(?P<a>.+)",
        "Write {{% if {a} == 'x' %}} ... {{% elif {a} == 'y' %}} ... {{% endif %}}.",
    ),
    ("Liquid", r"when\s+(?P<a>.+)", "Write {{% elif data.name == {a} %}}."),
    ("Liquid", r"(?:end)?comment", "Write {{# the comment #}}."),
    ("Liquid", r"(?:in|de)crement\s.*", "Write {{{{ loop.index }}}} in a loop."),
    ("Liquid", r"echo\s+(?P<a>.+)", "Write {{{{ {a} }}}}."),
    ("Liquid", r"(?:tablerow\s.*|endtablerow)", "Write {{% for item in data.list %}} ... {{% endfor %}}."),
    ("Liquid", r"for\s+(?P<name>\w+)\s+in\s+\(.*\)", "Loop over a list of the event: {{% for {name} in data.list %}}."),
    (
        "Liquid",
        r"for\s+(?P<name>\w+)\s+in\s+(?P<a>[\w.]+)\s.*?limit:\s*(?P<count>\d+).*",
        "Write {{% for {name} in {a}[:{count}] %}}.",
    ),
    ("Liquid", r"for\s+(?P<name>\w+)\s+in\s+(?P<a>[\w.]+)\s+reversed", "Write {{% for {name} in {a} | reverse %}}."),
    ("JavaScript", r"(?P<tag>if|elif)\s+(?P<a>.*(?:&&|\|\||===|!==|!\w).*)", "Write {{% {tag} {a} %}}."),
    ("JavaScript", r"else\s+if\s+(?P<a>.+)", "Write {{% elif {a} %}}."),
    (
        "JavaScript",
        r"for\s+\(?(?:const |let |var )?(?P<name>\w+)\s+of\s+(?P<a>[\w.]+)\)?",
        "Write {{% for {name} in {a} %}}.",
    ),
)
"""Forms between ``{%`` and ``%}``."""
