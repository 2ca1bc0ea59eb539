"""A value with many quotes four strings deep: each level doubles its backslashes."""

TEMPLATE = '{{"a": "{{\\"b\\": \\"{{\\\\\\"c\\\\\\": \\\\\\"{{{{ data.description }}}}\\\\\\"}}\\"}}"}}'.format()
WEBHOOK = f"name: Bomb\nevent: anomaly\nurl: https://siem.example.com/bomb\nbody_template: |\n  {TEMPLATE}\n"
EVENT = {"description": '"' * 400_000}
RUN = ["render Bomb --event event.json"]
EXIT = 1
SAYS = ["the body is larger than 1048576 bytes"]
