"""The same, with the result left for the report to show."""

EXPRESSION = "data" + "|[@,@]" * 50
WEBHOOK = f"""\
name: Bomb
event: anomaly
url: https://siem.example.com/bomb
response_validators:
  - type: jmespath
    expression: "{EXPRESSION}"
"""
RESPONSE = b"[1]"
EXIT = 1
SAYS = ["takes more than 500,000 steps"]
