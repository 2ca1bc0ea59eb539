"""A regular expression that doubles its time with each character is refused."""

PATH = "$.data[?search(@, '(a+)+$')]"
WEBHOOK = f"""\
name: Bomb
event: anomaly
url: https://siem.example.com/bomb
response_validators:
  - json_path: "{PATH}"
    expected_values: [1]
"""
RESPONSE = b'["' + b"a" * 60 + b'!"]'
EXIT = 1
SAYS = ["json-path-invalid"]
