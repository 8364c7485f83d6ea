"""Edits on both sides while the daemon is killed and answers are lost: in the end both are equal.

Nothing is there twice, no field that nobody edited in the table was ever sent, no edit gave way to an
older one, and once all is quiet a run writes nothing. Sizes come from the environment (tests/long asks
for the full ones); the seed is printed, and LEADSYNC_SEED plays it again as far as timing allows.
"""
import collections
import contextlib
import os
import random
import threading
import time
import unittest
import urllib.error

import compare
import two_way
from two_way import PEOPLE, PERSON_TABLE, Background, TwoWay, columns_of

PAIRS = int(os.environ.get("LEADSYNC_PAIRS", "300"))
EDITS = int(os.environ.get("LEADSYNC_EDITS", "300"))  # on each side
KILLS = int(os.environ.get("LEADSYNC_KILLS", "15"))
SEED = int(os.environ.get("LEADSYNC_SEED", "20261128"))
OVERLAP_S = 600

EDITED = ("FirstName", "LastName", "Title", "Phone", "Department", "MailingCity", "Description",
          "Lead_Score__c", "Consent__c", "Renewal_Date__c", "Region__c")
WORDS = ("Zoë", "O'Brien", "  lead and trail  ", "a\\b", '"quoted"', "😀", "tab\there", "<b>&amp;</b>",
         "Ünïcødé", "NULL", "%s", "-")


class Edits:
    """Random edits of both sides, each remembered: what was never edited here may never be sent, and
    what a cell ends with is the last edit of one of its sides."""

    def __init__(self, org, choose):
        self.org, self.choose = org, choose
        self.columns = columns_of(PEOPLE)
        self.here = collections.defaultdict(dict)  # record id -> field -> the last value
        self.there = collections.defaultdict(dict)
        self.made = 0
        self.deleted = set()  # on either side

    def value(self, field):
        choose = self.choose
        if field == "Consent__c":
            return choose.randrange(2)
        if field == "Lead_Score__c":
            return choose.choice((None, str(choose.randrange(1000)), f"{choose.randrange(900)}.6"))
        if field == "Renewal_Date__c":
            return choose.choice((None, f"20{choose.randrange(10, 60)}-02-{choose.randrange(10, 28)}"))
        if field == "Region__c":
            return choose.choice((None, "EMEA", "AMER", "APAC", "LATAM"))
        if field != "LastName" and choose.random() < 0.15:
            return choose.choice((None, "", "  "))
        return f"{choose.choice(WORDS)} {choose.randrange(10**6)}"[:38]

    def some(self):
        return {field: self.value(field)
                for field in self.choose.sample(EDITED, self.choose.choice((1, 1, 1, 2, 3)))}

    def edit_row(self, database, record_id):
        values = self.some()
        names = ", ".join(f"{self.columns[field]} = ?" for field in values)
        done = database.execute(f"UPDATE person SET {names} WHERE sf_id = ?",
                                [*values.values(), record_id])
        if done.rowcount:
            self.here[record_id].update(values)

    def edit_record(self, record_id):
        values = self.some()
        if values.get("Lead_Score__c"):
            values["Lead_Score__c"] = int(float(values["Lead_Score__c"]))
        if "Consent__c" in values:
            values["Consent__c"] = bool(values["Consent__c"])
        with contextlib.suppress(urllib.error.HTTPError):  # it is deleted
            self.org.edit("Contact", record_id, **values)
            self.there[record_id].update(values)

    def delete(self, database, record_id):
        self.deleted.add(record_id)
        if self.choose.random() < 0.5:
            database.execute("DELETE FROM person WHERE sf_id = ?", [record_id])
        else:
            with contextlib.suppress(urllib.error.HTTPError):
                self.org.delete("Contact", record_id)

    def insert(self, database):
        self.made += 1
        database.execute("INSERT INTO person (last_name, email, title) VALUES (?, ?, ?)",
                         [self.value("LastName"), f"made{self.made}@crash.example",
                          self.value("Title")])


