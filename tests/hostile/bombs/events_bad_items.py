"""Five million items of an array that are no events: they are counted, and only the first are described."""

FILES = {"webhooks.d/a.yaml": "name: A\nevent: anomaly\nurl: https://siem.example.com/bomb\n"}
EVENTS = b"[" + b"1," * 100_000 + b"1]"
RUN = ["apply --auto-approve", "send events.json --wait 0"]
EXIT = 1
SAYS = ["100,001 bad", "99,991 more bad events"]
