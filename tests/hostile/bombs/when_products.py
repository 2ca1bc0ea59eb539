"""Each item of a list for each item of it, again and again."""

WHEN = "data.requester.*" + "[].[@,@,@]" * 18 + "[] | length(@) > `5`"
WEBHOOK = f'name: Bomb\nevent: anomaly\nurl: https://siem.example.com/bomb\nwhen: "{WHEN}"\n'
EVENT = {"requester": {"id": "1", "name": "n", "email": "e@example.com", **{f"k{n}": [n] for n in range(30_000)}}}
RUN = ["apply --auto-approve", "send event.json --wait 0", "deliveries list --status dead --format json"]
EXIT = 0
SAYS = ["takes more than 1,000,000 steps"]
