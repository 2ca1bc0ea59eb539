"""The exit codes, in one place."""

OK = 0
"""Done, or no changes."""
FAILED = 1
"""Findings, a failed test, a failed delivery, or an error."""
CHANGES = 2
"""``plan --detailed-exitcode``: there are changes."""
USAGE = 64
"""Wrong usage of the command line."""
INTERRUPTED = 130
"""Stopped by Ctrl-C."""
BROKEN_PIPE = 141
"""The reader of standard output has left, as ``head`` does: what a shell shows of any program that ends so."""
