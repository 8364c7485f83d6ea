"""A month of two grants, judged by what the org saw of it. month.c lives it, on clocks that jump."""
import json
import pathlib
import subprocess
import unittest
import urllib.parse

import rig
from test_connect import PASSWORD, USER, form_browser

REDIRECT_URI = "http://localhost:8765/callback"
HOUR_S, DAY_MS = 3600, 24 * 3600 * 1000


class Month(unittest.TestCase):
    def live(self, days, lifetime_s, timeout_s, introspect):
        """Both accounts logged in, and used for so long; what the program did."""
        self.org = rig.Emulator("--username", USER, "--password", PASSWORD, "--redirect-uri",
                                REDIRECT_URI, "--rotate", "--session-timeout", str(timeout_s),
                                contacts=1, leads=1)
        self.addCleanup(self.org.stop)
        self.org.admin("oauth", {"introspect": introspect})
        self.org.admin("limits", {"max": 10_000_000})
        folder = self.enterContext(rig.folder())
        with subprocess.Popen([str(rig.BUILD / "tests/scenario/month"), self.org.url,
                               rig.CLIENT_ID, REDIRECT_URI, str(lifetime_s), str(days), folder],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              preexec_fn=rig.die_with_parent) as program:
            program.stdin.write(rig.CLIENT_SECRET + "\n")
            program.stdin.flush()
            for _ in range(2):
                program.stdin.write(self.log_in(program.stdout.readline().strip()) + "\n")
                program.stdin.flush()
            told = program.stdout.readline()
        self.assertEqual(program.returncode, 0)
        return json.loads(told)

    def log_in(self, url):
        """A person at a browser; the address it ends at."""
        browser = form_browser.Browser()
        page = browser.press(browser.get(url), "Log In", username=USER, pw=PASSWORD)
        while not (page.location or "").startswith(REDIRECT_URI):
            if page.location:
                page = browser.get(urllib.parse.urljoin(page.url, page.location))
            else:
                page = browser.press(page, "Allow")
        return page.location

    def judge(self, told, most_a_day):
        """What is true of every month; the refreshes of the day that had most, by family."""
        refreshes = [request for request in self.org.admin("token_log")["requests"]
                     if request["grant_type"] == "refresh_token"]
        self.assertEqual({request["outcome"] for request in refreshes}, {"ok"})
        self.assertEqual({request["presented"] for request in refreshes}, {"current"})
        self.assertEqual([request for request in refreshes if request["family_concurrent"]], [])
        grants = self.org.admin("grants")["grants"]
        self.assertEqual([(grant["alive"], grant["reuse"]) for grant in grants], [(True, 0)] * 2)
        most = {}
        for family in (1, 2):
            times = [request["at_ms"] for request in refreshes if request["family"] == family]
            most[family] = max(sum(start <= at < start + DAY_MS for at in times)
                               for start in times)  # in any 24 hours
            self.assertLessEqual(most[family], most_a_day)
        for account in told.values():
            self.assertEqual(account["failed"], 0)
            self.assertEqual(account["state"], "fresh")
            self.assertEqual(account["rotation"], "on")
        self.assertEqual(len(refreshes), sum(account["requests"] for account in told.values()))
        return most

    def refused_sessions(self):
        """How often a call was told that its session is over."""
        return self.org.counters()["by_status"].get("401", 0)

    def tell(self, what, told, most, refused):
        print(f"{what}: {told['busy']['calls']} + {told['idle']['calls']} calls, "
              f"{told['busy']['requests']} + {told['idle']['requests']} refreshes, at most "
              f"{most[1]} + {most[2]} in 24 h, {refused} sessions refused", flush=True)

    def test_a_month(self):
        told = self.live(days=30, lifetime_s=2 * HOUR_S, timeout_s=2 * HOUR_S, introspect=True)
        most, refused = self.judge(told, 20), self.refused_sessions()
        self.tell("a month with introspection", told, most, refused)
        self.assertEqual(refused, 0)
        self.assertGreater(told["busy"]["calls"], 7000)
        self.assertEqual(told["busy"]["expiry"], "introspection")
        # A keep-alive every nine tenths of a day at the earliest, and one more for each use.
        self.assertLessEqual(told["idle"]["requests"], 34 + told["idle"]["calls"] + 1)
        self.assertGreaterEqual(told["idle"]["requests"], 29)

    def test_a_lifetime_that_is_wrong(self):
        """Believed to be four hours, and one: sessions end in a pause, until that is learned."""
        told = self.live(days=7, lifetime_s=4 * HOUR_S, timeout_s=HOUR_S, introspect=False)
        most = self.judge(told, 36)  # at 3/4 of an hour, or a tenth sooner
        refused = self.refused_sessions()
        self.tell("a week of a wrong session_lifetime", told, most, refused)
        self.assertGreaterEqual(refused, 1)
        self.assertLessEqual(refused, 5)  # a step a day, and two pauses in between
        self.assertEqual(told["busy"]["expiry"], "learned")
        self.assertLessEqual(told["busy"]["life_s"], 2 * HOUR_S)


if __name__ == "__main__":
    unittest.main(verbosity=2)
