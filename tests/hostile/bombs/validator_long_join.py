"""Joins that repeat a long text for each item of a list, one around the other."""

LONG = "x" * 400
EXPRESSION = f"join('{LONG}', data) | [@,@,@,@,@,@,@,@] | join('{LONG}', [@,@,@][]) | to_string([@,@])"
WEBHOOK = f"""\
name: Bomb
event: anomaly
url: https://siem.example.com/bomb
response_validators:
  - type: jmespath
    expression: "{EXPRESSION}"
"""
RESPONSE = b"[" + b'"",' * 10_000 + b'""]'
EXIT = 1
SAYS = ["takes more than 500,000 steps"]
