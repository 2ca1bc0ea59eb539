"""A JSON Schema whose references double 16 times."""

from itertools import pairwise

NAMES = [f"d{number}" for number in range(17)]
DOUBLE = "        {0}: {{anyOf: [{{$ref: '#/$defs/{1}'}}, {{$ref: '#/$defs/{1}'}}]}}\n"
WEBHOOK = f"""\
name: Bomb
event: anomaly
url: https://siem.example.com/bomb
response_validators:
  - type: json_schema
    schema:
      $ref: "#/$defs/d0"
      $defs:
{"".join(DOUBLE.format(*pair) for pair in pairwise(NAMES))}        d16: {{type: string}}
"""
EXIT = 1
SAYS = ["expression-invalid", "alternatives multiply"]
