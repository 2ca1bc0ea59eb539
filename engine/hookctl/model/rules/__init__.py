"""The rules that parsers and several stages share, one module for each subject.

A rule that needs nothing but a webhook has a file of its own in ``hookctl.config.check.rules``. All of them together
are in ``hookctl.config.check.catalog``.
"""
