"""The exit codes of every command."""

OK = 0
"""Done, or no changes."""
FAILED = 1
"""Findings, a failed test, a failed delivery, or an error."""
CHANGES = 2
"""``plan --detailed-exitcode``: there are changes."""
USAGE = 64
"""Wrong usage of the command line."""
INTERRUPTED = 130
"""Interrupted: Ctrl-C or a signal ended the command before it was done."""
BROKEN_PIPE = 141
"""The reader of standard output has exited, as ``head`` does. Shells show this code for any program that ends so."""