class TwoWayCrash(TwoWay):
    deletes = False

    def add_faults(self, seed):
        """Answers lost after the server acted, or before it acts minutes later; and plain trouble."""
        self.org.admin("faults", {"match": "collections", "commit": True, "reset": True,
                                  "rate": 0.3, "seed": seed})
        self.org.admin("faults", {"match": "collections", "commit_later_s": 200, "rate": 0.3,
                                  "seed": seed + 1})
        self.org.admin("faults", {"match": "query_all", "reset": True, "rate": 0.03,
                                  "seed": seed + 2})

    def edit_both(self, choose, edits, ids, count):
        """Half of it on a few people, so that both sides meet on one field. Answers once all is done."""
        hot = ids[:max(10, len(ids) // 50)]
        with self.connect() as database:
            for step in range(count):
                edits.edit_row(database, choose.choice(choose.choice((hot, ids))))
                edits.edit_record(choose.choice(choose.choice((hot, ids))))
                if step % 20 == 0:
                    edits.insert(database)
                if self.deletes and step % 5 == 0:
                    edits.delete(database, choose.choice(ids))

    def live(self, choose, edits, ids, count):
        """A life of the daemon: it runs, both sides are edited, it dies at some instant."""
        self.site.start()
        killer = threading.Timer(choose.uniform(0.02, self.longest_s), self.site.process.kill)
        killer.start()
        running = Background(lambda: [self.site.operate("run", "people", check=False)
                                      for _ in range(2)])
        self.edit_both(choose, edits, ids, count)
        running.join()
        self.site.wait()
        killer.join()
        log = self.site.logs[-1]
        return log.count("event=run_start") > log.count("event=run_done")

    def lose_one_for_sure(self, choose, edits, ids):
        """How many answers were lost so far is a matter of luck; this one is of the last write."""
        self.org.clear_faults()
        self.org.fault("collections", commit_later_s=200)
        self.edit_both(choose, edits, ids, 5)
        self.site.start()
        self.site.operate("run", "people", check=False)
        self.site.kill()

    def play(self, kills, options=""):
        """Kills and edits until the last one, then rest. The edits, and who was there at first."""
        print(f"seed {SEED}: {PAIRS} pairs, {EDITS} edits on each side, {kills} kills", flush=True)
        choose = random.Random(SEED)
        self.bring_up_people(contacts=PAIRS, table=PERSON_TABLE,
                             options=f"match = Email\n{two_way.CREATES}\n{options}",
                             emulator_options=("--latency-ms", "10"))
        ids = self.ids()
        self.assertEqual(len(self.dump()), PAIRS)
        began = time.monotonic()
        self.run_people()
        self.longest_s = max(0.8, 6 * (time.monotonic() - began))  # sanitizers are slow
        edits = Edits(self.org, choose)
        self.forget_writes()
        self.site.stop()
        self.add_faults(SEED)
        in_the_middle = 0
        for _ in range(kills):
            in_the_middle += self.live(choose, edits, ids, -(-EDITS // kills))
            self.org.advance(choose.randrange(5, 150))
        self.assertGreaterEqual(in_the_middle, kills // 4)
        self.lose_one_for_sure(choose, edits, ids)
        faulted = self.org.counters()["faulted"]
        self.assertGreater(faulted, 0)
        self.come_to_rest()
        print(f"{in_the_middle} kills in the middle of a run, {faulted} requests without an answer, "
              f"{edits.made} people made, {len(edits.deleted)} deleted, "
              f"{len(self.conflicts('--all'))} conflicts", flush=True)
        return edits, ids

    def test_killed_and_unanswered(self):
        edits, ids = self.play(KILLS)
        frozen = self.assert_settled(edits, ids)
        self.assertEqual(len(self.dump()), PAIRS + edits.made)
        self.assertEqual(len(self.ids()), PAIRS + edits.made)
        self.assert_last_edits(edits, frozen)
        self.assert_quiet()

    def test_deletions_too(self):
        self.deletes = True
        edits, ids = self.play(-(-KILLS // 2), "on_local_delete = delete\non_remote_delete = delete")
        # A row that was edited outlives its record, and is listed.
        outlived = {line["key"] for line in self.conflicts("--all")
                    if (line["kind"], line["winner"]) == ("delete-edit", "local")}
        self.assert_settled(edits, ids, outlived)
        # Nobody vanished whom nobody deleted.
        for alive in (set(self.ids()), {row["sf_id"] for row in self.dump()}):
            self.assertEqual(set(ids) - alive - edits.deleted, set())
        self.assert_quiet()

    def come_to_rest(self):
        self.org.clear_faults()
        self.org.advance(OVERLAP_S + 60)
        self.site.start()
        self.site.operate("run", "people", check=False)
        self.org.advance(OVERLAP_S + 60)  # what that one left unanswered
        self.run_until_quiet()

    def assert_settled(self, edits, ids, excepted=frozenset()):
        """Both sides are equal, and only what was edited was sent. What is frozen."""
        self.assertEqual(self.errors(), [])
        # What both sides kept on editing waits for a person, and is listed.
        frozen = {(line["record_id"], line["field"]) for line in self.conflicts()}
        self.assertLess(len(frozen), 5 + EDITS // 100)
        self.assert_sides_equal(excepted=frozen | excepted, identity="Email")
        sent = self.writes()["by_record"]
        untouched = {record: set(sent[record]) - set(edits.here[record])
                     for record in ids if record in sent}
        self.assertEqual({record: fields for record, fields in untouched.items() if fields}, {})
        self.assert_nothing_twice()
        return frozen

    def assert_last_edits(self, edits, frozen):
        """Nothing older than the last edit of either side, and where only one edited: just that."""
        kinds = {field["name"]: field for field in self.org.describe("Contact")["fields"]}
        rows = {row["sf_id"]: row for row in self.dump()}
        wrong = []
        for record in {*edits.here, *edits.there}:
            for field in EDITED:
                last = [compare.canonical_column(kinds[field], side[record][field])
                        for side in (edits.here, edits.there) if field in side[record]]
                value = compare.canonical_column(kinds[field],
                                                 rows[record][edits.columns[field]])
                if last and value not in last and (record, field) not in frozen:
                    wrong.append(f"{record} {field}: {value!r}, last edits {last}")
        self.assertEqual(wrong[:10], [])


if __name__ == "__main__":
    unittest.main()
