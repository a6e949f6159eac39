"""(c) what a look costs when nothing happened, and (d) how fast programs start and how much memory they take."""

import time

import measure
from contenders import ALL, Script, Tecnico
from measure import Median, Failed, median, run
from report import ratio, seconds
from work import prepare_files
from world import World

# Beyond so many technicians the script's time is that of fewer, times as many: it makes one call for each.
LONGEST_SWEEP = 1000


def sweeps(report, programs, size):
    """(c), and the memory of an agent that stays."""
    rows, at_one, memory = [], {}, None
    for count in size.technicians:
        # Making many is no part of this: as fast as the emulator allows.
        with World(programs, drive="calls_per_minute = 0") as world:
            furnish(world, programs, count)
            for latency in size.latencies:
                world.latency(latency)
                ours = look(world, Tecnico(programs), size)
                peer = look(world, Script(programs), size) if count <= LONGEST_SWEEP else reckoned(script_at, count, latency)
                script_at = {**(script_at if count > size.technicians[0] else {}), latency: (count, peer)} if count <= LONGEST_SWEEP else script_at
                at_one.setdefault(latency, ours.seconds)
                script = seconds(peer.seconds) + peer.note
                flat = f"{ours.seconds / at_one[latency]:.2f}"
                rows.append([f"{count:,}", f"{latency} ms", seconds(ours.seconds), ours.calls, flat, script, f"{peer.calls:,}", ratio(peer.seconds, ours.seconds)])
            world.latency(0)
            memory = follow(world, programs, count, size)
    head = ["technicians", "latency", "tecnico", "calls", f"times {size.technicians[0]}", "script", "calls", "script"]
    note = f"`tecnico watch` against a listing of each `novos`. ~: reckoned from {LONGEST_SWEEP:,}, one call a technician."
    report.table("An idle look", head, rows, note)
    return memory


def furnish(world, programs, count):
    """Technicians, each listed once, so that the feed is all there is to read."""
    tecnico = Tecnico(programs)
    many = ["--parallel", "64"] if count > 1 else []
    took = run([*tecnico.provision(world, count)[0], *many], timeout=1800)
    print(f"  {count:,} technicians made in {took:.0f} s", flush=True)
    run(tecnico.sweep(world)[0])
    run(tecnico.sweep(world)[0])


def look(world, contender, size):
    command, env = contender.sweep(world)[0], contender.env(world)

    def once():
        world.forget()
        return run(command, env), world.calls()

    return median(once, size.runs, size.budget)


def reckoned(script_at, count, latency):
    measured, peer = script_at[latency]
    times = count / measured
    return Median(peer.seconds * times, 0, round(peer.calls * times), " ~")


def follow(world, programs, count, size):
    """The peak of `watch --follow` over some cycles; (technicians, MB)."""
    command = Tecnico(programs).command(world, "watch", "--follow", "--interval", "1s")
    world.forget()
    peak = measure.peak_memory(command, seconds=size.follow)
    if world.calls() < size.follow / 2:
        raise Failed(f"the agent made {world.calls()} calls in {size.follow} s: it did not look every second")
    return count, peak


def footprint(report, programs, size, agent):
    """(d)"""
    rows = []
    for kind in ALL:
        contender = kind(programs)
        start = median(lambda: (run(contender.version()), 0), size.starts, 60)
        with World(programs) as world:
            prepare_files(world, contender, size.files)
            time.sleep(0.1)
            peak = max(measure.peak_memory(command, contender.env(world)) for command in contender.files(world))
        rows.append([contender.name, seconds(start.seconds), f"{peak:.0f} MB"])
    notes = "Start: `--version` (the script: `--help`)."
    if agent:
        notes += f" `tecnico watch --follow` with {agent[0]:,} technicians, looking every second: {agent[1]:.1f} MB at its peak."
    report.table("Start and memory", ["program", "start", f"peak memory, {size.files} files"], rows, notes)
