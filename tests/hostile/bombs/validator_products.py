"""Projections inside projections: each item of a list with each other, four times over."""

EXPRESSION = "data" + "[].[@,@,@,@][]" * 10
WEBHOOK = f"""\
name: Bomb
event: anomaly
url: https://siem.example.com/bomb
response_validators:
  - type: jmespath
    expression: "{EXPRESSION}"
"""
RESPONSE = b"[" + b"[1]," * 15_000 + b"0]"
EXIT = 1
SAYS = ["takes more than 500,000 steps"]
