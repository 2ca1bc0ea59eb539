"""Thousands of paths that are nearly right, each with its suggestions, all on one line."""

TEMPLATE = "[" + ",".join(f"{{{{ data.requester.emai{n} }}}}" for n in range(2_000)) + "]"
WEBHOOK = f"name: Bomb\nevent: anomaly\nurl: https://siem.example.com/bomb\nbody_template: |\n  {TEMPLATE}\n"
EXIT = 1
SAYS = ["template-unknown-path"]
