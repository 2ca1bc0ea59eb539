"""One key nine thousand times."""

TEMPLATE = "{" + ",".join(['"a":1'] * 9_000) + "}"
WEBHOOK = f"name: Bomb\nevent: anomaly\nurl: https://siem.example.com/bomb\nbody_template: |\n  {TEMPLATE}\n"
EXIT = 1
SAYS = ["template-repeated-key"]
