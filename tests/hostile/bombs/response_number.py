"""A number that no double can hold."""

WEBHOOK = """\
name: Bomb
event: anomaly
url: https://siem.example.com/bomb
response_validators:
  - json_path: "$.data.status"
    expected_values: [accepted]
"""
RESPONSE = b'{"status": "accepted", "n": 1e999}'
EXIT = 1
SAYS = ["the number 1e999 is too large"]
