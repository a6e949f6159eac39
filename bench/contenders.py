"""Who is measured, and the commands with which each does the same work."""

import pathlib
import shutil
import sys

import measure

HERE = pathlib.Path(__file__).resolve().parent
RCLONE = """[drive]
type = drive
scope = drive
service_account_file = {key}
root_folder_id = {parent}
"""


class Tecnico:
    """The program this repository is about."""

    name = "tecnico"

    def __init__(self, programs):
        self.program = programs.tecnico

    def env(self, _world):
        return measure.environment()

    def command(self, world, *words):
        return [self.program, "--config", world.dir / "config.toml", "--quiet", *words]

    def provision(self, world, count):
        if count == 1:
            return [self.command(world, "create", "1", "--email", "tech1@example.com", "--name", "Tecnico 1")]
        return [self.command(world, "create", "--from", world.people(count))]

    def before_files(self, world):
        """The first cycle lists everything; the measured one is told by the feed."""
        measure.run(self.sweep(world)[0])

    def files(self, world):
        return [self.command(world, "watch")]

    def sweep(self, world):
        return [self.command(world, "watch")]

    def version(self):
        return [self.program, "--version"]


class Script:
    """A plain script on Google's Python client."""

    name = "script"

    def __init__(self, _programs):
        pass

    def env(self, _world):
        return measure.environment()

    def command(self, world, *words):
        options = ["--url", world.url, "--key", world.dir / "key.json", "--parent", world.parent, "--vm", world.dir / "vm"]
        return [sys.executable, HERE / "peers/script.py", *options, *words]

    def provision(self, world, count):
        return [self.command(world, "provision", world.people(count))]

    def before_files(self, world):
        pass

    def files(self, world):
        return [self.command(world, "process")]

    def sweep(self, world):
        return [self.command(world, "sweep")]

    def version(self):
        return [sys.executable, HERE / "peers/script.py", "--help"]


class Rclone:
    """rclone, which knows no sharing; at its own defaults."""

    name = "rclone"

    def __init__(self, _programs):
        self.program = shutil.which("rclone")
        if not self.program:
            raise measure.Failed("rclone is not installed (Debian: apt-get install rclone)")

    def env(self, world):
        return measure.environment(HOME=str(world.dir), **world.proxy())

    def command(self, world, *words):
        config = world.dir / "rclone.conf"
        config.write_text(RCLONE.format(key=world.dir / "key.json", parent=world.parent))
        config.chmod(0o600)
        return [self.program, "--config", config, "--ca-cert", world.dir / "ca.pem", *words]

    def provision(self, world, count):
        """One folder: `mkdir`. Many: their empty trees made here and copied, which is one run instead of hundreds."""
        leaves = [f"Tecnico_{n}/pdfs/{leaf}" for n in range(1, count + 1) for leaf in ("novos", "processados", "erro")]
        if count == 1:
            return [self.command(world, "mkdir", f"drive:{leaf}") for leaf in leaves]
        for leaf in leaves:
            (world.dir / "empty" / leaf).mkdir(parents=True)
        return [self.command(world, "copy", "--create-empty-src-dirs", world.dir / "empty", "drive:")]

    def before_files(self, world):
        pass

    def files(self, world):
        """Down to the VM, then moved on Drive by Drive."""
        pdfs, local = "drive:Tecnico_1/pdfs", world.dir / "vm/Tecnico_1/pdfs/processados"
        return [
            self.command(world, "copy", f"{pdfs}/novos", local),
            self.command(world, "moveto", f"{pdfs}/novos", f"{pdfs}/processados"),
        ]

    def version(self):
        return [self.program, "version"]


ALL = (Tecnico, Script, Rclone)
