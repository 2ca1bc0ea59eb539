"""The kit for authors of plugins: contract suites, a project that runs commands in-process, and the pytest plugin.

``pip install hookctl[testing]`` installs what it needs. docs/plugins.md shows how to use it.
"""
