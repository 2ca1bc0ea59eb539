"""A path of filters inside filters, as deep as its length allows."""

PATH = "$.data" + "[?@" * 200 + "]" * 200
WEBHOOK = f"""\
name: Bomb
event: anomaly
url: https://siem.example.com/bomb
response_validators:
  - json_path: "{PATH}"
    expected_values: [1]
"""
RESPONSE = b"[" * 60 + b"1" + b"]" * 60
EXIT = 1
SAYS = ["json-path-invalid"]
