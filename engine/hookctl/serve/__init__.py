"""``hookctl serve``: HTTP intake, pages and metrics beside the runner.

It needs the extra ``hookctl[serve]``, and only the command ``serve`` imports it. The runner stays on the main thread;
the HTTP server has a thread of its own, and so has the writer, which stores the events of all requests.
"""
