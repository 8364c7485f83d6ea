"""Any program may write to the table at any time, in any way that SQLite has; none of it is lost."""
import subprocess
import sys
import unittest

import compare
import rig
import two_way
from two_way import PEOPLE, PERSON_TABLE, TwoWay, columns_of, job_text

CREATES = two_way.CREATES
MATCHES = f"match = Email\n{CREATES}"

# Another program, writing until it is told to stop; then it says how often it wrote.
WRITER = """
import sqlite3, sys, threading, time
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
database = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
keys = [key for key, in database.execute("SELECT id FROM person ORDER BY id LIMIT 40")]
count = 0
while not stop.is_set() or count < 200:
    database.execute("UPDATE person SET department = ?, phone = ? WHERE id = ?",
                     (f"w{count}", f"+{count}", keys[count % len(keys)]))
    count += 1
    time.sleep(0.001)  # SQLite is not fair to those who wait for a writer without a pause
print(count)
"""


class Programs(TwoWay):
    def shell(self, *statements):
        """The sqlite3 shell, as an operator has it."""
        subprocess.run(["sqlite3", "-cmd", ".timeout 10000", str(self.site.store)],
                       input="\n".join(statements), text=True, check=True,
                       timeout=rig.PATIENCE_S)

    def test_the_shell(self):
        self.bring_up_people()
        one, two = self.ids(2)
        self.shell(f"UPDATE person SET title = 'of the shell' WHERE sf_id = '{one}';",
                   "BEGIN;", f"UPDATE person SET phone = '1' WHERE sf_id = '{two}';",
                   "SAVEPOINT a;", f"UPDATE person SET phone = '2' WHERE sf_id = '{one}';",
                   "ROLLBACK TO a;", "COMMIT;",
                   "BEGIN;", "UPDATE person SET city = 'nowhere';", "ROLLBACK;")
        self.forget_writes()
        self.run_people()
        self.assertEqual(self.writes()["by_record"], {one: {"Title": 1}, two: {"Phone": 1}})
        self.run_people()
        self.assert_sides_equal()
        self.assert_quiet()

    def test_a_writer_that_never_rests(self):
        self.bring_up_people(contacts=60)
        with subprocess.Popen([sys.executable, "-c", WRITER, str(self.site.store)], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              preexec_fn=rig.die_with_parent) as writer:
            for turn in range(4):
                for record in self.ids(20):
                    self.org.edit("Contact", record, Title=f"there {turn}")
                self.run_people()
            written, _ = writer.communicate(timeout=rig.PATIENCE_S)
        self.assertGreater(int(written), 100)
        self.run_until_quiet()
        for record in self.ids(20):
            self.assertEqual(self.row(record)["title"], "there 3")
        self.assert_sides_equal()
        self.assertEqual(self.conflicts("--all"), [])
        self.assert_nothing_twice()
        self.assert_quiet()

    def test_replaced_and_upserted_rows(self):
        self.bring_up_people(table=PERSON_TABLE, options=f"{MATCHES}\nconflict = local")
        replaced, upserted = self.ids(2)
        for number, record in enumerate((replaced, upserted)):
            self.org.edit("Contact", record, Email=f"n{number}@acme.example")
        self.run_people()
        # A new row in the place of the old one, known again by its email.
        row = self.row(replaced)
        row["title"] = "replaced"
        names = ", ".join(row)
        self.sql(f"INSERT OR REPLACE INTO person ({names}) VALUES ({', '.join('?' * len(row))})",
                 *row.values())
        self.sql("INSERT INTO person (id, last_name) VALUES (?, 'x') ON CONFLICT (id) DO UPDATE "
                 "SET title = 'upserted'", self.row(upserted)["id"])
        self.run_people()
        self.assertEqual(self.record(replaced)["Title"], "replaced")
        self.assertEqual(self.record(upserted)["Title"], "upserted")
        self.run_until_quiet()
        self.assertEqual((len(self.ids()), len(self.dump())), (20, 20))
        line, = self.conflicts("--all")
        self.assertEqual((line["kind"], line["field"], line["winner"]),
                         ("first-match", "Title", "local"))
        self.assert_sides_equal()
        self.assert_quiet()

    def test_a_key_that_changes_is_the_same_person(self):
        self.bring_up_people(options=CREATES)
        ids = self.ids(4)
        self.sql("UPDATE person SET id = id + 100000 WHERE sf_id = ?", ids[0])
        self.sql("UPDATE person SET id = id + 100000, title = 'both at once' WHERE sf_id = ?", ids[1])
        # Two rows that change places.
        low, high = self.row(ids[2])["id"], self.row(ids[3])["id"]
        self.script(f"""BEGIN; UPDATE person SET id = -1 WHERE id = {low};
                        UPDATE person SET id = {low} WHERE id = {high};
                        UPDATE person SET id = {high} WHERE id = -1; COMMIT;""")
        self.edit_row(ids[2], title="changed places")
        self.forget_writes()
        self.run_people()
        self.assertEqual(self.writes()["by_record"], {ids[1]: {"Title": 1}, ids[2]: {"Title": 1}})
        self.org.edit("Contact", ids[0], Title="of the old number")
        self.org.edit("Contact", ids[3], Title="of the other place")
        self.run_people()
        self.assertEqual(self.row(ids[0])["title"], "of the old number")
        self.assertEqual(self.row(ids[3])["title"], "of the other place")
        self.assertEqual(len(self.ids()), 20)
        self.assert_sides_equal()
        self.assert_quiet()

    def test_a_deleted_row_and_a_new_one_of_its_key(self):
        """DELETE and INSERT of one key: a new person, who must be recognised anew."""
        self.bring_up_people(table=PERSON_TABLE, options=MATCHES)
        record, = self.ids(1)
        key = self.row(record)["id"]
        self.script(f"""BEGIN; DELETE FROM person WHERE id = {key};
                        INSERT INTO person (id, last_name, email)
                        VALUES ({key}, 'Somebody', 'else@acme.example'); COMMIT;""")
        before = self.record(record)
        self.run_people()
        self.run_people()
        self.assertEqual(self.record(record), before)
        row, = [row for row in self.dump() if row["email"] == "else@acme.example"]
        self.assertNotEqual(row["sf_id"], record)
        self.assertEqual(self.record(row["sf_id"])["LastName"], "Somebody")
        self.assertEqual(len(self.ids()), 21)
        self.assert_quiet()

    def test_triggers_of_their_own(self):
        self.bring_up_people(table=PERSON_TABLE + """
            CREATE TABLE audit (at INTEGER PRIMARY KEY, what TEXT);
            CREATE TRIGGER loud AFTER UPDATE OF city ON person WHEN NEW.city <> upper(NEW.city)
            BEGIN UPDATE person SET city = upper(NEW.city) WHERE id = NEW.id; END;
            CREATE TRIGGER noted AFTER UPDATE ON person
            BEGIN INSERT INTO audit (what) VALUES (NEW.sf_id); END;""")
        one, two = self.ids(2)
        self.edit_row(one, city="paris")
        self.run_people()
        self.assertEqual(self.record(one)["MailingCity"], "PARIS")
        # What their trigger makes of our value is neither an edit nor a quarrel.
        self.org.edit("Contact", two, MailingCity="berlin", Title="there")
        self.run_people()
        self.assertEqual((self.row(two)["city"], self.row(two)["title"]), ("BERLIN", "there"))
        self.run_until_quiet()
        self.forget_writes()
        self.run_people()
        self.assertEqual(self.writes()["requests"], 0)
        self.edit_row(two, phone="1")
        self.run_people()
        self.assertEqual(self.writes()["by_record"], {two: {"Phone": 1}})
        self.assert_sides_equal(excepted={(two, "MailingCity")})
        self.assertEqual(self.conflicts("--all"), [])
        self.assert_quiet()

    def test_an_application_keeps_its_own_conflict_clause(self):
        """A trigger with a clause of its own would change the one of the statement that fires it."""
        self.bring_up_people()
        key = self.dump()[0]["id"]
        self.sql("INSERT OR IGNORE INTO person (id, last_name) VALUES (?, 'x')", key)
        with self.assertRaises(two_way.sqlite3.IntegrityError):
            self.sql("INSERT INTO person (id, last_name) VALUES (?, 'x')", key)
        self.run_people()
        self.assert_sides_equal()


