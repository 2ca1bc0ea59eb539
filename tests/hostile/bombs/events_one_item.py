"""One item of an array that would be a gigabyte of lists."""

FILES = {"webhooks.d/a.yaml": "name: A\nevent: anomaly\nurl: https://siem.example.com/bomb\n"}
EVENTS = b"[[" + b"[]," * 4_000_000 + b"[]]]"
RUN = ["apply --auto-approve", "send events.json --wait 0"]
EXIT = 1
SAYS = ["item 1: larger than 1 MiB"]
