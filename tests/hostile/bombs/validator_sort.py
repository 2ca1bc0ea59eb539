"""Sorting a list by a key that joins the whole list."""

EXPRESSION = "sort_by(data, &join('-', [" + ",".join(["@"] * 100) + "]))"
WEBHOOK = f"""\
name: Bomb
event: anomaly
url: https://siem.example.com/bomb
response_validators:
  - type: jmespath
    expression: "{EXPRESSION}"
"""
RESPONSE = b"[" + b'"' + b"y" * 200 + b'",' + b'"x",' * 15_000 + b'"z"]'
EXIT = 1
SAYS = ["takes more than 500,000 steps"]