class Deletions(TwoWay):
    def test_a_deletion_crosses_and_an_edit_is_stronger(self):
        self.bring_up_people(options="on_local_delete = delete\non_remote_delete = delete")
        here, here_edited, there, there_edited, alive = self.ids(5)
        self.sql("DELETE FROM person WHERE sf_id IN (?, ?)", here, here_edited)
        self.org.edit("Contact", here_edited, Title="edited")
        self.edit_row(there_edited, title="edited")
        self.org.delete("Contact", there)
        self.org.delete("Contact", there_edited)
        counts = self.run_people()
        self.assertEqual((counts["sent_deleted"], counts["deleted"]), (1, 1))
        self.run_until_quiet()
        self.assertNotIn(here, self.ids())
        self.assertEqual(self.row(here_edited)["title"], "edited")
        self.assertEqual(self.sql("SELECT 1 FROM person WHERE sf_id = ?", there), [])
        left = self.row(there_edited)
        self.assertEqual(left["title"], "edited")
        self.assertEqual({(line["kind"], line["record_id"], line["winner"])
                          for line in self.conflicts("--all")},
                         {("delete-edit", here_edited, "remote"),
                          ("delete-edit", there_edited, "local")})
        self.assertIn(alive, self.ids())
        self.assert_sides_equal(excepted={str(left["id"])})
        self.assert_quiet()

    def test_who_was_deleted_is_not_made_again(self):
        self.bring_up_people(options=f"on_local_delete = keep\non_remote_delete = keep\n{CREATES}")
        here, there = self.ids(2)
        self.sql("DELETE FROM person WHERE sf_id = ?", here)
        self.org.delete("Contact", there)
        self.run_people()
        self.edit_row(there, title="of the dead")
        self.run_people()
        self.run_until_quiet()
        self.assertIn(here, self.ids())
        self.assertEqual((len(self.ids()), len(self.dump())), (19, 19))
        self.assertEqual(self.sql("SELECT 1 FROM person WHERE sf_id = ?", here), [])
        self.assertEqual(self.writes()["requests"], 0)

    def test_a_row_that_ends_while_its_record_is_made(self):
        self.bring_up_people(table=PERSON_TABLE, options=MATCHES)
        insert = "INSERT INTO person (last_name, email) VALUES ('Made', ?)"
        self.sql(insert, "lost@acme.example")
        self.org.fault("collections", commit=True, reset=True)
        self.site.operate("run", "people", check=False)
        self.sql(insert, "never@acme.example")
        self.sql("DELETE FROM person WHERE email IN ('lost@acme.example', 'never@acme.example')")
        self.org.advance(700)
        self.run_until_quiet()
        made = self.org.query("SELECT Id FROM Contact WHERE Leadsync_Key__c != null")
        self.assertEqual(len(made), 1)
        self.assert_quiet()


