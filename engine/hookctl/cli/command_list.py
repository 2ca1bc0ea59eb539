"""The commands, in a module of its own: listing them must not import them."""

COMMANDS = {
    "init": "Create a first webhooks.d/, hookctl.toml and CI workflow.",
    "validate": "Check the webhook files and policies, offline.",
    "plan": "Show what `hookctl apply` would change.",
    "apply": "Apply the webhook files.",
    "destroy": "Remove every applied webhook.",
    "unlock": "Release the lock that a killed apply left behind.",
    "test": "Send a mock event and report how the target answers.",
    "list": "List the webhooks.",
    "show": "Show every field of one webhook.",
    "schema": "Show the fields of a webhook file or of an event type.",
    "render": "Print the request that would be sent for an event.",
    "send": "Deliver events from a file or standard input.",
    "run": "Deliver continuously, until stopped.",
    "serve": "Take in events over HTTP, deliver them, and show both.",
    "tokens": "Create, list and revoke the tokens of `hookctl serve`.",
    "events": "List and show the events that were accepted.",
    "deliveries": "List, show, replay, cancel and resume.",
    "backfill": "Make the deliveries that a webhook missed.",
    "log": "Show who applied what, and who changed deliveries.",
    "listen": "Run a local HTTPS receiver that shows what it gets.",
    "plugins": "List the plugins and their settings.",
    "doctor": "Check this installation, its store and its secrets.",
    "explain": "Explain a rule, or show a page of the documentation.",
}
"""Each command's one line of help; its code is in ``hookctl.cli.commands``, in the module of that name."""
