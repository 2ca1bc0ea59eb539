"""A regular expression that would double the time of an engine that backtracks with each character."""

PATH = "$.data[?search(@, '(a+)+$')]"
WEBHOOK = f"""\
name: Bomb
event: anomaly
url: https://siem.example.com/bomb
response_validators:
  - json_path: "{PATH}"
    expected_values: [1]
  - type: regex
    pattern: ^\\["(a+)+$
  - type: json_schema
    schema: {{items: {{pattern: ^(a+)+$}}}}
"""
RESPONSE = b'["' + b"a" * 60_000 + b'!"]'
EXIT = 1
SAYS = ["nothing at this path", "the body has no match", "does not match"]
