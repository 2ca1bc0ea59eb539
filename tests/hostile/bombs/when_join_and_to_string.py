"""A long text between the items of a list, and the whole quoted again: 924 characters, and 1.6 GB without a budget."""

LONG = "long literal " * 66
WHEN = "to_string(to_string(join('" + LONG + "', keys(data.requester))))"
WEBHOOK = f'name: Bomb\nevent: anomaly\nurl: https://siem.example.com/bomb\nwhen: "{WHEN}"\n'
EVENT = {"requester": {"id": "1", "name": "n", "email": "e@example.com", **{f"k{n}": "" for n in range(30_000)}}}
RUN = ["apply --auto-approve", "send event.json --wait 0", "deliveries list --status dead --format json"]
EXIT = 0
SAYS = ["takes more than 1,000,000 steps"]
