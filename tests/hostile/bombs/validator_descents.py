"""A JSON path with a descent in each segment."""

PATH = "$.data" + "..*" * 20
WEBHOOK = f"""\
name: Bomb
event: anomaly
url: https://siem.example.com/bomb
response_validators:
  - json_path: "{PATH}"
    expected_values: [1]
"""
RESPONSE = b"[" * 50 + b"1" + b"]" * 50
EXIT = 1
SAYS = ["takes more than 500,000 steps"]
