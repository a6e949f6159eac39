"""The whole measurement; `scripts/bench` builds what it needs and calls it.

    run.py [--quick] [--only trees,files,idle,memory,ceilings,scale] [--programs DIR]
"""

import argparse
import dataclasses
import pathlib
import time

import ceiling
import idle
import report
import scale
import work
from world import ROOT

PARTS = ("trees", "files", "idle", "memory", "ceilings", "scale")


@dataclasses.dataclass(frozen=True)
class Size:
    """How much is measured, and how often."""

    latencies: tuple = (0, 25, 80)
    # Each cell is run this often, or until it has taken about `budget` seconds.
    runs: int = 5
    budget: float = 45
    people: tuple = (1, 100)
    files: int = 200
    technicians: tuple = (1, 100, 1000, 10_000)
    starts: int = 21
    # Seconds.
    follow: int = 20
    writes_warm: int = 60
    writes_for: int = 180
    calls_warm: int = 60
    calls_for: int = 180
    # Files in the emulator.
    scale: tuple = (1000, 1_000_000)


QUICK = Size(latencies=(0, 80), runs=1, people=(1, 10), files=20, technicians=(1, 100), starts=7, follow=5, writes_warm=10, writes_for=20, calls_for=0, scale=(1000, 20_000))


class Programs:
    """What is measured, as built."""

    def __init__(self, directory):
        self.tecnico, self.emulator = directory / "tecnico", directory / "drive-emulator"

    def versions(self):
        return ", ".join(report.first_line([str(program), "--version"]) for program in (self.tecnico, self.emulator))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="small sizes, one run each: is it all there, in a minute or two")
    parser.add_argument("--only", default=",".join(PARTS), help="some of " + ",".join(PARTS))
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="where tecnico and drive-emulator were built")
    args = parser.parse_args()
    wanted = args.only.split(",")
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"there is no {', '.join(unknown)}")
    size, programs, began = (QUICK if args.quick else Size()), Programs(args.programs.resolve()), time.monotonic()
    told, agent = report.Report(args.quick), None
    if "trees" in wanted:
        work.trees(told, programs, size)
    if "files" in wanted:
        work.files(told, programs, size)
    if "idle" in wanted:
        agent = idle.sweeps(told, programs, size)
    if "memory" in wanted:
        idle.footprint(told, programs, size, agent)
    if "ceilings" in wanted:
        ceiling.ceilings(told, programs, size)
    if "scale" in wanted:
        scale.scales(told, programs, size)
    # Only a whole run is worth keeping in the repository.
    whole = not args.quick and set(wanted) == set(PARTS)
    told.write(ROOT / ("bench/RESULTS.md" if whole else "target/bench/RESULTS.md"), programs, time.monotonic() - began)


if __name__ == "__main__":
    main()
