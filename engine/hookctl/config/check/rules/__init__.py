"""Rules that look at one webhook, a file each: a ``Rule``, and ``check(notes, plugins)``, which notes its findings.

A file that is put here is found: its check is run, and its rule is in the catalog.
"""
