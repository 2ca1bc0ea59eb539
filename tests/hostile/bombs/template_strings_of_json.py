"""Many strings of JSON text, each with conditions of its own."""

TEXT = '"[' + "".join(f"{{% if data.title == '{n}' %}}[{{% endif %}}" for n in range(24)) + r'\"x\"]"'
TEMPLATE = "[" + ", ".join([TEXT] * 40) + "]"
WEBHOOK = f"name: Bomb\nevent: anomaly\nurl: https://siem.example.com/bomb\nbody_template: |\n  {TEMPLATE}\n"
EXIT = 0
SAYS = ["1 webhook in 1 file"]
