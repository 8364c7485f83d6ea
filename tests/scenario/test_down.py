"""Contacts and Leads arrive in the table, stay equal, and nothing is written twice."""
import datetime
import json
import sqlite3
import threading
import unittest

from scenario import Scenario


class Down(Scenario):
    def linked(self):
        """Pairs of each job. (Jobs start by themselves too: which run made them is not told.)"""
        return [job["ledger"]["linked"] for job in self.site.status()["jobs"]]

    def test_first_load_and_a_thousand_edits_while_running(self):
        self.bring_up(contacts=3000, leads=1000)
        self.first_load()
        self.assertEqual(self.linked(), [3000, 1000])
        self.assert_equal_to_org()

        def edit():
            for seed in range(20):
                self.org.admin("random", {"seed": seed, "count": 50,
                                          "mix": {"edit": 80, "create": 10, "delete": 10},
                                          "objects": ["Contact", "Lead"]})
                self.org.advance(3)

        editor = threading.Thread(target=edit)
        editor.start()
        while editor.is_alive():
            self.site.run("contacts")
            self.site.run("leads")
        editor.join()
        self.site.settle()
        self.assert_equal_to_org()
        self.assertEqual(self.site.stop(), 0)

    def test_an_unchanged_run_writes_nothing_and_asks_three_times_at_most(self):
        self.bring_up(contacts=500, leads=100)
        self.first_load()
        self.site.settle()
        for job in ("contacts", "leads"):
            reader = sqlite3.connect(self.site.store)
            version = reader.execute("PRAGMA data_version").fetchone()
            before = self.site.files()
            self.org.reset_counters()
            outcome = self.site.run(job)
            self.assertLessEqual(self.org.counters()["total"], 3)
            self.assertEqual([outcome["run"][count] for count in
                              ("inserted", "updated", "deleted", "rejected")], [0, 0, 0, 0])
            self.assertEqual(reader.execute("PRAGMA data_version").fetchone(), version)
            after = self.site.files()
            for path in (self.site.store, self.site.store.with_name("crm.db-wal")):
                self.assertEqual(before.get(path), after.get(path), path)
            reader.close()

    def test_equal_stamps_across_a_page_boundary(self):
        self.bring_up(contacts=50, leads=450)
        self.first_load()
        self.org.admin("pages", {"max": 200})
        self.org.advance(3600)
        ids = [record["Id"] for record in self.org.query("SELECT Id FROM Lead ORDER BY Id")]
        now = self.org.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        for record_id in ids:
            self.org.admin("edit", {"object": "Lead", "id": record_id,
                                    "fields": {"Title": f"T {record_id}"}, "stamp": now})
        outcome = self.site.settle()[1]
        self.assertEqual(outcome["run"]["updated"], 450)
        self.assertGreaterEqual(outcome["run"]["pages"], 3)
        self.assert_equal_to_org()

    def test_a_record_committed_late_is_read(self):
        self.bring_up()
        self.first_load()
        self.org.advance(3600)
        self.site.settle()
        now = self.org.now()
        late = self.org.query("SELECT Id FROM Contact ORDER BY Id LIMIT 2")
        # Stamped nine minutes before what the last run has read up to, visible only now.
        for record, minutes in zip(late, (1, 9)):
            stamp = now - datetime.timedelta(minutes=minutes)
            self.org.admin("edit", {"object": "Contact", "id": record["Id"],
                                    "fields": {"Title": f"late {minutes}"},
                                    "stamp": stamp.strftime("%Y-%m-%dT%H:%M:%SZ")})
        outcome = self.site.run("contacts")
        self.assertEqual(outcome["run"]["updated"], 2)
        self.assert_equal_to_org()

    def test_deletions_merges_and_undeletes(self):
        self.bring_up(contacts=60, leads=60)
        self.first_load()
        self.org.advance(3600)
        contacts = [row["Id"] for row in self.org.query("SELECT Id FROM Contact ORDER BY Id")]
        leads = [row["Id"] for row in self.org.query("SELECT Id FROM Lead ORDER BY Id")]
        self.org.delete("Contact", contacts[0])
        self.org.delete("Lead", leads[0])
        self.org.admin("merge", {"object": "Lead", "winner": leads[1], "losers": [leads[2]]})
        outcomes = self.site.settle()
        self.assertEqual(outcomes[0]["run"]["deleted"], 1)
        self.assertEqual(outcomes[1]["run"]["deleted"], 2)
        self.assert_equal_to_org()
        self.org.admin("undelete", {"object": "Lead", "id": leads[0]})
        self.org.admin("undelete", {"object": "Contact", "id": contacts[0]})
        self.site.settle()
        self.assert_equal_to_org()

    def test_a_field_that_vanishes_is_set_aside_and_filled_when_it_returns(self):
        self.bring_up()
        self.first_load()
        self.org.advance(3600)
        contact = self.org.query("SELECT Id FROM Contact ORDER BY Id LIMIT 1")[0]["Id"]
        self.org.edit("Contact", contact, LastName="Flows on", Title="Unseen for a while")
        self.org.admin("schema", {"object": "Contact", "hide": "Title"})
        self.assertEqual(self.site.settle()[0]["run"]["updated"], 1)
        self.assertEqual(len(self.log_lines("field_set_aside")), 1)
        self.org.admin("schema", {"object": "Contact", "show": "Title"})
        self.site.settle()
        self.assert_equal_to_org()

    def test_where(self):
        self.bring_up(contacts=400, leads=10,
                      contact_options="where = MailingCountry = 'France' OR LastName LIKE 'O\\'%'")
        self.first_load()
        self.assertIn(self.linked()[0], range(1, 400))
        self.assert_equal_to_org(" WHERE MailingCountry = 'France' OR LastName LIKE 'O\\'%'")

    def test_a_full_run_changes_nothing_and_finds_what_is_out_of_sight(self):
        self.bring_up(contacts=300, leads=10)
        self.first_load()
        self.assertEqual(self.site.run("contacts", "--full")["run"]["updated"], 0)
        gone = self.org.query("SELECT Id FROM Contact ORDER BY Id LIMIT 3")
        for record in gone:
            self.org.delete("Contact", record["Id"])
            self.org.admin("purge", {"object": "Contact", "id": record["Id"]})
        outcome = self.site.run("contacts", "--full")
        self.assertEqual(outcome["run"]["out_of_sight"], 3)
        summary = self.site.status()["jobs"][0]["ledger"]
        self.assertEqual((summary["linked"], summary["out_of_sight"]), (297, 3))

    def test_status_and_runs_tell_what_happened(self):
        self.bring_up()
        self.first_load()
        status = self.site.status()
        self.assertEqual(status["version"], 1)
        self.assertEqual(status["accounts"][0]["org_id"], self.org.org_id)
        self.assertEqual(status["accounts"][0]["state"], "fresh")
        self.assertGreater(status["accounts"][0]["api_calls_used"], 0)
        self.assertEqual([job["ledger"]["linked"] for job in status["jobs"]], [50, 20])
        runs = json.loads(self.site.operate("runs", "--json").stdout)["runs"]
        self.assertLessEqual({("contacts", 50), ("leads", 20)},
                             {(run["job"], run["inserted"]) for run in runs})
        text = self.site.operate("status").stdout
        self.assertIn("TEST SET-UP", text)
        self.assertIn("50 linked", text)
        self.assertIn("contacts", self.site.operate("runs", "contacts").stdout)


if __name__ == "__main__":
    unittest.main()
