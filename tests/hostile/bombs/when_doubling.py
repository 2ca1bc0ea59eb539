"""A result that doubles with each step, compared with another of its kind."""

WHEN = "data" + "|[@,@]" * 50 + "|[0] == [1]"
WEBHOOK = f'name: Bomb\nevent: anomaly\nurl: https://siem.example.com/bomb\nwhen: "{WHEN}"\n'
EVENT = {"severity": "High"}
RUN = ["apply --auto-approve", "send event.json --wait 0", "deliveries list --status dead --format json"]
EXIT = 0
SAYS = ["takes more than 1,000,000 steps"]
