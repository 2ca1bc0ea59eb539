"""Brackets inside one another, as many as there is room for."""

WHEN = "[" * 400 + "data" + "]" * 400
WEBHOOK = f'name: Bomb\nevent: anomaly\nurl: https://siem.example.com/bomb\nwhen: "{WHEN}"\n'
EXIT = 1
SAYS = ["when-syntax", "nested deeper than 20"]
