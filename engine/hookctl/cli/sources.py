"""Where the value of an option comes from, for the messages of errors."""

from __future__ import annotations

import os

import click
from click.core import ParameterSource


def source_of(option: str) -> str:
    """``option``, or the variable that sets it in this run, such as ``HOOKCTL_CACERT``:."""
    ctx = click.get_current_context(silent=True)
    while ctx is not None:
        for parameter in ctx.command.params:
            name = parameter.name or ""
            if option in parameter.opts and ctx.get_parameter_source(name) is ParameterSource.ENVIRONMENT:
                variables = (str(parameter.envvar), f"{ctx.auto_envvar_prefix}_{name.upper()}")
                return next((variable for variable in variables if os.environ.get(variable)), option)
        ctx = ctx.parent
    return option
