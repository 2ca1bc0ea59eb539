"""Twilio's Messages API.

- "Messages resource" (twilio.com/docs): a form with To, From and Body; 201 with sid, status and error_code.
- "21617: The concatenated message body exceeds the 1600 character limit", "21602: Message body is required", "21211",
  "20003", "20429" (twilio.com/docs/api/errors): code, message, more_info and status.
- "API requests" (twilio.com/docs): Basic, with the account's SID and auth token.
"""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import parse_qs

from hookctl.testing.answers import Answer, ReceivedRequest

HOSTS = ("api.twilio.com",)
SID = "AC0123456789abcdef0123456789abcdef"
SECRETS = {"TWILIO_ACCOUNT_SID": SID, "TWILIO_AUTH_TOKEN": "0123456789abcdef"}
DEDUPLICATES = False


def error(status: int, code: int, message: str) -> Answer:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return Answer.json({"code": code, "message": message, "more_info": more, "status": status}, status)


def message(status: str = "queued", code: int | None = None, sid: str | None = "SM01") -> Answer:
    return Answer.json({"sid": sid, "status": status, "error_code": code, "error_message": None}, 201)


class Contract:
    """An account; ``records`` are its messages."""

    def __init__(self) -> None:
        self.records: list[Any] = []
        self.harm: list[str] = []

    def __call__(self, request: ReceivedRequest) -> Answer:
        given = base64.b64encode(f"{SID}:{SECRETS['TWILIO_AUTH_TOKEN']}".encode()).decode()
        if request.header("Authorization") != f"Basic {given}":
            return error(401, 20003, "Authenticate")
        if (request.method, request.target) != ("POST", f"/2010-04-01/Accounts/{SID}/Messages.json"):
            return error(404, 20404, "The requested resource was not found")
        if request.header("Content-Type") != "application/x-www-form-urlencoded":
            return error(400, 21604, "A 'To' phone number is required.")
        form = parse_qs(request.body.decode("ascii"), strict_parsing=True, encoding="utf-8", errors="strict")
        if any(len(values) != 1 for values in form.values()):
            return error(400, 20001, "A parameter is repeated")
        for name, code in (("To", 21211), ("From", 21212)):
            if not re.fullmatch(r"\+[1-9]\d{1,14}", form.get(name, [""])[0]):
                return error(400, code, f"Invalid '{name}' Phone Number")
        body = form.get("Body", [""])[0]
        if not body.strip():
            return error(400, 21602, "Message body is required.")
        if len(body.encode("utf-16-le")) // 2 > 1600:
            return error(400, 21617, "The concatenated message body exceeds the 1600 character limit")
        self.records.append(form)
        return message(sid=f"SM{len(self.records):032x}")


ERRORS = {
    "dead": [
        error(400, 21211, "Invalid 'To' Phone Number"),
        message("failed", 30007),
        message("queued", 30034),
        message(sid=None, status="failed"),
        Answer(200, headers=(("Content-Type", "text/html"),), body=b"<html></html>"),
        error(500, 20500, "Internal Server Error"),
    ],
    "held": [error(401, 20003, "Authenticate"), error(403, 20005, "Account not active")],
    "retrying": [error(429, 20429, "Too Many Requests"), error(503, 20503, "Service is unavailable")],
}
BROKEN = [("To", "0151 23"), ("From", None), ("Body", ""), ("Body", "x" * 1601), ("Body", "\N{BELL}" * 1601)]
