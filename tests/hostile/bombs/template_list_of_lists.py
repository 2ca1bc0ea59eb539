"""The whole event hundreds of times in one list."""

INNER = "([" + ",".join(["data"] * 20) + "] if data.severity else 1)"
TEMPLATE = "{{ [" + ",".join([INNER] * 9) + "] }}"
WEBHOOK = f"name: Bomb\nevent: anomaly\nurl: https://siem.example.com/bomb\nbody_template: |\n  {TEMPLATE}\n"
EVENT = {"description": "x" * 1_000_000}
RUN = ["render Bomb --event event.json"]
EXIT = 1
SAYS = ["rendering takes too much work"]
