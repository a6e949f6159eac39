"""A backend in miniature: takes tecnico's callbacks, refuses what is not signed, takes each event once.

    python3 receiver.py KEY_FILE [PORT]

Standard library only. Copy `verify`; the rest shows where it goes.
"""

import base64
import hashlib
import hmac
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOLERANCE = 5 * 60  # seconds a delivery may be old; both clocks have to be right
LARGEST = 1024 * 1024


def read_keys(path):
    """The keys of a file with one `whsec_…` a line. Several are in force while they are changed."""
    lines = (line.strip() for line in open(path, encoding="ascii"))
    return [base64.b64decode(line.removeprefix("whsec_")) for line in lines if line.startswith("whsec_")]


def verify(keys, headers, body):
    """The event's id, where the signature is good; otherwise None. `body` is the bytes as they came."""
    event_id, sent_at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not sent_at.isascii() or not sent_at.isdigit() or abs(time.time() - int(sent_at)) > TOLERANCE:
        return None
    signed = f"{event_id}.{sent_at}.".encode() + body
    wanted = [b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in keys]
    # One signature for each key tecnico knows.
    given = [signature.encode() for signature in headers.get("webhook-signature", "").split(" ")]
    good = any(hmac.compare_digest(g, w) for g in given for w in wanted)
    return event_id if good else None


class Receiver(BaseHTTPRequestHandler):
    keys = []
    taken = set()  # in a real backend: a table with the event's id as its key
    taking = threading.Lock()

    def do_POST(self):
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length) if length <= LARGEST else b""
        event_id = verify(self.keys, self.headers, body)
        if event_id is None:
            return self.answer(401)
        # Several arrive at once, each in a thread of its own: one after the other, so that none is taken twice.
        with self.taking:
            if event_id not in self.taken:
                event = json.loads(body)
                told = (self.path, event["user_id"], event["job_id"], event["status"], event["result"]["message"])
                # Names in it are a technician's own words: `repr` writes line ends and escape sequences out.
                print(event_id, *map(repr, told), flush=True)
                self.taken.add(event_id)
        # Answered 2xx again, or tecnico would send it again.
        self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    if len(sys.argv) == 2:
        sys.argv.append("8000")
    if len(sys.argv) != 3 or not sys.argv[2].isdecimal():
        sys.exit("usage: python3 receiver.py KEY_FILE [PORT]")
    path, port = sys.argv[1:]
    try:
        Receiver.keys = read_keys(path)
    except (OSError, ValueError) as fault:
        sys.exit(f"{path}: {fault}")
    if not Receiver.keys:
        sys.exit(f"no key in {path}: a line of it begins with whsec_")
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), Receiver)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