class TwoJobs(TwoWay):
    LEAD = {"Id": "-> lead_id", "FirstName": "<-> first_name", "LastName": "<-> last_name",
            "Email": "<-> email", "Title": "<-> title", "Phone": "<-> phone"}

    def test_contacts_and_leads_in_one_table(self):
        contact = {name: PEOPLE[name] for name in ("Id", "FirstName", "LastName", "Email", "Title",
                                                   "Phone")}
        jobs = [job_text("people", contact, options=CREATES),
                job_text("prospects", self.LEAD, object_name="Lead", options="create = local")]
        self.bring_up_people(jobs=jobs, fields=contact, contacts=30, leads=20)
        self.run_people("prospects")
        for job in ("people", "prospects"):
            self.run_people(job)
        self.assertEqual((len(self.dump()), len(self.ids()), len(self.ids(object_name="Lead"))),
                         (50, 30, 20))
        record, = self.ids(1)
        lead, = self.ids(1, "Lead")
        self.forget_writes()
        self.edit_row(record, title="a contact")
        self.sql("UPDATE person SET title = 'a lead' WHERE lead_id = ?", lead)
        self.sql("INSERT INTO person (last_name, email) VALUES ('Made', 'made@acme.example')")
        for _ in range(2):
            for job in ("people", "prospects"):
                self.run_people(job)
        self.assertEqual(self.record(record)["Title"], "a contact")
        self.assertEqual(self.writes("Lead")["by_record"], {lead: {"Title": 1}})
        self.assertEqual(self.writes()["by_record"].pop(record), {"Title": 1})
        self.assertEqual((len(self.dump()), len(self.ids()), len(self.ids(object_name="Lead"))),
                         (51, 31, 20))
        self.assert_pairs_equal("sf_id", contact, "Contact")
        self.assert_pairs_equal("lead_id", self.LEAD, "Lead")
        self.assert_nothing_twice()
        for job in ("people", "prospects"):
            self.assert_quiet(job)

    def assert_pairs_equal(self, id_column, fields, object_name):
        """Rows of the other job have no record of this object."""
        others = {str(row["id"]) for row in self.dump() if not row[id_column]}
        found = compare.two_way_differences(self.org, self.site.store, "person", object_name,
                                            columns_of(fields), excepted=others)
        self.assertEqual(found, [])

    def test_a_column_of_two_jobs_passes_an_edit_on(self):
        """The same Contacts twice over: what one job writes into the table is an edit to the other."""
        half = {"Id": "-> sf_id", "Title": "<-> title"}
        other = {"Id": "-> lead_id", "Title": "<-> title", "Email": "<-> email"}
        jobs = [job_text("people", half, options="create = local"),
                job_text("prospects", other, object_name="Lead",
                         options="match = Email\ncreate = none")]
        self.bring_up_people(jobs=jobs, fields=half, contacts=3, leads=1, load=False,
                             table=PERSON_TABLE + "ALTER TABLE person ADD COLUMN lead_id TEXT;")
        self.run_people()
        record, = self.ids(1)
        lead, = self.ids(object_name="Lead")
        self.org.edit("Lead", lead, Email="ada@acme.example")
        self.edit_row(record, email="ada@acme.example")
        for _ in range(2):
            for job in ("prospects", "people"):
                self.run_people(job)
        self.assertEqual(self.row(record)["lead_id"], lead)
        self.org.edit("Contact", record, Title="of the contact")
        for job in ("people", "prospects", "people"):
            self.run_people(job)
        self.assertEqual(self.record(lead, "Lead", ["Title"])["Title"], "of the contact")
        self.org.edit("Lead", lead, Title="of the lead")
        for job in ("prospects", "people", "prospects"):
            self.run_people(job)
        self.assertEqual(self.record(record, fields=["Title"])["Title"], "of the lead")
        for job in ("people", "prospects"):
            self.assert_quiet(job)


if __name__ == "__main__":
    unittest.main()
