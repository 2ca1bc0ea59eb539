"""A number with more digits than Python reads."""

WEBHOOK = """\
name: Bomb
event: anomaly
url: https://siem.example.com/bomb
response_validators:
  - json_path: "$.data.status"
    expected_values: [accepted]
"""
RESPONSE = b'{"status": "accepted", "n": ' + b"9" * 60_000 + b"}"
EXIT = 1
SAYS = ["more digits than can be read"]
