"""Regular expressions in the response, each of a program as large as RE2 allows."""

WEBHOOK = """\
name: Bomb
event: anomaly
url: https://siem.example.com/bomb
response_validators:
  - type: exists
    json_path: $.data.texts[?search(@, $.data.pattern)]
"""
RESPONSE = b'{"pattern": "(.*a){200}b", "texts": ["' + b'a", "'.join([b"a" * 500] * 100) + b'"]}'
EXIT = 1
SAYS = ["more than 500,000 steps"]
