"""One condition after the other, and a mistake behind each of them: what a finding says of the way to it is cut."""

TEMPLATE = (
    "[1{% if data.severity == 'x' %}"
    + "".join(f"{{% elif data.severity == '{n}' %}}1" for n in range(1400))
    + "{% endif %}]"
)
WEBHOOK = f"name: Bomb\nevent: anomaly\nurl: https://siem.example.com/bomb\nbody_template: |\n  {TEMPLATE}\n"
EXIT = 1
SAYS = ["template-not-json"]
