"""What the table owes goes up: who is made and who is recognised, what is refused, what waits."""
import collections
import re
import unittest

import two_way
from two_way import PERSON_TABLE, Background, TwoWay, job_text

CREATES = two_way.CREATES
MATCHES = f"match = Email\n{CREATES}"
EXPIRED = '[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]'


class Refusals(TwoWay):
    # Kind -> the field at fault (None: Salesforce names none), what the row becomes.
    BAD = {
        "STRING_TOO_LONG": ("FirstName", {"first_name": "x" * 41}),
        "INVALID_EMAIL_ADDRESS": ("Email", {"email": "foo@"}),
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": ("Region__c", {"region": "Moon"}),
        "NUMBER_OUTSIDE_VALID_RANGE": ("Lead_Score__c", {"score": "123456"}),
        "REQUIRED_FIELD_MISSING": ("LastName", {"last_name": None}),
        "FIELD_CUSTOM_VALIDATION_EXCEPTION": ("Title", {"title": "King"}),
        "DUPLICATES_DETECTED": (None, {"email": "taken@acme.example"}),
    }

    def test_seven_bad_of_two_hundred(self):
        self.bring_up_people(contacts=201)
        *ids, taken = self.ids()
        self.org.edit("Contact", taken, Email="taken@acme.example")
        self.run_people()
        self.org.admin("validations", {"object": "Contact", "field": "Title", "equals": "King",
                                       "message": "No kings here", "at": "Title"})
        self.org.admin("rules", {"duplicates": "block"})
        bad = dict(zip(self.BAD, ids[10:150:20]))
        good = [record for record in ids if record not in bad.values()]
        self.assertEqual(len(good), 193)
        for record in good:
            self.edit_row(record, department=f"new {record}")
        for code, record in bad.items():
            self.edit_row(record, **self.BAD[code][1])
        self.forget_writes()
        counts = self.run_people()
        self.assertEqual((counts["sent_updated"], counts["refused"]), (193, 7))
        for record in good:
            self.assertEqual(self.record(record, fields=["Department"])["Department"], f"new {record}")
        self.assertEqual(self.writes()["requests"], 1)
        listed = {line["code"]: line for line in self.errors()}
        self.assertEqual(set(listed), set(self.BAD))
        self.assertEqual(len(self.errors()), 7)
        for code, record in bad.items():
            with self.subTest(code):
                line = listed[code]
                self.assertEqual((line["direction"], line["field"], line["record_id"], line["key"]),
                                 ("up", self.BAD[code][0], record, str(self.row(record)["id"])))
                self.assertTrue(line["text"] and line["remedy"])
        self.assertIn("No kings here", listed["FIELD_CUSTOM_VALIDATION_EXCEPTION"]["text"])

        # Not again.
        self.run_people()
        self.assert_quiet()
        self.assertEqual(len(self.errors()), 7)

        # Mended, that one goes. A row that changed in another field is tried as a whole, once.
        self.forget_writes()
        self.edit_row(bad["INVALID_EMAIL_ADDRESS"], email="right@acme.example")
        self.edit_row(bad["STRING_TOO_LONG"], department="by itself")
        self.run_people()
        sent = self.writes()["by_record"]
        self.assertEqual(set(sent), {bad["INVALID_EMAIL_ADDRESS"], bad["STRING_TOO_LONG"]})
        self.assertEqual(sent[bad["INVALID_EMAIL_ADDRESS"]], {"Email": 1})
        self.assertLessEqual(sent[bad["STRING_TOO_LONG"]].pop("FirstName", 0), 1)
        self.assertEqual(self.record(bad["STRING_TOO_LONG"])["Department"], "by itself")
        self.assertEqual(len(self.errors()), 6)

        # What was mended over there goes once somebody says so.
        self.org.admin("validations", method="DELETE")
        king = bad["FIELD_CUSTOM_VALIDATION_EXCEPTION"]
        self.forget_writes()
        self.run_people()
        self.assertEqual(self.writes()["requests"], 0)
        self.site.operate("retry", "people", king)
        self.run_people()
        self.assertEqual(self.record(king)["Title"], "King")
        self.site.operate("ignore", "people", bad["DUPLICATES_DETECTED"])
        self.assertEqual(len(self.errors()), 4)
        self.assertEqual(len(self.errors("--all")), 5)
        self.run_until_quiet()
        self.assert_sides_equal(excepted=bad.values())
        self.assert_quiet()

    def test_a_locked_record_holds_nobody_up_and_waits(self):
        self.bring_up_people(contacts=200)
        ids = self.ids()
        self.org.admin("denials", {"code": "UNABLE_TO_LOCK_ROW", "id": ids[77]})
        self.sql("UPDATE person SET department = 'new ' || id")
        counts = self.run_people()
        self.assertEqual(counts["sent_updated"], 199)
        self.assertEqual(self.errors(), [])
        due, = self.backlog()
        self.assertEqual((due["record_id"], due["state"]), (ids[77], "waiting"))
        self.assertGreaterEqual(due["tries"], 1)
        self.assertTrue(due["not_before"])

    def test_one_bad_literal_fails_the_request_but_not_the_others(self):
        self.bring_up_people(contacts=40)
        ids = self.ids()
        self.sql("UPDATE person SET department = 'new ' || id")
        self.edit_row(ids[7], score="many", renewal="2026-02-30")
        self.run_people()
        self.run_people()
        for record in ids:
            row = self.row(record)
            self.assertEqual(self.record(record)["Department"], f"new {row['id']}")
        self.assertEqual({(line["record_id"], line["field"]) for line in self.errors()},
                         {(ids[7], "Lead_Score__c"), (ids[7], "Renewal_Date__c")})
        self.assert_quiet()


