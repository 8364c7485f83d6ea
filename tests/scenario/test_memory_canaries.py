"""What the memory of an idle daemon holds: no refresh token, no credential, no key; of an access token
two copies at most.

Its writable memory is dumped as a debugger sees it (gcore), which leaves out guarded pages. A process
that is not dumpable opens to root only, and without that these tests fail.
"""
import base64
import hashlib
import os
import pathlib
import re
import subprocess
import unittest
import urllib.parse

import rig
from test_connect import USER, WithBrowser

# A copy whose beginning was overwritten is a copy. So long an end of a secret is nothing else.
END = 20
# Signed by the daemon, and known to nobody else.
ASSERTION = rb"eyJhbGciOi[\w-]+\.eyJ[\w-]+\."


def run_as_root(*command):
    """What it said, or why it was not run."""
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    try:
        done = subprocess.run([*as_root, *command], stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=rig.PATIENCE_S)
    except FileNotFoundError as error:
        return str(error)
    return done.stdout


def dump(process):
    """The memory of the process."""
    with rig.folder() as place:
        core = pathlib.Path(place) / "core"
        said = run_as_root("gdb", "--batch", "-nx", "-iex", "set debuginfod enabled off",
                           "-iex", "set auto-load off", "-p", str(process.pid),
                           "-ex", f"gcore {core}", "-ex", f"shell chown {os.getuid()} {core}")
        if not core.exists():
            raise AssertionError("the daemon's memory cannot be dumped: that needs gdb, and root, "
                                 f"or sudo without a password:\n{said}")
        return core.read_bytes()


def copies(memory, secret):
    """How often it is there, however spelled."""
    ends = {spelling.rstrip(b"=")[-END:] for spelling in rig.spellings(secret)}
    return sum(memory.count(end) for end in ends)


def verifiers(memory, challenge):
    """What PKCE's challenge was made of, if it is there (RFC 7636): 43 characters of base64url."""
    runs = set(re.findall(rb"[\w-]{43,}", memory))
    guesses = {run[at:at + 43] for run in runs for at in range(len(run) - 42)}
    return [guess for guess in guesses
            if base64.urlsafe_b64encode(hashlib.sha256(guess).digest()).rstrip(b"=") == challenge]


def numbers_of(key):
    """The secret integers of a private RSA key file, by name."""
    text = subprocess.run(["openssl", "pkey", "-in", str(key), "-noout", "-text"], check=True,
                          capture_output=True, text=True).stdout
    return {name: bytes.fromhex(re.sub(r"[\s:]", "", digits)).lstrip(b"\0")
            for name, digits in re.findall(r"^(\w+):\n((?: +[0-9a-f:]+\n)+)", text, re.M)
            if name != "modulus"}


def needles_of(key):
    """Lines of a private RSA key's file, and both ends of each number, as in DER and as OpenSSL's
    words have it."""
    found = {f"line {number}": line.encode()
             for number, line in enumerate(key.read_text().splitlines()[1:-1]) if len(line) >= END}
    for name, number in numbers_of(key).items():
        for order, digits in (("DER", number), ("words", number[::-1])):
            found[f"{name} in {order}, begin"] = digits[:END]
            found[f"{name} in {order}, end"] = digits[-END:]
    return found


class MemoryCanaries(WithBrowser):
    def live(self):
        """First load, and sessions that die."""
        self.first_load()
        for _ in range(3):
            self.org.admin("sessions/expire", {})
            self.site.settle()

    def assert_forgotten(self):
        memory = dump(self.site.process)
        self.assertTrue(copies(memory, rig.CLIENT_ID.encode()))  # no secret, and found like one
        found = {name: copies(memory, secret) for name, secret in self.canaries().items()}
        access = {name: found.pop(name) for name in list(found) if name.startswith("tokens ")}
        print(f"copies of access tokens, the living one last: {list(access.values())}")
        self.assertGreater(len(access), 2)
        found["assertion"] = len(re.findall(ASSERTION, memory))
        self.assertEqual({name: count for name, count in found.items() if count}, {})
        self.assertEqual({name: count for name, count in access.items() if count > 2}, {})
        self.assert_no_leak()  # while it runs: /proc, state, store, logs
        return memory

    def test_web(self):
        self.bring_up_web_tls("--rotate")
        url = next(line["authorize_url"] for line in self.connect() if "authorize_url" in line)
        asked = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
        self.site.operate("secret", "set", "production", stdin=rig.CLIENT_SECRET)
        self.live()
        memory = self.assert_forgotten()
        self.assertEqual(copies(memory, asked["state"][0].encode()), 0)
        self.assertEqual(verifiers(memory, asked["code_challenge"][0].encode()), [])

    def test_client_credentials(self):
        self.bring_up_tls("flow = client_credentials\nclient_secret = vault\n")
        self.site.operate("secret", "set", "production", stdin=rig.CLIENT_SECRET)
        self.live()
        self.assert_forgotten()

    def test_jwt(self):
        key, certificate = rig.make_private_key(pathlib.Path(self.enterContext(rig.folder())))
        self.bring_up_tls(f"flow = jwt\nusername = {USER}\nprivate_key = vault\n", "--jwt-cert",
                          str(certificate), "--username", USER, secret=None)
        self.site.operate("secret", "set", "production", stdin=key.read_text())
        self.live()
        memory = self.assert_forgotten()
        needles = needles_of(key)
        self.assertGreater(len(needles), 4 * 6 + 20)  # six numbers, and some lines
        self.assertEqual([name for name, needle in needles.items() if needle in memory], [])


if __name__ == "__main__":
    unittest.main()
