"""What ``hookctl`` is for a shell: it has the server of ``warm.py`` start it, and ends as it ends.

``PLACE``, the path of the server's socket, is set in a line before. It imports little, because it starts often.
"""

import json
import os
import signal
import sys
from _socket import AF_UNIX, SCM_RIGHTS, SOL_SOCKET, socket
from array import array

MAIN = """
import sys
sys.path.pop(0)  # as a script, it does not look for modules in the working directory
sys.argv[0] = "hookctl"
from hookctl.cli.main import main
sys.exit(main())
"""
connection = socket(AF_UNIX)
connection.connect(PLACE)  # type: ignore[name-defined]  # noqa: F821  # as the docstring says
fields = {"argv": ["-c", MAIN, *sys.argv[1:]], "cwd": os.getcwd(), "env": dict(os.environ)}  # noqa: PTH109
text = json.dumps(fields).encode() + b"\n"
sent = connection.sendmsg([text], [(SOL_SOCKET, SCM_RIGHTS, array("i", [0, 1, 2]))])
connection.sendall(text[sent:])
answers = os.fdopen(connection.detach(), "rb")
pid = int(answers.readline())
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, _: os.kill(pid, number))
code = os.waitstatus_to_exitcode(int(answers.readline()))
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
sys.exit(code)
