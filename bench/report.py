"""The tables, and what they were made on."""

import datetime
import os
import platform
import re
import subprocess
import sys
from importlib import metadata

import measure


class Report:
    """Collects tables; each is printed once it is complete."""

    def __init__(self, quick):
        self.load = measure.busy()
        self.parts = []
        self.quick = quick

    def table(self, title, head, rows, note=""):
        widths = [max(len(str(line[at])) for line in [head, *rows]) for at in range(len(head))]
        lines = ["| " + " | ".join(str(cell).ljust(width) for cell, width in zip(line, widths)) + " |" for line in [head, *rows]]
        lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
        text = f"## {title}\n\n" + "\n".join(lines) + (f"\n\n{note}" if note else "") + "\n"
        print("\n" + text, flush=True)
        self.parts.append(text)

    def write(self, path, programs, seconds):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([self.head(programs, seconds), *self.parts]), encoding="utf-8")
        print(f"written to {path}")

    def head(self, programs, seconds):
        kind = "a quick run: small sizes, one run each" if self.quick else "medians"
        return f"""# What tecnico costs, beside what else would do the work

Made by `scripts/bench` on {datetime.date.today().isoformat()} in {seconds / 60:.0f} minutes; {kind}. Same emulator, same machine, same run; every measurement begins with
a fresh emulator and counts only when the work is found done. "N×" is how often tecnico's time fits into the other's. The latency is added by the
emulator to every call. Load of the machine before the start: {self.load:.1f}; after the end: {measure.busy():.1f}.

- {machine()}
- {programs.versions()}
- Python {platform.python_version()}, google-api-python-client {metadata.version("google-api-python-client")}, {rclone()}
"""


def machine():
    """What a reader needs to compare with another machine."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine())
    with open("/proc/meminfo", encoding="ascii") as file:
        memory = int(file.readline().split()[1]) / 1024**2
    return f"{os.cpu_count()} cores of {model}, {memory:.0f} GB, Linux {re.match('[0-9.]+', platform.release())[0]}"


def rclone():
    return first_line(["rclone", "version"])


def first_line(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return f"no {command[0]}"


def seconds(value):
    """Three digits are what a reader compares."""
    if value >= 100:
        return f"{value:.0f} s"
    if value >= 1:
        return f"{value:.1f} s" if value >= 10 else f"{value:.2f} s"
    return f"{value * 1000:.0f} ms" if value >= 0.01 else f"{value * 1000:.1f} ms"


def ratio(other, ours):
    return f"{other / ours:.1f}×" if other / ours < 100 else f"{other / ours:.0f}×"


if __name__ == "__main__":
    print(machine(), file=sys.stderr)
