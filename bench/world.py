"""A small world for one measurement: a fresh emulator, a service account, a VM directory, and the technicians."""

import csv
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request

import measure

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROXY = ROOT / "crates/drive-emulator/tests/clients/rclone/proxy.py"
# 32 bytes nobody uses for anything else.
FERNET_KEY = "YmVuY2htYXJrIGtleSB0aGF0IHByb3RlY3RzIG5vIG8="
CONFIG = """
[vm]
base_dir = "vm"
[drive]
parent_folder_id = "{parent}"
credentials = "key.json"
endpoint = "{url}/"
{drive}
[secrets]
key_file = "segredo.key"
[ledger]
path = "ledger.db"
[watch]
# The peers take a file at once.
settle = "0s"
"""


class World:
    """`with World(programs) as world:` everything is gone at the end."""

    def __init__(self, programs, drive=""):
        """`drive`: a line for that section of tecnico's config."""
        self.programs, self.drive = programs, drive
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="bench-"))
        self.children = []

    def __enter__(self):
        self.emulator, self.url = measure.spawn_line([self.programs.emulator, "--data", self.dir / "drive"])
        self.children.append(self.emulator)
        try:
            self.furnish()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for child in reversed(self.children):
            child.send_signal(signal.SIGINT if child is self.emulator else signal.SIGTERM)
        for child in self.children:
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
        shutil.rmtree(self.dir, ignore_errors=True)

    def furnish(self):
        """A robot that may write below a folder of the admin's."""
        key = self.control("POST", "service_accounts", name="robot")
        self.control("POST", "users", email="admin@example.com")
        self.parent = self.control("POST", "acts/mkdir", email="admin@example.com", name="Tecnicos")["id"]
        self.control("POST", "acts/share", email="admin@example.com", id=self.parent, role="writer", **{"with": key["client_email"]})
        self.secret("key.json", json.dumps(key))
        self.secret("segredo.key", FERNET_KEY)
        (self.dir / "config.toml").write_text(CONFIG.format(parent=self.parent, url=self.url, drive=self.drive))
        (self.dir / "vm").mkdir()

    def secret(self, name, text):
        path = self.dir / name
        path.touch(0o600)
        path.write_text(text)

    def control(self, method, path, **body):
        """A call of the emulator's control API."""
        data = json.dumps(body).encode() if body or method in ("POST", "PUT", "PATCH") else None
        request = urllib.request.Request(f"{self.url}/_emulator/{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=600) as answer:
            return json.load(answer)

    def latency(self, ms):
        self.control("PUT", "latency", ms=ms)

    def forget(self):
        """Counts anew."""
        self.control("DELETE", "requests")

    def calls(self):
        """Drive calls since [`forget`]."""
        return self.control("GET", "counts")["calls"]

    def people(self, count):
        """A CSV file of so many technicians."""
        path = self.dir / f"people-{count}.csv"
        with open(path, "w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["user", "email", "name"])
            rows.writerows([n, f"tech{n}@example.com", f"Tecnico {n}"] for n in range(1, count + 1))
        return path

    def tree(self):
        """The folders of the first technician on Drive: path → id."""
        found, open_folders = {}, [("", self.parent)]
        while open_folders:
            path, folder = open_folders.pop()
            for child in self.control("GET", f"children/{folder}"):
                below = f"{path}/{child['name']}".lstrip("/")
                if child["mimeType"].endswith(".folder"):
                    found[below] = child["id"]
                    open_folders.append((below, child["id"]))
        return found

    def proxy(self):
        """The TLS proxy rclone needs, since it cannot be told another address; its environment."""
        if not hasattr(self, "proxied"):
            child, port = measure.spawn_line([sys.executable, PROXY, self.url.rsplit(":", 1)[1], self.dir])
            self.children.append(child)
            self.proxied = {"HTTPS_PROXY": f"http://127.0.0.1:{port}", "NO_PROXY": "127.0.0.1"}
        return self.proxied