class Creation(TwoWay):
    def bring_up_matching(self, **options):
        self.bring_up_people(table=PERSON_TABLE, options=MATCHES, **options)

    def insert(self, email, **columns):
        columns = {"last_name": "Made", "email": email, **columns}
        self.sql(f"INSERT INTO person ({', '.join(columns)}) VALUES "
                 f"({', '.join('?' * len(columns))})", *columns.values())

    def keys(self):
        """Email -> our key in every Contact that has one."""
        found = self.org.query(
            "SELECT Email, Leadsync_Key__c FROM Contact WHERE Leadsync_Key__c != null")
        self.assertEqual(len({record["Email"] for record in found}), len(found))
        return {record["Email"]: record["Leadsync_Key__c"] for record in found}

    def test_rows_become_records_once(self):
        self.bring_up_matching()
        for number in range(30):
            self.insert(f"made{number}@acme.example", title=f"title {number}", score=str(number))
        counts = self.run_people()
        self.assertEqual(counts["sent_created"], 30)
        self.run_until_quiet()
        keys = self.keys()
        self.assertEqual(len(keys), 30)
        self.assertEqual(len(set(keys.values())), 30)
        for key in keys.values():
            self.assertRegex(key, re.compile("^[0-9a-f]{32}$"))
        self.assert_sides_equal(identity="Email")
        self.assertEqual(self.sql("SELECT count(*) AS n FROM person WHERE sf_id IS NULL")[0]["n"], 0)
        self.assert_quiet()

    def test_lost_answers_make_nobody_twice(self):
        self.bring_up_matching()
        for number in range(40):
            self.insert(f"made{number}@acme.example")
        # Done, and not heard of; then done minutes after its answer was lost.
        self.org.fault("collections", commit=True, reset=True)
        self.site.operate("run", "people", check=False)
        for number in range(40, 60):
            self.insert(f"made{number}@acme.example")
        self.org.fault("collections", commit_later_s=240)
        self.site.operate("run", "people", check=False)
        self.edit_row(self.ids(1)[0], title="after all")
        self.org.clear_faults()
        self.org.advance(700)
        self.run_until_quiet()
        self.assertEqual(len(self.keys()), 60)
        self.assert_sides_equal(identity="Email")
        self.assert_nothing_twice()
        self.assert_quiet()

    def test_one_made_long_after_its_answer_was_lost_is_made_once(self):
        self.bring_up_matching()
        self.insert("made@acme.example", title="first")
        self.org.fault("collections", commit_later_s=1500)
        self.site.operate("run", "people", check=False)
        # Given up, and asked for again; then the first request comes after all.
        self.org.advance(700)
        self.run_until_quiet()
        self.assertEqual(len(self.keys()), 1)
        self.sql("UPDATE person SET title = 'second' WHERE email = 'made@acme.example'")
        self.run_people()
        self.org.advance(900)
        self.run_until_quiet()
        self.assertEqual(self.org.admin("pending")["pending"], [])
        self.assertEqual(len(self.ids()), 21)
        self.assert_sides_equal(identity="Email")
        self.assert_quiet()

    def test_known_by_email_or_by_nobody(self):
        self.bring_up_matching()
        one = self.org.create("Contact", LastName="Okafor", Email="ada@acme.example")
        for name in ("Berg", "Brook"):
            self.org.create("Contact", LastName=name, Email="two@acme.example")
        two = [record["Id"] for record in
               self.org.query("SELECT Id FROM Contact WHERE Email = 'two@acme.example'")]
        self.insert("Ada@Acme.example", last_name="Okafor", title="here")
        self.insert("two@acme.example")
        self.run_people()
        self.run_people()
        self.assertEqual(self.keys(), {})
        self.assertEqual(len([row for row in self.dump() if row["sf_id"] == one]), 1)
        line, = [line for line in self.conflicts() if line["kind"] == "several-matches"]
        row, = [row for row in self.dump() if row["email"] == "two@acme.example"
                and not row["sf_id"]]
        self.assertEqual(line["key"], str(row["id"]))
        for record in two:
            self.assertIn(record, line["reason"])
        self.site.operate("resolve", "people", str(row["id"]), "--record", two[1])
        self.run_people()
        self.run_until_quiet()
        self.assertEqual(self.row(two[1])["id"], row["id"])
        self.assertEqual([line for line in self.conflicts() if line["kind"] == "several-matches"], [])
        self.assert_sides_equal()
        self.assert_quiet()

    def test_a_record_of_theirs_and_a_row_of_ours_meet(self):
        """Made on both sides between two runs."""
        self.bring_up_matching()
        self.insert("ada@acme.example", title="here")
        record = self.org.create("Contact", LastName="Made", Email="ada@acme.example",
                                 Phone="there")
        self.run_people()
        self.run_people()
        row = self.row(record)
        self.assertEqual(row["phone"], "there")
        self.assertEqual(len([line for line in self.dump()
                              if line["email"] == "ada@acme.example"]), 1)
        self.assertEqual(self.keys(), {})
        self.run_until_quiet()
        self.assert_sides_equal()


