"""The same, with each of them closed again under the same condition."""

CONDITIONS = [f"{{% if data.severity == '{n}' %}}" for n in range(24)]
TEMPLATE = (
    "".join(f"{one}[{{% endif %}}" for one in CONDITIONS) + "1" + "".join(f"{one}]{{% endif %}}" for one in CONDITIONS)
)
WEBHOOK = f"name: Bomb\nevent: anomaly\nurl: https://siem.example.com/bomb\nbody_template: |\n  {TEMPLATE}\n"
EXIT = 1
SAYS = ["template-not-json"]
