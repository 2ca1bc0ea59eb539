"""The commands, in a module of its own: listing them must not import them."""

COMMANDS = {
    "init": "Write a first webhooks.d/, hookctl.toml and CI workflow.",
    "validate": "Check the webhook files; needs no network, secrets or state.",
    "plan": "Show what an apply would change.",
    "apply": "Make the applied webhooks what the files say.",
    "unlock": "Break the lock that a killed apply has left behind.",
    "test": "Send a mock event: Test successful, or Test failed and why.",
    "list": "Show the webhooks in a table.",
    "show": "Show one webhook whole.",
    "schema": "Show the fields of a webhook file or of an event type.",
    "render": "Print the request that would be sent for an event.",
    "send": "Deliver events from a file or standard input.",
    "run": "Deliver what is queued, until stopped.",
    "deliveries": "List, show, replay and cancel deliveries.",
    "listen": "Run a local HTTPS receiver that shows what arrives.",
    "plugins": "Show the plugins that are loaded.",
    "doctor": "Say what is wrong here, and what might be.",
    "explain": "Explain a rule that a finding names.",
}
"""Each command's one line of help; its code is in ``hookctl.cli.commands``, in the module of that name."""
