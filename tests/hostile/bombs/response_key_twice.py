"""A key that occurs twice: readers take the one or the other."""

WEBHOOK = """\
name: Bomb
event: anomaly
url: https://siem.example.com/bomb
response_validators:
  - json_path: "$.data.status"
    expected_values: [accepted]
"""
RESPONSE = b'{"status": "failed", "status": "accepted"}'
EXIT = 1
SAYS = ["the key 'status' appears twice"]
