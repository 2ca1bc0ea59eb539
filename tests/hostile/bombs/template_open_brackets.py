"""Conditions that each open a list or an object: 2 to the 24th ways to have them open."""

OPEN = ["[", '{"a":']
TEMPLATE = "".join(f"{{% if data.severity == '{n}' %}}{OPEN[n % 2]}{{% endif %}}" for n in range(24)) + "1"
WEBHOOK = f"name: Bomb\nevent: anomaly\nurl: https://siem.example.com/bomb\nbody_template: |\n  {TEMPLATE}\n"
EXIT = 1
SAYS = ["template-too-large", "too many combinations"]
