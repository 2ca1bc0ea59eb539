"""A filter that multiplies its input, hundreds of times."""

FILTER = "{{ data | jmespath('" + "[@,@][]." * 40 + "[@,@][]" + "') | length }}"
TEMPLATE = "[" + ",".join([FILTER] * 100) + "]"
WEBHOOK = f"name: Bomb\nevent: anomaly\nurl: https://siem.example.com/bomb\nbody_template: |\n  {TEMPLATE}\n"
EXIT = 1
SAYS = ["template-filter"]
