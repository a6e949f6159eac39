"""Channels: what arrives at the receiver, and what the feed tells after it."""

import queue
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

from client import drive, refused, same

arrived, kept = queue.Queue(), []


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        arrived.put((self.headers["X-Goog-Channel-ID"], self.headers["X-Goog-Resource-State"], dict(self.headers)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def told(channel, state):
    """Waits for a message and takes it; others are kept for later."""
    deadline = time.monotonic() + 60
    while True:
        for number, (name, found, headers) in enumerate(kept):
            if (name, found) == (channel, state):
                del kept[number]
                return {key.lower(): value for key, value in headers.items()}
        kept.append(arrived.get(timeout=max(0, deadline - time.monotonic())))


server = HTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}/push"
ana = drive()
token = ana.changes().getStartPageToken().execute()["startPageToken"]
file = ana.files().create(body={"name": "watched.txt"}).execute()["id"]
expires = str(int((time.time() + 600) * 1000))
body = {"id": "all", "type": "web_hook", "address": address, "token": "mine", "expiration": expires}
everything = ana.changes().watch(pageToken=token, body=body).execute()
same((everything["expiration"], everything["token"]), (expires, "mine"))
headers = told("all", "sync")
same((headers["x-goog-message-number"], headers["x-goog-channel-token"], headers["content-length"]), ("1", "mine", "0"))
same(headers["x-goog-resource-id"], everything["resourceId"])
one = ana.files().watch(fileId=file, body=dict(body, id="one")).execute()
told("one", "sync")
with refused(400, "channelIdNotUnique"):
    ana.files().watch(fileId=file, body=dict(body, id="one")).execute()

ana.files().update(fileId=file, body={"name": "renamed.txt"}).execute()
told("all", "change")
same("properties" in told("one", "update")["x-goog-changed"], True)
page = ana.changes().list(pageToken=token).execute()
same([change["file"]["name"] for change in page["changes"] if change["fileId"] == file], ["renamed.txt"])
ana.files().update(fileId=file, body={"trashed": True}).execute()
told("one", "trash")
ana.files().delete(fileId=file).execute()
told("one", "remove")
page = ana.changes().list(pageToken=page["newStartPageToken"]).execute()
same([(change["fileId"], change["removed"], "file" in change) for change in page["changes"]], [(file, True, False)])

for channel in (everything, one):
    ana.channels().stop(body={"id": channel["id"], "resourceId": channel["resourceId"]}).execute()
with refused(404, "notFound"):
    ana.channels().stop(body={"id": "all", "resourceId": everything["resourceId"]}).execute()
