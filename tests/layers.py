#!/usr/bin/env python3
"""Holds every #include in lib/ and daemon/ to lib/LAYERS, and headers to their shape.

    layers.py [TOP]

Each violation is a line `file:line: what`; any makes the exit code 1. Before the tree, a small one
with every violation in it is checked, so that a check that sees nothing fails by itself.
"""

import pathlib
import re
import sys
import tempfile

INCLUDE = re.compile(r'\s*#\s*include\b\s*(?:"([^"]+)"|<([^>]+)>)?')
ROOM = re.compile(r"(\w+):((?: \w+)*) \|((?: \S+)*)$")

# The daemon speaks JSON on its socket and to systemd; all else outside has a room.
DAEMON_HEADERS = {"json-c/", "systemd/"}


class Layers:
    """lib/LAYERS: per room, in order, the rooms and the outside headers it may include."""

    def __init__(self, path, tell):
        self.rooms = {}
        self.headers = {}
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if not line or line.startswith("#"):
                continue
            row = ROOM.match(line.rstrip())
            if not row:
                tell(path, number, "is not `room: rooms | headers`")
                continue
            name, rooms, headers = row[1], row[2].split(), row[3].split()
            if name in self.rooms:
                tell(path, number, f"the room {name} stands twice")
            for room in rooms:
                if room not in self.rooms:
                    tell(path, number, f"{name} names {room}, which is no room above it")
            self.rooms[name] = set(rooms) | {name}
            self.headers[name] = set(headers)

    def owner_of(self, header):
        """The entry that makes an outside header belong to rooms, or None."""
        for owned in set().union(*self.headers.values()):
            if header == owned or (owned.endswith("/") and header.startswith(owned)):
                return owned
        return None


def check_includes(path, rooms, headers, layers, tell):
    """`rooms` is None for the daemon, which may include them all and its own."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        include = INCLUDE.match(line)
        if not include:
            continue
        ours, outside = include.groups()
        if ours:
            room, slash, _ = ours.partition("/")
            if not slash and rooms is not None:
                tell(path, number, f'"{ours}" names no room')
            elif slash and room not in layers.rooms and not (rooms is None and room == "daemon"):
                tell(path, number, f"there is no room {room}")
            elif slash and rooms is not None and room not in rooms:
                tell(path, number, f"may not include {room}")
        elif outside:
            owner = layers.owner_of(outside)
            if owner and owner not in headers:
                tell(path, number, f"may not include <{outside}>")
        else:
            tell(path, number, "an include that this check cannot read")


def check_header(path, tell):
    lines = path.read_text().splitlines()
    if not lines or not lines[0].startswith(f"/* {path.name} - "):
        tell(path, 1, f"does not begin with `/* {path.name} - `")
    if "#pragma once" not in lines:
        tell(path, 1, "has no #pragma once")


def sources(folder):
    return sorted(p for p in folder.rglob("*") if p.suffix in (".c", ".h"))


def check(top):
    found = []

    def tell(path, number, what):
        found.append(f"{path.relative_to(top)}:{number}: {what}")

    lib = top / "lib"
    layers = Layers(lib / "LAYERS", tell)
    for folder in sorted(p for p in lib.iterdir() if p.is_dir()):
        room = folder.name
        if room not in layers.rooms:
            tell(folder, 0, "is a room that lib/LAYERS does not name")
            continue
        for path in sources(folder):
            check_includes(path, layers.rooms[room], layers.headers[room], layers, tell)
            if path.suffix == ".h":
                check_header(path, tell)
    for room in layers.rooms:
        if not (lib / room).is_dir():
            tell(lib / "LAYERS", 0, f"the room {room} has no folder")
    for path in sources(top / "daemon"):
        check_includes(path, None, DAEMON_HEADERS, layers, tell)
    for path in sources(lib) + sources(top / "daemon"):
        if path.stem == "util":
            tell(path, 0, "a helper has a noun; there is no util")
    return found


FIXTURE = {
    "lib/LAYERS": "# rooms\nbase: | systemd/\nlow: base | sqlite3.h\nodd: base high | curl/\n"
    "high: base low |\nhigh: base |\nnonsense\ngone: base |\n",
    "lib/base/text.h": "/* text.h - text. */\n#pragma once\n#include <stddef.h>\n",
    "lib/base/text.c": '#include "base/text.h"\n#include <systemd/sd-journal.h>\n'
    '#include "low/low.h"\n#include <sqlite3.h>\n',
    "lib/base/util.c": "",
    "lib/low/low.h": "/* lower.h - wrong name. */\n",
    "lib/low/low.c": '/* #include "odd/odd.h" */\n#include <sqlite3.h>\n#include "base/text.h"\n'
    '#include "low.h"\n  #  include "nowhere/x.h"\n#include SOMETHING\n#include <curl/curl.h>\n',
    "lib/odd/inner/odd.c": '#include <curl/curl.h>\n#include <systemd/sd-daemon.h>\n',
    "lib/high/high.c": '#include "base/text.h"\n#include "low/low.h"\n',
    "lib/unlisted/x.c": "",
    "daemon/main.c": '#include "main.h"\n#include "daemon/x.h"\n#include "odd/odd.h"\n#include <json-c/json.h>\n'
    '#include <systemd/sd-daemon.h>\n#include <sqlite3.h>\n',
}
WANTED = """\
daemon/main.c:6: may not include <sqlite3.h>
lib/LAYERS:0: the room gone has no folder
lib/LAYERS:4: odd names high, which is no room above it
lib/LAYERS:6: the room high stands twice
lib/LAYERS:7: is not `room: rooms | headers`
lib/base/text.c:3: may not include low
lib/base/text.c:4: may not include <sqlite3.h>
lib/base/util.c:0: a helper has a noun; there is no util
lib/high/high.c:2: may not include low
lib/low/low.c:4: "low.h" names no room
lib/low/low.c:5: there is no room nowhere
lib/low/low.c:6: an include that this check cannot read
lib/low/low.c:7: may not include <curl/curl.h>
lib/low/low.h:1: does not begin with `/* low.h - `
lib/low/low.h:1: has no #pragma once
lib/odd/inner/odd.c:2: may not include <systemd/sd-daemon.h>
lib/unlisted:0: is a room that lib/LAYERS does not name
""".splitlines()


def check_itself():
    with tempfile.TemporaryDirectory() as name:
        for path, text in FIXTURE.items():
            file = pathlib.Path(name, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        found = sorted(check(pathlib.Path(name)))
    for line in sorted(set(found) ^ set(WANTED)):
        print("self-check:", "not told:" if line in WANTED else "wrongly told:", line)
    return found == WANTED


def main():
    top = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1]
    if not check_itself():
        return 1
    found = check(top)
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
