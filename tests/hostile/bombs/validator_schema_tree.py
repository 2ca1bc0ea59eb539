"""A JSON Schema that is evaluated twice as often at each level of the response."""

WEBHOOK = """\
name: Bomb
event: anomaly
url: https://siem.example.com/bomb
response_validators:
  - type: json_schema
    schema:
      anyOf:
        - {properties: {a: {$ref: "#"}}, required: [b]}
        - {properties: {a: {$ref: "#"}}, required: [b]}
"""
RESPONSE = b'{"a":' * 60 + b"1" + b"}" * 60
EXIT = 1
SAYS = ["more than 500,000 steps"]
