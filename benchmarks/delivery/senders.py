"""Loops that post one body again and again: what anyone would write first, and the fastest that Python can do.

Each runs as a process of its own.
Says ``ready`` once everything is imported, begins when it is told to, and then says when it began, in epoch seconds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

IN_FLIGHT = 100
TIMEOUT = 10


@dataclass(frozen=True)
class Task:
    url: str
    ca_file: str
    body: bytes
    ids: list[str]
    rate: float
    """How many a second; 0 is no limit."""

    def headers(self, number: int) -> dict[str, str]:
        return {"Content-Type": "application/json", "webhook-id": self.ids[number]}

    def due(self, start: float) -> int:
        """How many may have been sent by now."""
        return min(len(self.ids), 1 + int((time.time() - start) * self.rate)) if self.rate else len(self.ids)

    def paced(self, start: float) -> Iterator[int]:
        for number in range(len(self.ids)):
            while self.due(start) <= number:
                time.sleep(0.0005)
            yield number


def requests_post(task: Task) -> None:
    import requests

    for number in task.paced(begin()):
        requests.post(
            task.url, data=task.body, headers=task.headers(number), timeout=TIMEOUT, verify=task.ca_file
        ).raise_for_status()


def requests_session(task: Task) -> None:
    import requests

    start = begin()
    with requests.Session() as session:
        for number in task.paced(start):
            session.post(
                task.url, data=task.body, headers=task.headers(number), timeout=TIMEOUT, verify=task.ca_file
            ).raise_for_status()


def curl_multi(task: Task) -> None:
    import pycurl

    def easy() -> pycurl.Curl:
        handle = pycurl.Curl()
        handle.setopt(pycurl.URL, task.url)
        handle.setopt(pycurl.CAINFO, task.ca_file)
        handle.setopt(pycurl.POSTFIELDS, task.body)
        handle.setopt(pycurl.TIMEOUT, TIMEOUT)
        handle.setopt(pycurl.WRITEFUNCTION, len)  # what is answered is thrown away
        return handle

    multi = pycurl.CurlMulti()
    multi.setopt(pycurl.M_MAXCONNECTS, IN_FLIGHT)
    free = [easy() for _ in range(IN_FLIGHT)]
    start = begin()
    sent = done = 0
    while done < len(task.ids):
        may = task.due(start)
        while free and sent < may:
            handle = free.pop()
            handle.setopt(pycurl.HTTPHEADER, ["Content-Type: application/json", f"webhook-id: {task.ids[sent]}"])
            multi.add_handle(handle)
            sent += 1
        multi.perform()
        _, good, bad = multi.info_read(IN_FLIGHT)
        if bad:
            raise SystemExit(f"curl: {bad[0][2]}")
        for handle in good:
            multi.remove_handle(handle)
            if handle.getinfo(pycurl.RESPONSE_CODE) != 200:
                raise SystemExit(f"status {handle.getinfo(pycurl.RESPONSE_CODE)}")
            free.append(handle)
        done += len(good)
        if not good:
            multi.select(0.001)  # more may be due by then


LOOPS = {"requests.post": requests_post, "requests.Session": requests_session, "pycurl": curl_multi}


def begin() -> float:
    print("ready", flush=True)
    sys.stdin.readline()
    start = time.time()
    print(start, flush=True)
    return start


if __name__ == "__main__":
    loop, url, ca_file, body_file, prefix, count, rate = sys.argv[1:]
    LOOPS[loop](
        Task(
            url,
            ca_file,
            Path(body_file).read_bytes(),
            [f"{prefix}{number}" for number in range(int(count))],
            float(rate),
        )
    )
