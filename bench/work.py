"""(a) trees and (b) files: the same work by everybody, at several latencies."""

from contenders import ALL, Rclone, Tecnico
from measure import Failed, median, run
from report import ratio, seconds
from world import World

FILE = "work order\n" * 2000  # 22 kB, a page or two


def compare(report, title, programs, latencies, cells, note):
    """One row a size and latency. `cells` is [(label, once)]: once(contender, latency) → (seconds, calls)."""
    rows = []
    for label, once, runs, budget in cells:
        for latency in latencies:
            found = {}
            for kind in ALL:
                contender = kind(programs)
                found[contender.name] = median(lambda: once(contender, latency), runs, budget)
                print(f"  {title}, {label}, {latency} ms: {contender.name} {seconds(found[contender.name].seconds)}", flush=True)
            rows.append([label, f"{latency} ms", *row(found)])
    head = ["work", "latency", "tecnico", "calls", "script", "calls", "rclone", "calls", "script", "rclone", "runs"]
    report.table(title, head, rows, note)


def row(found):
    ours, script, rclone = (found[name] for name in ("tecnico", "script", "rclone"))
    cells = []
    for one in (ours, script, rclone):
        cells += [seconds(one.seconds), one.calls]
    runs = "/".join(str(one.runs) for one in (ours, script, rclone))
    return [*cells, ratio(script.seconds, ours.seconds), ratio(rclone.seconds, ours.seconds), runs]


def trees(report, programs, size):
    """(a)"""

    def once(count):
        def measured(contender, latency):
            with World(programs) as world:
                commands, env = contender.provision(world, count), contender.env(world)
                world.latency(latency)
                world.forget()
                took = sum(run(command, env) for command in commands)
                calls = world.calls()
                world.latency(0)
                counts = world.control("GET", "counts")["by_op"]
                shares = 0 if isinstance(contender, Rclone) else count
                if counts.get("files.create", 0) != 5 * count or counts.get("permissions.create", 0) != shares:
                    raise Failed(f"{contender.name} did other work for {count} technicians: {counts}")
                return took, calls

        return measured

    cells = [(f"{count} technicians" if count > 1 else "1 technician", once(count), size.runs, size.budget) for count in size.people]
    note = "Five folders each on Drive and the VM, `novos` shared (rclone knows no sharing: it makes the folders only)."
    compare(report, "Trees", programs, size.latencies, cells, note)


def files(report, programs, size):
    """(b)"""

    def once(contender, latency):
        with World(programs) as world:
            prepare_files(world, contender, size.files)
            commands, env = contender.files(world), contender.env(world)
            world.latency(latency)
            world.forget()
            took = sum(run(command, env) for command in commands)
            calls = world.calls()
            world.latency(0)
            check_files(world, contender, size.files)
            return took, calls

    cells = [(f"{size.files} files", once, size.runs, size.budget)]
    note = "22 kB each, from `novos` to the VM and, on Drive, to `processados`. The times are those of whole runs, from the start of the program on."
    compare(report, "Files", programs, size.latencies, cells, note)


def prepare_files(world, contender, count):
    """One technician, whose novos has this many files."""
    tecnico = Tecnico(world.programs)
    run(tecnico.provision(world, 1)[0])
    contender.before_files(world)
    world.novos, world.done = (world.tree()[f"Tecnico_1/pdfs/{name}"] for name in ("novos", "processados"))
    for n in range(count):
        world.control("POST", "acts/put", email="admin@example.com", parent=world.novos, name=f"{16500000 + n}.pdf", content=FILE, mime="application/pdf")


def check_files(world, contender, count):
    local = list((world.dir / "vm/Tecnico_1/pdfs/processados").glob("*.pdf"))
    left, done = (len(world.control("GET", f"children/{folder}")) for folder in (world.novos, world.done))
    if (left, done, len(local)) != (0, count, count) or any(path.stat().st_size != len(FILE) for path in local):
        raise Failed(f"{contender.name} left {left} files in novos, {done} in processados, {len(local)} on the VM; {count} there were")
