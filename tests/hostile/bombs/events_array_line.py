"""A first line that is an array of millions of lists, and another line behind it."""

FILES = {"webhooks.d/a.yaml": "name: A\nevent: anomaly\nurl: https://siem.example.com/bomb\n"}
EVENTS = b"[[" + b"[]," * 8_000_000 + b"[]]]\n{}"
RUN = ["apply --auto-approve", "send events.json --wait 0"]
EXIT = 1
SAYS = ["item 1: larger than 1 MiB"]
