"""Whether the emulator stays as fast with a million files as with a thousand.

Fills a store at both sizes: files in folders of a hundred, each with its entry in a change log; half of them in a My Drive, half
in a shared drive. Then asks for one file, one folder's list, one page of changes and the like, and shows the medians and their
ratio.
"""

import contextlib
import http.client
import json
import pathlib
import shutil
import signal
import sqlite3
import statistics
import tempfile
import time
import urllib.parse

import measure
from measure import Failed
from report import seconds

IN_A_FOLDER = 100
# How often each is asked.
ASKED = 200
# A thousand times the files may cost a little: caches are colder, trees two levels deeper.
FLAT = 2.0
# Seconds until it listens.
START = 1.0

# What the emulator writes for a folder and for a file, as one statement for all of them.
FILL = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count)
INSERT INTO files(id, name, name_key, mime, parent, drive, owner, app, space, created, modified, size, md5, head, last_user)
SELECT printf(:id, i), printf(:name, i), lower(printf(:name, i)), :mime, iif(:folder = '', :root, printf(:folder, i / :each)),
  :drive, :owner, 'drive-emulator', 'drive', :now + i, :now + i, :size, :md5, iif(:size IS NULL, NULL, printf('0B%031d', i)), :who FROM n
"""


class Store:
    """An emulator over a filled directory."""

    def __init__(self, programs, files):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="scale-"))
        self.emulator, self.files = programs.emulator, files

    def __enter__(self):
        self.start()
        ana = self.control("users", email="ana@example.com")
        self.token, self.drive = ana["token"], self.control("drives", name="Field", organizer="ana@example.com")["id"]
        self.stop()
        began = time.monotonic()
        fill(self.dir / "drive.sqlite", self.files, ana, self.drive)
        print(f"{self.files:,} files filled in {time.monotonic() - began:.0f} s", flush=True)
        self.started = statistics.median(self.restart() for _ in range(5))
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def start(self):
        began = time.perf_counter()
        self.child, self.url = measure.spawn_line([self.emulator, "--data", self.dir])
        took = time.perf_counter() - began
        self.connection = http.client.HTTPConnection(urllib.parse.urlparse(self.url).netloc)
        return took

    def stop(self):
        self.connection.close()
        self.child.send_signal(signal.SIGINT)
        self.child.wait(20)

    def restart(self):
        if self.child.poll() is None:
            self.stop()
        return self.start()

    def control(self, path, **body):
        self.connection.request("POST", f"/_emulator/{path}", json.dumps(body))
        return json.load(self.connection.getresponse())

    def ask(self, path, method="GET", body=None, **query):
        """One call on the kept connection; seconds and the answer."""
        target = f"/drive/v3/{path}?{urllib.parse.urlencode(query)}"
        headers = {"Authorization": f"Bearer {self.token}"}
        began = time.perf_counter()
        self.connection.request(method, target, json.dumps(body) if body is not None else None, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        took = time.perf_counter() - began
        if answer.status != 200:
            raise Failed(f"{method} {target}: {answer.status} {text[:500]}")
        return took, json.loads(text)


def fill(path, files, ana, drive):
    """Half of the files in Ana's own drive, half in the shared one."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = OFF")
    now, half = 1_700_000_000_000, files // 2
    common = {"now": now, "who": "ana@example.com", "each": IN_A_FOLDER}
    folder = {"mime": "application/vnd.google-apps.folder", "size": None, "md5": None, "folder": "", "name": "Folder %d"}
    file = {"mime": "application/pdf", "size": 1000, "md5": "d41d8cd98f00b204e9800998ecf8427e", "name": "%d.pdf"}
    for mark, root, where in (("M", ana["root_id"], {"drive": None, "owner": "ana@example.com"}), ("S", drive, {"drive": drive, "owner": None})):
        folders = {**common, **folder, **where, "root": root, "id": f"1{mark}folder%026d", "count": max(half // IN_A_FOLDER, 1)}
        db.execute(FILL, folders)
        db.execute(FILL, {**common, **file, **where, "root": root, "id": f"1{mark}file%028d", "folder": folders["id"], "count": half})
    db.execute(
        "INSERT INTO perms(file, id, kind, role, email, granted) SELECT id, ?, 'user', 'owner', owner, created FROM files WHERE owner IS NOT NULL AND parent IS NOT NULL",
        [ana["permission_id"]],
    )
    logs = "SELECT iif(drive IS NULL, 'u:ana@example.com', 'd:' || drive), 'file', id, created, 0 FROM files WHERE parent IS NOT NULL ORDER BY rid"
    db.execute(f"INSERT INTO changes(log, kind, item, time, removed) {logs}")
    db.commit()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def questions(store):
    """What is asked: name → a function of a number, spread over everything."""
    half, folders = store.files // 2, max(store.files // 2 // IN_A_FOLDER, 1)
    shared = {"supportsAllDrives": "true", "includeItemsFromAllDrives": "true"}
    inside = {"corpora": "drive", "driveId": store.drive, **shared}
    small = "nextPageToken,files(id,name,mimeType,parents,md5Checksum,size)"
    page = "nextPageToken,newStartPageToken,changes(fileId,removed,file(id,name,parents))"

    def listed(mark, n, more):
        return store.ask("files", q=f"'1{mark}folder{n % folders:026d}' in parents and trashed = false", pageSize=1000, fields=small, **more)

    return {
        "files.get": lambda n: store.ask(f"files/1Mfile{n % half:028d}", fields="*"),
        "files.get, shared drive": lambda n: store.ask(f"files/1Sfile{n % half:028d}", fields="*", **shared),
        "a folder's list": lambda n: listed("M", n, {}),
        "a folder's list, shared drive": lambda n: listed("S", n, inside),
        "a name in a folder": lambda n: store.ask("files", q=f"name = '{n % half}.pdf' and '1Mfolder{n % half // IN_A_FOLDER:026d}' in parents", fields=small),
        "a name anywhere": lambda n: store.ask("files", q=f"name = '{n % half}.pdf'", fields=small, **shared),
        "the newest files": lambda n: store.ask("files", pageSize=100, fields=small),
        "a page of changes": lambda n: store.ask("changes", pageToken=n % half + 1, pageSize=100, fields=page),
        "a page of changes, shared drive": lambda n: store.ask("changes", pageToken=half + n % half, pageSize=100, fields=page, driveId=store.drive, **shared),
        "the newest changes": lambda n: store.ask("changes", pageToken=store.ask("changes/startPageToken")[1]["startPageToken"], fields=page),
        "files.create": lambda n: store.ask("files", "POST", {"name": f"new {n}", "parents": [f"1Mfolder{n % folders:026d}"]}, fields="id"),
        "files.update, a move": lambda n: store.ask(
            f"files/1Mfile{n % half:028d}", "PATCH", {}, addParents=f"1Mfolder{(n + 1) % folders:026d}", removeParents=f"1Mfolder{n % half // IN_A_FOLDER:026d}"
        ),
    }


def timed(stores):
    """Name → median seconds at each size. The sizes are asked in turn, so that a busy moment of the machine meets both."""
    asked = [questions(store) for store in stores]
    found = {}
    for name in asked[0]:
        took = [[] for _ in stores]
        for turn in range(ASKED):
            for store, ask, times in zip(stores, asked, took):
                # Far-apart places.
                times.append(ask[name](1 + turn * 7919 % (store.files // 2 - 1))[0])
        found[name] = [statistics.median(times) for times in took]
    return found


def scales(report, programs, size):
    """One table; what is not flat is named below it."""
    with contextlib.ExitStack() as stack:
        stores = [stack.enter_context(Store(programs, files)) for files in size.scale]
        found = {**timed(stores), "start": [store.started for store in stores]}
    rows = [[name, seconds(few), seconds(many), f"{many / few:.2f}"] for name, (few, many) in found.items()]
    steep = [name for name, (few, many) in found.items() if many > (START if name == "start" else FLAT * few)]
    note = "Half of the files in a My Drive, half in a shared drive, in folders of a hundred, each with an entry in a change log. "
    note += f"Not flat: {', '.join(steep)}." if steep else f"All flat: none takes {FLAT:.0f} times as long."
    report.table("The emulator with many files", ["asked", *(f"{files:,} files" for files in size.scale), "ratio"], rows, note)
