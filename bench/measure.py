"""Running programs and measuring what they cost: wall time, peak memory, medians."""

import dataclasses
import os
import statistics
import subprocess
import threading
import time


class Failed(Exception):
    """A program that did not do its work: a measurement of it would be worth nothing."""


def environment(**more):
    """What a child gets to know: no proxy, credential or setting of this machine reaches a measurement."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, **more}


def run(command, env=None, accept=(0,), timeout=900):
    """Seconds from start to end."""
    began = time.perf_counter()
    done = subprocess.run(command, env=env or environment(), stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout)
    seconds = time.perf_counter() - began
    if done.returncode not in accept:
        said = (done.stderr or done.stdout).decode("utf-8", "replace")[-2000:]
        raise Failed(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{said}")
    return seconds


def run_for(command, seconds, env=None):
    """Lets a program work for so long, then ends it. Seconds it really ran: less where it was done before."""
    began = time.perf_counter()
    child = subprocess.Popen(command, env=env or environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    return time.perf_counter() - began


def peak_memory(command, env=None, seconds=None):
    """The peak of resident memory in MB, as the kernel keeps it for the process.

    It is read while the process runs: what `wait4` tells of a child counts the memory of its parent before the exec.
    """
    child = subprocess.Popen(command, env=env or environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    until = time.monotonic() + (seconds or 900)
    while child.poll() is None and time.monotonic() < until:
        peak = max(peak, high_water(child.pid))
        time.sleep(0.002)
    if child.poll() is None:
        child.terminate()
        child.wait(30)
    elif child.returncode != 0 or seconds:
        raise Failed(f"{' '.join(map(str, command))} ended with {child.returncode}")
    return peak / 1024


def high_water(pid):
    """`VmHWM` in kB; 0 once the process is over."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            return next((int(line.split()[1]) for line in status if line.startswith("VmHWM")), 0)
    except (FileNotFoundError, ProcessLookupError):
        return 0


@dataclasses.dataclass
class Median:
    """The middle of several runs."""

    seconds: float
    runs: int
    calls: int = 0
    note: str = ""


def median(once, runs, budget):
    """The median of up to `runs` runs of `once`, which gives (seconds, Drive calls). Fewer, and an odd number of
    them, where they take longer than `budget` seconds."""
    took, calls = [], 0
    while len(took) < runs:
        seconds, calls = once()
        took.append(seconds)
        if sum(took) + (2 if len(took) % 2 else 1) * seconds > budget and len(took) % 2:
            break
    return Median(statistics.median(took), len(took), calls)


def busy():
    """How many processes wait for a core right now, beside ours."""
    with open("/proc/loadavg", encoding="ascii") as load:
        return float(load.read().split()[0])


def spawn_line(command, env=None):
    """Starts a server and waits for the line it says it is ready with; gives both."""
    child = subprocess.Popen(command, env=env or environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    watch = threading.Timer(60, child.kill)
    watch.start()
    line = child.stdout.readline().strip()
    watch.cancel()
    if not line:
        raise Failed(f"{' '.join(map(str, command))} did not start")
    return child, line
