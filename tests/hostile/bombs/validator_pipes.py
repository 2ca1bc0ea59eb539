"""An expression of so many steps that its evaluation would call itself too often."""

EXPRESSION = "data" + "|@" * 480
WEBHOOK = f"""\
name: Bomb
event: anomaly
url: https://siem.example.com/bomb
response_validators:
  - type: jmespath
    expression: "{EXPRESSION}"
"""
RESPONSE = b"1"
EXIT = 1
SAYS = ["more than 60 steps in a row"]
