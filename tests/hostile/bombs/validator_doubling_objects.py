"""Objects that hold the same object twice, compared with each other."""

DOUBLED = "data" + "|{a:@,b:@}" * 25
EXPRESSION = f"({DOUBLED}) == ({DOUBLED})"
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
