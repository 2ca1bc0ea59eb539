"""Text that is quoted again and again, each time twice as long."""

TEMPLATE = '{"a": "{{ data.description ' + "| tojson " * 100 + '| upper }}"}'
WEBHOOK = f"name: Bomb\nevent: anomaly\nurl: https://siem.example.com/bomb\nbody_template: |\n  {TEMPLATE}\n"
EXIT = 1
SAYS = ["returns more than 1048576 characters"]
