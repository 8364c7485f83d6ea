"""What an operator meets: wrong confs, a second daemon, a wrong key, a secret typed in late, other orgs."""
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
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

    def test_words_that_say_nothing_of_the_ledger(self):
        self.bring_up()
        wrong = ("errors contacts leads", "conflicts a b", "backlog a b", "retry", "retry a b c",
                 "ignore contacts", "ignore", "resolve", "resolve contacts 1",
                 "resolve contacts 1 Email", "resolve contacts 1 Email nobody",
                 "resolve contacts 1 Email local --field Title", "resolve contacts 1 2 3 local",
                 "resolve contacts 1 --record 003 --field Email",
                 "resolve contacts 1 local --record 003", "detach", "detach contacts leads",
                 "errors --limit 0", "errors --limit 1001", "errors --limit 5x", "errors --limit=",
                 # An option that would do nothing was meant to do something.
                 "backlog --all", "status --limit 5", "retry contacts --record 003",
                 "run contacts --field Email", "errors --yes", "ignore contacts 1 --all")
        for words in wrong:
            with self.subTest(words):
                done = self.site.operate(*words.split(), check=False)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn("leadsync --help", done.stderr)
        refused = {"errors nope": "no-such-job", "conflicts nope": "no-such-job",
                   "backlog nope": "no-such-job", "retry nope": "no-such-job",
                   "ignore nope 1": "no-such-job", "resolve nope 1 local": "no-such-job",
                   "detach nope --yes": "no-such-job", "detach nope": "no-such-job",
                   "resolve contacts 1 --record 003": "bad-id",
                   "resolve contacts 1 --record 0035e00000AbCdEXXX": "bad-id"}
        for words, code in refused.items():
            with self.subTest(words):
                done = self.site.operate(*words.split(), check=False)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertEqual(len(done.stderr.splitlines()), 1)
                self.assertIn(f"({code})", done.stderr)

    def ask(self, *arguments, code=0):
        """What a command answers with --json."""
        done = self.site.operate(*arguments, "--json", check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr if code else json.loads(done.stdout)

    def with_an_error(self):
        """A record that the table refuses; its id."""
        self.bring_up()
        self.first_load()
        rig.sqlite(self.site.store, "CREATE TRIGGER house_rule BEFORE UPDATE ON contact WHEN "
                   "NEW.title = 'Forbidden' BEGIN SELECT RAISE(ABORT, 'no'); END")
        record = self.org.query("SELECT Id FROM Contact LIMIT 1")[0]["Id"]
        self.org.edit("Contact", record, Title="Forbidden")
        self.site.settle()
        return record

    def test_errors_are_listed_ignored_and_tried_again(self):
        record = self.with_an_error()
        answer = self.ask("errors")
        self.assertEqual((answer["version"], answer["done"], answer["more"]), (1, True, False))
        error, = answer["errors"]
        self.assertEqual([error[name] for name in ("job", "direction", "record_id", "table",
                                                   "ignored")],
                         ["contacts", "down", record, "contact", False])
        self.assertIn("a trigger of the table refuses", error["text"])
        self.assertTrue(error["remedy"] and error["code"] and error["run"])
        self.assertRegex(error["at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(self.ask("errors", "leads")["errors"], [])
        self.assertIn(record, self.site.operate("errors", "contacts").stdout)
        for words in (["ignore", "contacts", "003nobody"], ["retry", "contacts", "003nobody"],
                      ["retry", "contacts", record, "--field", "Emial"],
                      ["retry", "contacts", "--field", "Emial"]):
            refused = self.ask(*words, code=1)
            self.assertIn("(not-listed)", refused)
            self.assertIn("`leadsync errors contacts`", refused)
        self.assertEqual(self.ask("ignore", "contacts", record[:15])["touched"], 1)
        self.assertIn(f" uid={os.getuid()} ", self.site.log.wait_for("event=control verb=ignore"))
        self.assertEqual(self.ask("errors")["errors"], [])
        self.assertTrue(self.ask("errors", "--all")["errors"][0]["ignored"])
        self.site.operate("pause", "contacts")
        answer = self.ask("retry", "contacts", record)
        self.assertEqual((answer["touched"], answer["runs"], answer["state"]), (1, False, "paused"))
        rig.sqlite(self.site.store, "DROP TRIGGER house_rule")
        self.site.operate("resume", "contacts")
        self.site.run("contacts")
        self.assertEqual(rig.sqlite(self.site.store, "SELECT title FROM contact WHERE sf_id = "
                                    f"'{record}'"), [("Forbidden",)])
        self.assertEqual(self.ask("retry", "contacts")["touched"], 0)
        # Shown to the operator, but never logged: such a text may quote a value.
        self.assertNotEqual(self.log_lines(error["code"]), [])
        self.assertEqual(self.log_lines("a trigger of the table refuses"), [])

    def test_conflicts_and_backlog_are_empty_lists(self):
        self.bring_up()
        self.first_load()
        for name in ("conflicts", "backlog"):
            self.assertEqual(self.ask(name), {"version": 1, name: [], "more": False, "done": True})
        refused = self.ask("resolve", "contacts", "17", "Email", "salesforce", code=1)
        self.assertIn("no open conflict of '17', field 'Email'", refused)
        ledger = self.site.status()["jobs"][0]["ledger"]
        self.assertEqual(ledger["conflicts"], 0)
        self.assertEqual(ledger["backlog"], {"waiting": 0, "sent": 0, "unknown": 0, "rejected": 0,
                                             "held": 0, "oldest": None, "oldest_age_s": 0})

    def test_detach_takes_the_ledger_and_leaves_the_table(self):
        self.with_an_error()
        rows = rig.sqlite(self.site.store, "SELECT * FROM contact")
        self.assertIn("(not-paused)", self.ask("detach", "contacts", "--yes", code=1))
        self.site.operate("pause", "contacts")
        self.assertIn("nothing was changed", self.ask("detach", "contacts", code=1))
        self.assertGreater(self.site.status()["jobs"][0]["ledger"]["linked"], 0)
        self.assertEqual(self.ask("detach", "contacts", "--yes"),
                         {"version": 1, "store": "crm", "table": "contact", "done": True})
        self.assertEqual(self.site.status()["jobs"][0]["ledger"]["linked"], 0)
        self.assertEqual(rig.sqlite(self.site.store, "SELECT * FROM contact"), rows)
        self.assertEqual(self.ask("errors")["errors"], [])
        self.assertEqual(self.ask("runs", "contacts")["runs"], [])
        self.assertTrue(self.site.run("leads")["done"])

    def test_a_table_of_somebody_elses_is_checked_against_the_mapping(self):
        self.bring_up(start=False)
        subprocess.run(["sqlite3", str(self.site.store),
                        "CREATE TABLE contact (id INTEGER PRIMARY KEY, sf_id TEXT)"], check=True)
        self.site.start()
        outcome = self.site.run("contacts", check=False)
        self.assertEqual(outcome["error"]["kind"], "human")
        self.assertIn("first_name", outcome["error"]["text"])
        self.assertTrue(self.site.run("leads")["done"])


PAIR = {"job": "contacts", "record_id": "0035e00000AbCdEAAV", "key": "17"}
CONFLICT = {**PAIR, "number": 5, "state": "open", "kind": "both-changed", "field": "Email",
            "local": "a@here.example", "local_edited": "2026-01-02T03:04:05Z",
            "remote": None, "remote_edited": None, "winner": None, "reason": "conflict-manual",
            "run": "0123abcd", "at": "2026-01-02T03:05:00Z"}
REJECT = {**PAIR, "direction": "up", "table": "contact", "code": "INVALID_EMAIL_ADDRESS",
          "field": "Email", "field_only": False, "text": "invalid email address: x@\x1b[2J",
          "remedy": "mend the row", "run": "0123abcd", "at": "2026-01-02T03:05:00Z",
          "ignored": False}
DUE = {**PAIR, "number": 7, "state": "waiting", "since": "2026-01-02T03:05:00Z", "edited": None,
       "not_before": None, "tries": 2}


class Answered(unittest.TestCase):
    """What `leadsync` asks and shows, whatever a ledger may hold: a socket that answers as told."""

    def setUp(self):
        self.folder = self.enterContext(rig.folder())
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(f"{self.folder}/control.sock")
        self.socket.listen()
        self.addCleanup(self.socket.close)

    def ask(self, arguments, *answers, stdin=""):
        """What the command did; `self.requests` are what it asked, one by each answer."""
        typed = pathlib.Path(self.folder) / "typed"
        typed.write_text(stdin)
        with typed.open() as read:
            process = subprocess.Popen([str(rig.BUILD / "daemon/leadsync"), "--socket",
                                        f"{self.folder}/control.sock", *arguments],
                                       stdin=read, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                       text=True, preexec_fn=rig.die_with_parent)
        self.requests = []
        self.socket.settimeout(rig.PATIENCE_S)
        for answer in answers:
            connection, _ = self.socket.accept()
            with connection, connection.makefile("rw") as lines:
                self.requests.append(json.loads(lines.readline()))
                lines.write(json.dumps({"version": 1, **answer, "done": True}) + "\n")
        out, err = process.communicate(timeout=rig.PATIENCE_S)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def show(self, *arguments, **answer):
        done = self.ask(arguments, answer)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertNotRegex(done.stdout, r"[\x00-\x09\x0b-\x1f\x7f]")  # newlines alone
        return done.stdout

    def resolving(self, shown, **words):
        """The commands that a listing shows, carried out: what each of them asks for."""
        asked = []
        for line in shown.splitlines():
            if line.startswith("    leadsync resolve"):
                for word, value in words.items():
                    line = line.replace(word, value)
                self.ask(shlex.split(line, comments=True)[1:], {"touched": 1, "runs": True})
                asked.append(self.requests[0])
        return asked

    def test_errors_are_shown_with_their_remedy(self):
        shown = self.show("errors", errors=[REJECT, {**REJECT, "direction": "down", "field": None,
                                                     "record_id": None, "ignored": True}])
        self.assertEqual(self.requests, [{"verb": "errors", "all": False}])
        first, second = shown.split("2026-01-02T03:05:00Z")[1:]
        for wanted in ("to Salesforce", "record 0035e00000AbCdEAAV, row 17", "field Email",
                       "INVALID_EMAIL_ADDRESS", "invalid email address: x@?[2J", "-> mend the row"):
            self.assertIn(wanted, first)
        self.assertNotIn("ignored", first)
        self.assertIn("from Salesforce  row 17 (ignored)", second)

    def test_listings_say_when_there_is_nothing_or_more(self):
        for name in ("errors", "conflicts", "backlog"):
            with self.subTest(name):
                shown = self.show(name, "leads", "--limit", "7", **{name: [], "more": False})
                self.assertEqual(len(shown.splitlines()), 1)
                self.assertEqual(self.requests, [{"verb": name, "job": "leads", "all": False,
                                                  "limit": 7}])
        self.assertIn("--limit", self.show("backlog", backlog=[DUE], more=True))
        self.show("conflicts", "--all", conflicts=[])
        self.assertTrue(self.requests[0]["all"])

    def test_an_open_conflict_is_resolved_as_it_is_shown(self):
        shown = self.show("conflicts", conflicts=[CONFLICT])
        for wanted in ("both-changed", "Email", '"a@here.example"  edited 2026-01-02T03:04:05Z',
                       "(blank)", "conflict-manual", "run 0123abcd"):
            self.assertIn(wanted, shown)
        self.assertEqual(self.resolving(shown), [
            {"verb": "resolve", "job": "contacts", "id": "0035e00000AbCdEAAV", "field": "Email",
             "winner": winner} for winner in ("remote", "local")])

    def test_odd_keys_are_words_for_the_shell(self):
        for key in ("-5", "it's", "a b; rm", "$(reboot)", "--all", "", "*", "Zoë"):
            with self.subTest(key):
                conflict = {**CONFLICT, "record_id": None, "key": key or None, "field": None,
                            "kind": "delete-edit"}
                asked = self.resolving(self.show("conflicts", conflicts=[conflict]))
                self.assertEqual([request["id"] for request in asked], [key, key])
                self.assertNotIn("field", asked[0])

    def test_a_row_that_matched_several_records_is_given_one(self):
        match = {**CONFLICT, "kind": "several-matches", "field": None, "local": None,
                 "reason": "2 records match"}
        for key in ("17", "-17"):
            shown = self.show("conflicts", conflicts=[{**match, "record_id": None, "key": key}])
            self.assertNotIn("blank", shown)
            self.assertEqual(self.resolving(shown.replace("(ID: of the right record)", ""),
                                            ID="0035e00000AbCdE"),
                             [{"verb": "resolve", "job": "contacts", "id": key,
                               "record": "0035e00000AbCdE"}])
        shown = self.show("conflicts", conflicts=[{**match, "key": None}])
        self.assertEqual(self.resolving(shown.replace("(KEY: of the right row)", ""), KEY="3"),
                         [{"verb": "resolve", "job": "contacts", "id": "3",
                           "record": "0035e00000AbCdEAAV"}])

    def test_a_decided_conflict_has_no_command(self):
        shown = self.show("conflicts", "--all", conflicts=[
            {**CONFLICT, "state": "decided", "winner": "remote", "reason": "conflict-remote"}])
        self.assertIn("salesforce: conflict-remote", shown)
        self.assertEqual(self.resolving(shown), [])

    def test_the_backlog_is_a_table(self):
        shown = self.show("backlog", backlog=[
            DUE, {**DUE, "record_id": None, "state": "rejected", "key": "x\x1b]0;y"},
            {**DUE, "not_before": "2026-01-02T04:00:00Z"}]).splitlines()
        self.assertEqual([line.index(text) for line, text in
                          zip(shown, ("RECORD", "0035e00000AbCdEAAV", "-  "))],
                         [shown[0].index("RECORD")] * 3)
        self.assertIn("x?]0;y", shown[2])
        self.assertIn("not before 2026-01-02T04:00:00Z", shown[4])
        self.assertLessEqual(max(map(len, shown)), 100)

    def test_orders_say_what_comes_of_them(self):
        for answer, wanted in (({"touched": 1, "runs": True, "state": "idle"},
                                "1 error forgotten, to be tried again; job contacts runs now"),
                               ({"touched": 3, "runs": False, "state": "paused"},
                                "leadsync resume contacts"),
                               ({"touched": 3, "runs": False, "state": "parked"},
                                "leadsync status"),
                               ({"touched": 0, "runs": False, "state": "idle"}, "no errors")):
            with self.subTest(wanted):
                self.assertIn(wanted, self.show("retry", "contacts", **answer))
                self.assertEqual(self.requests, [{"verb": "retry", "job": "contacts"}])
        self.show("retry", "contacts", "17", "--field", "Email", touched=1, runs=True)
        self.assertEqual(self.requests, [{"verb": "retry", "job": "contacts", "id": "17",
                                          "field": "Email"}])
        self.assertIn("1 error no longer", self.show("ignore", "contacts", "17", touched=1))
        self.assertIn("2 conflicts resolved",
                      self.show("resolve", "contacts", "17", "local", touched=2, runs=True))

    def test_detach_shows_what_is_lost_and_asks(self):
        status = {"jobs": [{"name": "contacts", "state": "paused", "store": "crm", "table": "contact",
                            "ledger": {"linked": 7, "rejects": 1, "conflicts": 2,
                                       "backlog": {"waiting": 3, "unknown": 1}}}]}
        gone = {"store": "crm", "table": "contact"}
        for typed in ("n\n", "", "yes please\n"):
            done = self.ask(["detach", "contacts"], status, stdin=typed)
            self.assertEqual((done.returncode, len(self.requests)), (1, 1))
            self.assertIn("nothing was changed", done.stderr)
        done = self.ask(["detach", "contacts"], status, gone, stdin="y\n")
        self.assertEqual(done.returncode, 0)
        for wanted in ("7 links", "4 changes", "1 errors", "2 open conflicts", "Table contact stays"):
            self.assertIn(wanted, done.stderr)
        self.assertEqual(self.requests[1], {"verb": "detach", "job": "contacts"})
        self.assertIn("table contact stays", done.stdout)
        self.assertEqual(self.show("detach", "contacts", "--yes", **gone), done.stdout)
        status["jobs"][0]["state"] = "running"
        done = self.ask(["detach", "contacts"], status, stdin="y\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("leadsync pause contacts", done.stderr)

    def test_status_run_and_runs_tell_what_was_sent(self):
        run = {"id": "0123abcd", "job": "contacts", "outcome": "done", "sent_created": 2,
               "sent_updated": 5, "refused": 1, "conflicts": 3,
               "started": "2026-01-02T03:04:05Z", "ended": "2026-01-02T03:04:06Z"}
        wanted = "to Salesforce: 2 new, 5 changed, 1 refused, 3 conflicts\n"
        job = {"name": "contacts", "state": "idle", "sends": True, "run": run, "ledger": {
            "linked": 9, "conflicts": 2, "backlog": {"waiting": 4, "oldest": "2026-01-01T00:00:00Z",
                                                     "oldest_age_s": 7300, "unknown": 1}}}
        self.assertIn(wanted, self.show("run", "contacts", run=run))
        self.assertIn(wanted, self.show("runs", "--limit", "3", runs=[run]))
        self.assertEqual(self.requests, [{"verb": "runs", "limit": 3}])
        self.assertNotIn("to Salesforce", self.show("runs", runs=[{**run, "sent_created": 0,
                                                                   "sent_updated": 0, "refused": 0,
                                                                   "conflicts": 0}]))
        shown = self.show("status", daemon={}, keys=[], accounts=[], jobs=[job])
        self.assertIn(wanted, shown)
        self.assertIn("4 waiting (oldest 2 h), 0 sent, 1 unknown, 0 rejected, 0 held", shown)
        self.assertIn("2 conflicts wait for a person: `leadsync conflicts contacts`", shown)
        job["sends"] = False
        self.assertNotIn("waiting", self.show("status", daemon={}, keys=[], accounts=[], jobs=[job]))


if __name__ == "__main__":
    unittest.main()