class Waiting(TwoWay):
    def test_paused_means_no_write_anywhere(self):
        self.bring_up_people(table=PERSON_TABLE, options=MATCHES)
        there, here = self.ids(2)
        self.site.operate("pause", "people")
        self.org.edit("Contact", there, Title="there")
        self.edit_row(here, title="here")
        self.sql("INSERT INTO person (last_name, email) VALUES ('Made', 'made@acme.example')")
        before = self.dump()
        self.org.advance(10)
        self.forget_writes()
        self.org.reset_counters()
        self.assertNotEqual(self.site.operate("run", "people", check=False).returncode, 0)
        self.site.stop()
        self.site.start()
        self.assertNotEqual(self.site.operate("run", "people", check=False).returncode, 0)
        self.assertEqual(self.dump(), before)
        self.assertEqual(self.org.admin("writes"), {})
        self.site.operate("resume", "people")
        self.run_people()
        self.assertEqual(self.row(there)["title"], "there")
        self.assertEqual(self.record(here)["Title"], "here")
        self.run_until_quiet()
        self.assert_sides_equal(identity=None)

    def test_a_later_edit_waits_for_an_unanswered_write(self):
        """Sent at once, it would be overwritten as soon as the first one came."""
        self.bring_up_people()
        record, other = self.ids(2)
        self.edit_row(record, title="first")
        self.org.fault("collections", commit_later_s=200)
        self.site.operate("run", "people", check=False)
        self.edit_row(record, title="second")
        self.edit_row(other, title="not held up")
        self.org.advance(30)
        self.forget_writes()
        self.run_people()
        self.assertEqual(self.writes()["by_record"], {other: {"Title": 1}})
        self.assertEqual({line["state"] for line in self.backlog()
                          if line["record_id"] == record} & {"unknown"}, {"unknown"})
        self.org.advance(200)
        self.run_people()
        self.run_until_quiet()
        self.assertEqual((self.record(record)["Title"], self.row(record)["title"]),
                         ("second", "second"))
        self.assert_sides_equal()
        self.assert_quiet()

    def test_calls_spent_in_the_middle(self):
        self.bring_up_people(contacts=500)
        self.sql("UPDATE person SET department = 'new ' || id")
        used = self.org.admin("limits")["used"]
        # Enough for describe, page, and one batch with its guard read.
        self.org.admin("limits", {"used": used, "max": used + 5})
        error = self.run_people(check=False)
        self.assertEqual((error["kind"], error["code"]), ("quota", "REQUEST_LIMIT_EXCEEDED"))
        self.org.admin("limits", {"max": 15000})
        sent = len(self.org.query("SELECT Id FROM Contact WHERE Department LIKE 'new %'"))
        self.assertIn(sent, (200, 400))
        backlog = self.ledger()["backlog"]
        self.assertEqual((backlog["waiting"], backlog["sent"], backlog["unknown"]), (500 - sent, 0, 0))
        self.assertEqual(self.run_people()["sent_updated"], 500 - sent)
        self.run_people()
        self.assert_sides_equal()
        self.assert_nothing_twice()
        self.assert_quiet()

    def test_a_token_that_ends_in_the_middle(self):
        self.bring_up_people(contacts=500)
        self.sql("UPDATE person SET department = 'new ' || id")
        self.forget_writes()
        self.org.fault("collections", skip=1, status=401, body=EXPIRED)
        counts = self.run_people()
        self.assertEqual(counts["sent_updated"], 500)
        self.assertEqual(self.writes()["requests"], 4)
        self.run_people()
        self.assert_sides_equal()
        self.assert_nothing_twice()
        self.assert_quiet()

    def test_untouched_fields_are_never_sent(self):
        self.bring_up_people(contacts=100)
        ids = self.ids()
        touched = collections.defaultdict(set)
        fields = [("Title", "title"), ("Phone", "phone"), ("MailingCity", "city"),
                  ("Description", "description")]
        self.forget_writes()
        for turn in range(3):
            for number, record in enumerate(ids):
                field, column = fields[(number + turn) % 4]
                if number % 3 == turn:
                    self.edit_row(record, **{column: f"here {turn}"})
                    touched[record].add(field)
                else:
                    self.org.edit("Contact", record, **{field: f"there {turn}"})
            self.run_people()
            self.assert_sides_equal()
        sent = {record: set(counts) for record, counts in self.writes()["by_record"].items()}
        self.assertEqual(sent, touched)
        self.assert_nothing_twice()

    def test_a_long_job_holds_no_other_up(self):
        fields = {"Id": "-> sf_id", "LastName": "<-> last_name", "Title": "<-> title"}
        self.bring_up_people(
            jobs=[job_text("people", fields), job_text("leads", fields, "lead", "Lead")],
            fields=fields, contacts=20, leads=3000, account_options="parallel = 1", start=False,
            emulator_options=("--latency-ms", "15"))
        self.org.admin("pages", {"max": 200})
        self.site.start()
        self.run_people()
        self.site.run("leads")
        self.sql("UPDATE lead SET title = 'new ' || id")
        long = Background(lambda: self.site.run("leads"))
        self.site.log.wait_for("event=run_start job=leads")
        for turn in range(3):
            record = self.ids(1)[0]
            self.edit_row(record, title=f"here {turn}")
            self.run_people()
            self.assertEqual(self.record(record)["Title"], f"here {turn}")
        self.assertTrue(long.is_alive(), "the long job was over before the short one")
        self.assertEqual(long.join()["run"]["sent_updated"], 3000)


if __name__ == "__main__":
    unittest.main()
