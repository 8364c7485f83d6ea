"""kill -9 is a normal stop: whatever instant it comes, the next start goes on and ends equal.

LEADSYNC_KILLS says how often (the long tests ask for 200); seeds are fixed.
"""
import os
import random
import threading
import unittest

from scenario import Scenario

KILLS = int(os.environ.get("LEADSYNC_KILLS", "16"))
PAGE = 200
# A life commits a few pages: enough records for half of the kills to fall into the first load.
CONTACTS = max(4000, KILLS * 4 * PAGE)


class Crash(Scenario):
    def kill_after(self, delay_s):
        """SIGKILL at an instant chosen by the seed, not by the daemon's progress."""
        timer = threading.Timer(delay_s, self.site.process.kill)
        timer.start()
        return timer

    def test_killed_while_loading_and_while_following(self):
        choose = random.Random(20261123)
        # The answers' latency spreads a load over more instants than a loopback would.
        self.bring_up(contacts=CONTACTS, leads=200, emulator_options=("--latency-ms", "15"),
                      start=False)
        self.org.admin("pages", {"max": PAGE})
        in_the_middle = 0
        for number in range(KILLS):
            self.site.start()
            timer = self.kill_after(choose.uniform(0.005, 0.5))
            self.site.operate("run", "contacts", check=False)
            self.site.wait()
            timer.join()
            log = self.site.logs[-1]
            in_the_middle += (log.count("event=run_start job=contacts") >
                              log.count("event=run_done job=contacts"))
            if number >= KILLS // 2:
                self.org.admin("random", {"seed": number, "count": 40,
                                          "mix": {"edit": 80, "create": 10, "delete": 10},
                                          "objects": ["Contact", "Lead"]})
                self.org.advance(60)
        self.assertGreaterEqual(in_the_middle, KILLS // 2)
        self.site.start()
        self.first_load()
        self.site.settle()
        self.assert_equal_to_org()
        self.site.stop()

    def test_a_load_goes_on_from_where_it_was(self):
        self.bring_up(contacts=4000, leads=1, emulator_options=("--latency-ms", "20"),
                      start=False)
        self.org.admin("pages", {"max": PAGE})
        kills = 6
        for _ in range(kills):
            self.site.start()
            # Pages are seen through the debug log, so each life commits some and dies in the middle.
            for _ in range(2):
                self.assertIsNotNone(self.site.log.wait_for("event=page job=contacts"))
            self.site.kill()
        self.site.start()
        self.site.run("contacts")
        counts = self.org.counters()["by_kind"]
        pages = counts.get("query", 0) + counts.get("query_more", 0)
        # Each life may ask again for the page that was under way, and prefetch one more.
        self.assertLessEqual(pages, 4000 // PAGE + 1 + 4 * (kills + 1))
        self.first_load()
        self.assert_equal_to_org()

    def bring_up(self, **options):
        super().bring_up(daemon_options="log_level = debug", **options)


if __name__ == "__main__":
    unittest.main()
