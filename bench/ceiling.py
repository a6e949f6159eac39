"""(e) how near programs come to what Drive allows, and how many of their calls are refused."""

from contenders import ALL, Tecnico
from measure import run_for
from world import World

# Calls it takes to make a technician, in bulk.
CALLS_EACH = 6


def ceilings(report, programs, size):
    rows = []
    for label, quota, per_second, counted, length in (
        ("3 writes a second", {"writes_per_second": 3}, 3, writes, size.writes_for),
        ("12,000 calls a minute", {"calls_per_minute": 12_000}, 200, every, size.calls_for),
    ):
        if not length:
            continue
        for kind in ALL:
            contender = kind(programs)
            # A ceiling that takes minutes to be reached is only reached by who calls fast enough.
            lasting = length if kind is Tecnico or counted is writes else min(length, 60)
            rows.append([label, contender.name, *under(programs, contender, quota, per_second, counted, lasting)])
            print("  ", rows[-1], flush=True)
    note = "Making trees for a fixed time, at 25 ms. Accepted: calls of the counted kind, and which share of the ceiling that is. Refused: of all calls sent."
    report.table("Under a ceiling", ["ceiling", "program", "time", "accepted", "of the ceiling", "refused", "of the calls"], rows, note)


def writes(request):
    return request["op"] in ("files.create", "permissions.create", "files.update")


def every(request):
    return request["op"] != "token"


def under(programs, contender, quota, per_second, counted, lasting):
    # Nobody is done before the time is over.
    enough = int(1.5 * per_second * lasting / CALLS_EACH) + 20
    with World(programs) as world:
        command, env = contender.provision(world, enough)[0], contender.env(world)
        world.latency(25)
        world.control("PUT", "quota", **quota)
        world.forget()
        run_for(command, lasting, env)
        log = [request for request in world.control("GET", "requests?limit=100000") if request["op"] != "token"]
    refused = sum(1 for request in log if request.get("fault") == "quota")
    accepted = [request for request in log if counted(request) and request["status"] and request["status"] < 400]
    first, last = accepted[0]["time_ms"], accepted[-1]["time_ms"]
    # From the first accepted call: starting up and reading the list of people is no matter of pacing.
    took = max(lasting - (first - log[0]["time_ms"]) / 1000, (last - first) / 1000)
    share = len(accepted) / (took * per_second)
    return [f"{took:.0f} s", f"{len(accepted):,}", f"{share:.0%}", f"{refused:,}", f"{refused / len(log):.2%}"]
