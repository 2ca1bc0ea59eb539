"""Three loops inside one another around a thousand conditions, each asked twice."""

LOOPS = "".join(f"{{% for k{n}, v{n} in data.requester | items %}}" for n in range(3))
ASKED = "".join(f"{{% if data.severity == '{n % 400}' %}},1{{% endif %}}" for n in range(800))
TEMPLATE = "[1" + LOOPS + ASKED + "{% endfor %}" * 3 + "]"
WEBHOOK = f"name: Bomb\nevent: anomaly\nurl: https://siem.example.com/bomb\nbody_template: |\n  {TEMPLATE}\n"
EXIT = 1
SAYS = ["template-too-large", "too many combinations"]
