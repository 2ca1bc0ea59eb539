"""A JSON path that selects each value twice, thirty times over: 2 to the 30th values of a small response."""

PATH = "$.data" + "[0,0]" * 30
WEBHOOK = f"""\
name: Bomb
event: anomaly
url: https://siem.example.com/bomb
response_validators:
  - json_path: "{PATH}"
    expected_values: [1]
"""
RESPONSE = b"[" * 31 + b"1" + b"]" * 31
EXIT = 1
SAYS = ["takes more than 500,000 steps"]
