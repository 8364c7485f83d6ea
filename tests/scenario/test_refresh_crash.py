"""The daemon ends at any call of a refresh, by kill -9 or by SIGTERM: the next start goes on.

One window has no way out: the refresh was granted with a new refresh token, and the daemon was killed
before that was stored. Then, and only then, a person must log in again. LEADSYNC_STEPS=all walks
every step (the long tests); otherwise it is every sixth.
"""
import itertools
import os
import pathlib
import shutil
import signal
import subprocess
import unittest

import rig
from test_connect import WithBrowser

# The window is seven calls wide: a stride of six does not step over it.
STRIDE = 1 if os.environ.get("LEADSYNC_STEPS") == "all" else 6

NEVER = 1_000_000

# As process.c would have it: with these it need not execute itself anew, without our library.
TUNABLES = "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0"


class Cut:
    """The folder by which a test and the preloaded cut.c talk."""

    def __init__(self, folder):
        self._plan, self._trace = folder / "plan", folder / "trace"
        self.environment = {"LD_PRELOAD": str(rig.BUILD / "tests/scenario/cut.so"),
                            "LEADSYNC_CUT": str(folder), "GLIBC_TUNABLES": TUNABLES}

    def arm(self, number, when, kind):
        draft = self._plan.with_name("draft")
        draft.write_text(f"{number} {when} {int(kind)}")
        draft.rename(self._plan)

    def calls(self):
        """Those that were counted since."""
        return self._trace.read_text().splitlines()

    def disarm(self):
        self._plan.unlink()
        self._trace.unlink()


class RefreshCrash(WithBrowser):
    def bring_up_cut(self, *options):
        self.cut = Cut(pathlib.Path(self.enterContext(rig.folder())))
        self.bring_up_web(*options, contacts=3, leads=1)
        self.connect()
        self.first_load()
        self.site.stop()
        self.lost = 0  # grants, each replaced by a login

    def generation(self):
        """What is committed, seen without touching what a killed daemon left."""
        with rig.folder() as copy:
            for file in self.site.state.glob("state.db*"):
                shutil.copy(file, copy)
            return rig.sqlite(f"{copy}/state.db", "SELECT generation FROM token")[0][0]

    def granted(self):
        return sum(request["outcome"] == "ok" for request in self.token_requests("refresh_token"))

    def end_at(self, number, when, kind):
        """A life with one refresh in it, ended at that call or, if it never comes, afterwards. The
        calls, and whether a refresh token was given out that nobody has."""
        granted, generation = self.granted(), self.generation()
        self.site.start(environment=self.cut.environment)
        self.org.admin("sessions/expire", {})
        self.cut.arm(number, when, kind)
        self.site.operate("run", "contacts", check=False)  # ends with the daemon
        calls = self.cut.calls()
        if kind == signal.SIGTERM and len(calls) >= number:
            self.assertEqual(self.site.wait(), 0, self.site.tail())
        else:
            self.assertEqual(self.site.kill(), -signal.SIGKILL)
        self.cut.disarm()
        is_lost = (self.org.admin("oauth")["rotate"] and self.granted() > granted
                   and self.generation() == generation)
        return calls, is_lost

    def assert_goes_on(self):
        self.site.start()
        self.site.run("contacts")
        self.assertEqual(self.account()["state"], "fresh")
        self.assert_grants()
        self.site.stop()
        self.assertEqual((self.site.state / "marks").read_text(),
                         f"production {self.generation()}\n")

    def assert_grants(self):
        """The account's lives and was never misused; those lost were, once at most."""
        *lost, living = self.grants()
        self.assertEqual(len(lost), self.lost)
        self.assertEqual((living["alive"], living["reuse"]), (True, 0))
        self.assertEqual([grant for grant in lost if grant["reuse"] > 1], [])

    def assert_says_that_it_is_lost(self):
        for _ in range(2):  # another start does not make it better, nor worse
            self.site.start()
            done = self.site.operate("run", "contacts", check=False)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, "answer .*lost|no answer came")
            self.assertIn("leadsync connect production", done.stderr)
            self.assertEqual(self.account()["state"], "needs-login")
            self.assertLessEqual(self.grants()[-1]["reuse"], 1)
            self.site.kill()
        self.lost += 1
        self.site.start()
        self.connect()
        self.site.stop()

    def try_end(self, number, when, kind):
        """Whether the call came."""
        calls, is_lost = self.end_at(number, when, kind)
        if is_lost:
            self.assert_says_that_it_is_lost()
        self.assert_goes_on()
        return len(calls) >= number

    def walk(self, kind):
        """To the first refresh that passes untouched; how many were lost."""
        ends, lost_before = 0, self.lost
        for when in ("before", "after"):
            for number in itertools.count(1, STRIDE):
                try:
                    if not self.try_end(number, when, kind):
                        break
                except AssertionError as error:
                    raise AssertionError(f"{kind.name} {when} call {number}: {error}") from error
                ends += 1
        lost = self.lost - lost_before
        print(f"{kind.name} at {ends} steps: {ends - lost} went on by themselves, {lost} could not")
        return lost

    def test_killed_while_tokens_rotate(self):
        self.bring_up_cut("--rotate")
        self.assertGreater(self.walk(signal.SIGKILL), 0)

    def test_killed_while_they_do_not(self):
        self.bring_up_cut()
        self.assertEqual(self.walk(signal.SIGKILL), 0)

    def test_stopped_while_tokens_rotate(self):
        self.bring_up_cut("--rotate")
        self.assertEqual(self.walk(signal.SIGTERM), 0)

    def lose_an_answer(self):
        """A life that ends after a refresh was granted, and its answer lost."""
        granted = self.granted()
        self.site.start()
        self.org.fault("token", commit=True, reset=True)
        self.org.admin("sessions/expire", {})
        operator = subprocess.Popen(self.site.command("run", "contacts"),
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while self.granted() == granted:
            pass
        self.site.kill()
        operator.wait(rig.PATIENCE_S)

    def test_killed_again_while_it_finds_out_that_a_token_is_lost(self):
        self.bring_up_cut("--rotate")
        for number in itertools.count(1, STRIDE):
            self.lose_an_answer()
            calls, _ = self.end_at(number, "after", signal.SIGKILL)
            self.assert_says_that_it_is_lost()
            self.assert_goes_on()
            if len(calls) < number:
                break
        print(f"killed again at up to {len(calls)} steps")

    def test_killed_again_while_it_starts(self):
        """The first time between a token's commit and its mark, which the next start makes up for."""
        self.bring_up_cut("--rotate")
        calls, _ = self.end_at(NEVER, "before", signal.SIGKILL)
        to_mark = calls.index("renameat ") + 1
        for number in itertools.count(1, STRIDE):
            _, is_lost = self.end_at(to_mark, "before", signal.SIGKILL)
            self.assertFalse(is_lost)
            self.cut.arm(number, "before", signal.SIGKILL)
            self.site.start(environment=self.cut.environment, wait=False)
            started = self.site.log.wait_for("event=started")
            self.assertEqual(self.site.kill(), -signal.SIGKILL)
            self.cut.disarm()
            self.assert_goes_on()
            if started:
                break
        print(f"killed again at up to {number - 1} steps of a start")


if __name__ == "__main__":
    unittest.main()
