"""What an operator meets: wrong confs, a second daemon, a wrong key, a secret typed in late, other orgs."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import unittest

import rig
from scenario import Scenario

HERE = pathlib.Path(__file__).parent


class Operator(Scenario):
    def check(self, conf):
        """`leadsyncd --check` on a text: exit code and the lines it printed."""
        path = self.site.root / "wrong.conf"
        path.write_text(conf)
        done = subprocess.run([str(rig.BUILD / "daemon/leadsyncd"), "--conf", str(path), "--check"],
                              capture_output=True, text=True, timeout=rig.PATIENCE_S)
        return done.returncode, (done.stderr or done.stdout).replace(str(path), "conf").splitlines()

    def test_wrong_confs_are_reported_whole(self):
        self.bring_up(start=False)
        good = self.site.conf.read_text()
        self.assertEqual(self.check(good)[0], 0)
        cases = json.loads((HERE / "wrong_confs.json").read_text())
        self.assertGreaterEqual(len(cases), 30)
        for case in cases:
            with self.subTest(case["name"]):
                text = good
                for old, new in case["replace"]:
                    self.assertIn(old, text)
                    text = text.replace(old, new, 1)
                code, lines = self.check(text)
                self.assertEqual(code, 78, lines)
                for fragment, word in case["expect"]:
                    number = next((index for index, line in enumerate(text.splitlines(), 1)
                                   if fragment in line), None)
                    self.assertIsNotNone(number, fragment)
                    self.assertTrue(any(line.startswith(f"conf:{number}: ") and word in line
                                        for line in lines), (number, word, lines))
                self.assertEqual(len(lines), len(case["expect"]) + 1, lines)

    def test_the_daemon_refuses_a_wrong_conf_with_78(self):
        self.bring_up(start=False)
        self.site.conf.write_text(self.site.conf.read_text().replace("every", "evry"))
        self.site.start(wait=False)
        self.assertEqual(self.site.wait(), 78)
        self.assertIn("evry", self.site.tail())

    def test_a_second_daemon_ends_with_75(self):
        self.bring_up()
        second = subprocess.run([str(rig.BUILD / "daemon/leadsyncd"), "--conf", str(self.site.conf)],
                                capture_output=True, text=True, timeout=rig.PATIENCE_S)
        self.assertEqual(second.returncode, 75)
        self.assertIn("already-running", second.stderr)
        self.first_load()

    def test_a_wrong_key_touches_nothing(self):
        self.bring_up()
        self.first_load()
        self.site.stop()
        before = self.site.files()
        key = self.site.root / "seal.key"
        right = key.read_text()
        key.write_text("0123456789abcdef" * 4 + "\n")
        self.site.start(wait=False)
        self.assertEqual(self.site.wait(), 78)
        self.assertIn("wrong-key", self.site.tail())
        after = self.site.files()
        del before[key], after[key]
        self.assertEqual(before.keys(), after.keys())
        self.assertEqual([path for path in before if before[path] != after[path]], [])
        key.write_text(right)
        self.site.start()
        self.assertTrue(self.site.run("contacts")["done"])

    def test_a_secret_typed_in_while_running_starts_the_jobs(self):
        self.bring_up(secret=None, start=False)
        self.site.start()
        line = self.site.log.wait_for("event=account_parked")
        self.assertIn("leadsync secret set", line)
        self.site.operate("secret", "set", "production", stdin=rig.CLIENT_SECRET)
        self.first_load()
        self.assert_equal_to_org()

    def test_a_token_of_another_org_parks_the_account(self):
        self.bring_up()
        self.first_load()
        self.org.admin("instance", {"org_id": "00D8d0000009ZzZ"})
        self.org.admin("sessions/expire", {})
        before = self.site.store.read_bytes()
        error = self.site.run("contacts", check=False)["error"]
        self.assertEqual((error["kind"], error["code"]), ("human", "other-org"))
        self.assertIn(self.org.org_id, error["text"])
        self.assertEqual(self.site.store.read_bytes(), before)
        self.assertEqual(self.site.status()["jobs"][0]["state"], "parked")
        # Back home, and the secret typed in again: all is well.
        self.org.admin("instance", {"org_id": self.org.org_id})
        self.site.operate("secret", "set", "production", stdin=rig.CLIENT_SECRET)
        self.assertTrue(self.site.run("contacts")["done"])

    def test_a_token_of_another_endpoint_is_not_used(self):
        self.bring_up()
        self.first_load()
        self.site.stop()
        text = self.site.conf.read_text()
        self.site.conf.write_text(text.replace(rig.CLIENT_ID, "3MVG9anotherApp"))
        self.site.start()
        error = self.site.run("contacts", check=False)["error"]
        self.assertEqual(error["code"], "invalid_client_id")

    def test_a_secret_that_nobody_uses_or_of_two_lines_is_refused(self):
        self.bring_up(start=False)
        for running in (False, True):
            if running:
                self.site.start()
            done = self.site.operate("secret", "set", "prodution", stdin="x", check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("unused-name", done.stderr)
            done = self.site.operate("secret", "set", "production", stdin="a\nb\n", check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("not-one-line", done.stderr)
        self.first_load()

    def test_a_store_of_another_daemon_is_refused_untouched_with_78(self):
        self.bring_up()
        self.first_load()
        self.site.stop()
        before = self.site.store.read_bytes()
        shutil.rmtree(self.site.state)
        self.site.operate("secret", "set", "production", stdin=rig.CLIENT_SECRET)
        self.site.start()
        self.assertEqual(self.site.wait(), 78)
        self.assertEqual(self.site.store.read_bytes(), before)
        self.assertIn("event=stopping", self.site.tail())

    def test_a_kept_demo_stays(self):
        demo = subprocess.run([sys.executable, str(HERE / "demo.py"), "--keep"],
                              capture_output=True, text=True, timeout=rig.PATIENCE_S)
        self.assertEqual(demo.returncode, 0, demo.stdout + demo.stderr)
        pids, root = re.search(r"stop it with: kill (\d+ \d+); rm -r (\S+)", demo.stdout).groups()
        self.addCleanup(shutil.rmtree, root)
        for pid in map(int, pids.split()):
            self.addCleanup(os.kill, pid, signal.SIGKILL)
        done = subprocess.run([str(rig.BUILD / "daemon/leadsync"), "--conf", f"{root}/leadsyncd.conf",
                               "run", "contacts"], capture_output=True, text=True,
                              timeout=rig.PATIENCE_S)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_no_daemon_is_said_plainly(self):
        self.bring_up(start=False)
        done = self.site.operate("status", check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn("is the daemon running?", done.stderr)

    def test_it_goes_by_its_name(self):
        self.bring_up()
        comm = pathlib.Path(f"/proc/{self.site.process.pid}/comm").read_text()
        self.assertEqual(comm, "leadsyncd\n")

    def test_words_that_are_no_command(self):
        self.bring_up()
        for arguments, code in ((["frobnicate"], 2), ([], 2), (["run"], 2), (["--help"], 0),
                                (["--version"], 0), (["run", "nope"], 1), (["runs", "nope"], 1)):
            with self.subTest(arguments):
                self.assertEqual(self.site.operate(*arguments, check=False).returncode, code)

    def test_a_table_of_somebody_elses_is_checked_against_the_mapping(self):
        self.bring_up(start=False)
        subprocess.run(["sqlite3", str(self.site.store),
                        "CREATE TABLE contact (id INTEGER PRIMARY KEY, sf_id TEXT)"], check=True)
        self.site.start()
        outcome = self.site.run("contacts", check=False)
        self.assertEqual(outcome["error"]["kind"], "human")
        self.assertIn("first_name", outcome["error"]["text"])
        self.assertTrue(self.site.run("leads")["done"])


if __name__ == "__main__":
    unittest.main()
