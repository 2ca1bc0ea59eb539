"""A filter that compares each value with the whole response."""

PATH = "$.data..[?@ == $.data || $.data == @]"
WEBHOOK = f"""\
name: Bomb
event: anomaly
url: https://siem.example.com/bomb
response_validators:
  - json_path: "{PATH}"
    expected_values: [1]
"""
RESPONSE = b"[" + b"[[1],[2]]," * 5000 + b"0]"
EXIT = 1
SAYS = ["takes more than 500,000 steps"]
