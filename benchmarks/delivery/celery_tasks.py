"""The task of the Celery way, and the program that asks for it.

Run by the Python of a virtual environment that has Celery, and not by hookctl's, which therefore knows no types of it.
"""

import os
import sys
import time
from pathlib import Path

import requests
from celery import Celery  # type: ignore[import-not-found, unused-ignore] # as above

URL, CA_FILE, BODY_FILE = (os.environ[f"BENCH_{name}"] for name in ("URL", "CA_FILE", "BODY_FILE"))
POST = requests.Session().post if os.environ["BENCH_KEEP"] == "yes" else requests.post

app = Celery(broker=os.environ["BENCH_BROKER"])
app.conf.task_acks_late = os.environ.get("BENCH_LATE") == "yes"


@app.task(name="deliver", ignore_result=True)  # type: ignore[untyped-decorator, unused-ignore] # as above
def deliver(delivery: str, body: str) -> None:
    headers = {"Content-Type": "application/json", "webhook-id": delivery}
    POST(URL, data=body.encode(), headers=headers, timeout=10, verify=CA_FILE).raise_for_status()


if __name__ == "__main__":
    prefix, count, rate = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    text = Path(BODY_FILE).read_text(encoding="utf-8")
    app.connection_for_write().ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()
    start = time.time()
    print(start, flush=True)
    for number in range(count):
        while rate and time.time() < start + number / rate:
            time.sleep(0.0005)
        deliver.delay(f"{prefix}{number}", text)
