"""(e) how near programs come to what Drive allows, and how many of their calls are refused."""

from contenders import ALL, Tecnico
from measure import run_for
from world import World

# Calls it takes to make a technician, in bulk.
CALLS_EACH = 6
WRITES = ("files.create", "permissions.create", "files.update")


def ceilings(report, programs, size):
    rows = []
    for label, quota, per_second, counted, warm, lasting in (
        ("3 writes in any second", {"writes_per_second": 3}, 3, writes, size.writes_warm, size.writes_for),
        ("12,000 calls in any minute", {"calls_per_minute": 12_000}, 200, every, size.calls_warm, size.calls_for),
    ):
        if not lasting:
            continue
        for name, kind, told in contenders_of(counted):
            # Who finds out what is allowed is watched for longest. The others' rate of calls does not change after the first moments.
            seconds = lasting if kind is Tecnico and not told else warm * 3 // 2 if counted is writes else warm // 2
            with World(programs, drive=told) as world:
                log = making_trees(world, kind(programs), quota, int(1.5 * per_second * seconds / CALLS_EACH) + 20, seconds)
            warmed = min(warm, seconds)
            rows.append([label, name, f"{warmed} s", *span(log, counted, per_second, 0, warmed), f"{seconds - warmed} s", *span(log, counted, per_second, warm, seconds)])
            print("  ", rows[-1], flush=True)
    head = ["ceiling", "program", "cold", "of it", "refused", "then", "of it", "refused"]
    note = "Making trees at 25 ms, from the first call that counts. Of it: accepted calls of the limited kind, as a share of what the time allowed. "
    note += "Refused: refusals for the rate, of all calls sent. tecnico knows Drive's published 12,000 calls a minute by default; of a limit on "
    note += "writes, which Drive does not publish, it knows nothing by default and finds it by being refused, or is told by `drive.writes_per_second`."
    report.table("Under a ceiling", head, rows, note)


def contenders_of(counted):
    """(name, who, a line of tecnico's config)"""
    told = [("tecnico, told so", Tecnico, "writes_per_second = 3")] if counted is writes else []
    return [*((kind.name, kind, "") for kind in ALL), *told]


def writes(request):
    return request["op"] in WRITES


def every(_request):
    return True


def making_trees(world, contender, quota, technicians, seconds):
    """What the emulator was asked within `seconds` by a program that would not be done by then."""
    command, env = contender.provision(world, technicians)[0], contender.env(world)
    world.latency(25)
    world.control("PUT", "quota", **quota)
    world.forget()
    run_for(command, seconds + 5, env)
    log = [request for request in world.control("GET", "requests?limit=100000") if request["op"] != "token"]
    # From the first call of the limited kind: starting up and reading the list of people is no matter of pacing.
    return [request for request in log if request["time_ms"] - log[0]["time_ms"] <= (seconds + 5) * 1000]


def span(log, counted, per_second, begin, end):
    """Which share of the ceiling was reached between two times, and which share of the calls was refused."""
    first = next(request["time_ms"] for request in log if counted(request))
    within = [request for request in log if begin * 1000 <= request["time_ms"] - first < end * 1000]
    if not within:
        return ["-", "-"]
    accepted = sum(1 for request in within if counted(request) and request["status"] and request["status"] < 400)
    refused = sum(1 for request in within if request.get("fault") == "quota")
    return [f"{accepted / ((end - begin) * per_second):.1%}", f"{refused / len(within):.2%}"]
