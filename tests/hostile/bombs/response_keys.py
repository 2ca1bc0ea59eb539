"""A response of nothing but keys, each of them again and again."""

WEBHOOK = """\
name: Bomb
event: anomaly
url: https://siem.example.com/bomb
response_validators:
  - json_path: "$.data.status"
    expected_values: [accepted]
"""
RESPONSE = b"{" + b'"a":1,' * 10_000 + b'"a":1}'
EXIT = 1
SAYS = ["the key 'a' appears twice"]
