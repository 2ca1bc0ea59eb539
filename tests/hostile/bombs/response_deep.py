"""A response of brackets alone."""

WEBHOOK = """\
name: Bomb
event: anomaly
url: https://siem.example.com/bomb
response_validators:
  - json_path: "$.data..x"
    expected_values: [1]
"""
RESPONSE = b"[" * 65_000
EXIT = 1
SAYS = ["nested deeper than 64"]
