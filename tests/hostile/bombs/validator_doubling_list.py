"""A JMESPath expression whose result doubles with each step, written out."""

EXPRESSION = "data" + "|[@,@]" * 50 + "|to_string(@)"
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
