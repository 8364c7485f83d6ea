"""An edit on either side arrives on the other: per field, by the field's rule, and nothing else moves."""
import unittest

import rig
import two_way
from two_way import PEOPLE, Background, TwoWay, job_text

RULES = ("salesforce", "local", "newest", "nonblank", "manual")
BLANKS = ("clear", "keep", "fill")

# Fifteen texts that no validation looks at: a field for each rule with each policy.
TEXTS = ("Title", "Department", "AssistantName", "MailingCity", "MailingState", "MailingPostalCode",
         "MailingCountry", "OtherCity", "OtherState", "OtherPostalCode", "OtherCountry",
         "AssistantPhone", "HomePhone", "OtherPhone", "Fax")
RULED = {field: (rule, blank) for field, (rule, blank) in zip(
    TEXTS, [(rule, blank) for rule in RULES for blank in BLANKS])}
RULED_FIELDS = {"Id": "-> sf_id", **{
    field: f"<-> c_{field.lower()}, conflict={rule}, blank={blank}"
    for field, (rule, blank) in RULED.items()}}

# One side was edited, or both alike: the rule has no say. Before; then what row and record become
# ("." not touched) and what both hold in the end by policy, as (row, record).
EDITS = {
    "the row": ("b", "l", ".", {"clear": ("l", "l"), "keep": ("l", "l"), "fill": ("l", "b")}),
    "the record": ("b", ".", "r", {"clear": ("r", "r"), "keep": ("r", "r"), "fill": ("b", "r")}),
    "the row, blanked": ("b", None, ".", {"clear": (None, None), "keep": (None, "b"),
                                          "fill": (None, "b")}),
    "the record, blanked": ("b", ".", None, {"clear": (None, None), "keep": ("b", None),
                                             "fill": ("b", None)}),
    "the row, filled": (None, "l", ".", dict.fromkeys(BLANKS, ("l", "l"))),
    "the record, filled": (None, ".", "r", dict.fromkeys(BLANKS, ("r", "r"))),
    "both alike": ("b", "x", "x", dict.fromkeys(BLANKS, ("x", "x"))),
    "both, blanked": ("b", None, None, dict.fromkeys(BLANKS, (None, None))),
    "none": ("b", ".", ".", dict.fromkeys(BLANKS, ("b", "b"))),
}

# Both sides were edited. Before, row, record, who was later; then who wins by rule. What a policy
# then forbids is settled as it stands: see decided().
CONTESTS = {
    "two values, row later": ("b", "l", "r", "local"),
    "two values, record later": ("b", "l", "r", "remote"),
    "row blanked, later": ("b", None, "r", "local"),
    "row blanked, record later": ("b", None, "r", "remote"),
    "record blanked, row later": ("b", "l", None, "local"),
    "record blanked, later": ("b", "l", None, "remote"),
    "both filled, row later": (None, "l", "r", "local"),
    "both filled, record later": (None, "l", "r", "remote"),
}
WINNERS = {  # by row and record, then by rule; None: a person must say
    ("l", "r"): {"salesforce": "remote", "local": "local", "nonblank": "remote", "manual": None},
    (None, "r"): {"salesforce": "remote", "local": "local", "nonblank": "remote", "manual": None},
    ("l", None): {"salesforce": "remote", "local": "local", "nonblank": "local", "manual": None},
}
ENDS = {  # by row, record and winner: what both hold in the end, by policy
    ("l", "r", "remote"): {"clear": ("r", "r"), "keep": ("r", "r"), "fill": ("l", "r")},
    ("l", "r", "local"): {"clear": ("l", "l"), "keep": ("l", "l"), "fill": ("l", "r")},
    (None, "r", "remote"): dict.fromkeys(BLANKS, ("r", "r")),
    (None, "r", "local"): {"clear": (None, None), "keep": (None, "r"), "fill": ("r", "r")},
    ("l", None, "remote"): {"clear": (None, None), "keep": ("l", None), "fill": ("l", "l")},
    ("l", None, "local"): dict.fromkeys(BLANKS, ("l", "l")),
}


def decided(rule, blank, row, record, later):
    """What both sides hold in the end; whether it waits for a person."""
    winner = later if rule == "newest" else WINNERS[row, record][rule]
    if blank == "fill" and (row is None or record is None):
        winner = "local" if record is None else "remote"
    if winner is None:
        return (row, record), True
    return ENDS[row, record, winner][blank], False


class Edits(TwoWay):
    def test_an_edit_on_each_side_arrives_and_nothing_else_is_touched(self):
        self.bring_up_people()
        there, here = self.ids(2)
        before = {line["sf_id"]: line for line in self.dump()}
        self.forget_writes()
        self.org.edit("Contact", there, Title="Chief of Tests")
        self.edit_row(here, phone="+33 1 23 45 67 89", score=77)
        counts = self.run_people()
        self.assertEqual((counts["updated"], counts["sent_updated"]), (1, 1))
        self.assertEqual(self.writes()["by_record"], {here: {"Phone": 1, "Lead_Score__c": 1}})
        self.assertEqual(self.record(here)["Phone"], "+33 1 23 45 67 89")
        self.assertEqual(self.record(here)["Lead_Score__c"], 77)
        after = {line["sf_id"]: line for line in self.dump()}
        self.assertEqual(after[there], {**before.pop(there), "title": "Chief of Tests"})
        before[here].update(phone="+33 1 23 45 67 89", score="77")
        self.assertEqual({record: after[record] for record in before}, before)
        self.run_people()
        self.assert_sides_equal()
        self.assert_quiet()

    def test_what_salesforce_makes_of_a_value_is_no_edit(self):
        self.bring_up_people()
        one, two, three = self.ids(3)
        self.edit_row(one, title="  Chief of Blanks  ", score="12.6")
        self.edit_row(two, title="", description="a\r\nb", consent=1)
        self.edit_row(three, renewal="2027-02-28", region="EMEA", title="Zoë 😀 O'Brien\\")
        self.run_people()
        self.run_until_quiet()
        self.assert_sides_equal()
        self.assertEqual(self.record(one)["Lead_Score__c"], 13)
        self.assertIsNone(self.record(two)["Title"])
        self.assertEqual(self.record(three)["Title"], "Zoë 😀 O'Brien\\")
        self.assert_quiet()

    def test_two_fields_of_one_record_edited_at_once_both_survive(self):
        self.bring_up_people(contacts=120)
        ids = self.ids()
        for turn in range(4):
            self.forget_writes()
            for number, record in enumerate(ids):
                in_org = {"Title": f"there {turn}-{number}"}
                in_table = {"department": f"here {turn}-{number}"}
                if (turn + number) % 2:
                    self.org.edit("Contact", record, **in_org)
                    self.edit_row(record, **in_table)
                else:
                    self.edit_row(record, **in_table)
                    self.org.edit("Contact", record, **in_org)
            # Each second time the edits are too young for the page: the guard read sees them.
            if turn % 2:
                self.site.run("people")
            self.run_people()
            for number, record in enumerate(ids):
                row = self.row(record)
                self.assertEqual((row["title"], row["department"]),
                                 (f"there {turn}-{number}", f"here {turn}-{number}"))
            self.assertEqual(self.writes()["fields"], {"Department": len(ids)})
            self.assert_sides_equal()
        self.assertEqual(self.conflicts("--all"), [])
        self.assert_nothing_twice()
        self.assert_quiet()

    def test_an_edit_between_guard_read_and_write_survives(self):
        self.bring_up_people()
        for turn, record in enumerate(self.ids(6)):
            self.edit_row(record, department=f"here {turn}")
            self.org.advance(10)
            self.org.reset_counters()
            # The page, then the guard read: its answer is on its way while a salesperson saves.
            self.org.fault("query_all", skip=1, delay_ms=700)
            run = Background(lambda: self.site.run("people"))
            while not self.org.counters()["faulted"]:
                self.assertTrue(run.is_alive(), "no guard read")
            self.org.edit("Contact", record, Title=f"there {turn}")
            run.join()
            self.org.clear_faults()
            self.run_people()
            self.assertEqual((self.row(record)["title"], self.row(record)["department"]),
                             (f"there {turn}", f"here {turn}"))
            self.assert_sides_equal()
        self.assertEqual(self.conflicts("--all"), [])
        self.assert_quiet()

    def test_a_field_of_one_way_is_put_back_and_counted(self):
        fields = {**PEOPLE, "Title": "-> title", "Department": "<- department"}
        self.bring_up_people(fields=fields)
        down, up = self.ids(2)
        title = self.record(down)["Title"]
        self.edit_row(up, department="ours")
        self.run_people()
        self.edit_row(down, title="not yours")
        self.org.edit("Contact", up, Department="not theirs")
        counts = self.run_people()
        self.assertEqual(counts["put_back"], 2)
        self.assertEqual((self.row(down)["title"], self.record(up)["Department"]), (title, "ours"))
        self.run_until_quiet()
        self.assert_quiet()


class Conflicts(TwoWay):
    def test_each_rule_with_each_policy(self):
        cases = list(EDITS.items()) + list(CONTESTS.items())
        self.bring_up_people(fields=RULED_FIELDS, contacts=len(cases), start=False)
        record_of = dict(zip((name for name, _ in cases), self.ids()))
        for name, case in cases:
            self.org.edit("Contact", record_of[name], **dict.fromkeys(RULED, case[0]))
        self.org.advance(10)
        self.site.start()
        self.run_people()
        self.assertEqual(self.conflicts("--all"), [])
        self.edit_all(record_of)
        self.site.run("people")
        self.org.advance(120)
        self.run_people()
        for name, (_, row, record, ends) in EDITS.items():
            for field, (_, blank) in RULED.items():
                self.assert_held(record_of[name], field, ends[blank], name)
        for name, case in CONTESTS.items():
            for field, (rule, blank) in RULED.items():
                self.assert_held(record_of[name], field, decided(rule, blank, *case[1:])[0], name)
        self.assert_listed(record_of)
        self.assert_quiet()

    def edit_all(self, record_of):
        """The stamps say who was later: ours is that of now."""
        now = self.org.now().timestamp()
        for name, case in {**EDITS, **CONTESTS}.items():
            row, record = case[1:3]
            if row != ".":
                self.edit_row(record_of[name], **{f"c_{field.lower()}": row for field in RULED})
            if record != ".":
                seconds = 60 if case[3] == "remote" else -60
                self.org.admin("edit", {
                    "object": "Contact", "id": record_of[name], "stamp": stamp(now + seconds),
                    "fields": dict.fromkeys(RULED, record)})

    def assert_held(self, record, field, want, name):
        have = (self.row(record)[f"c_{field.lower()}"], self.record(record)[field])
        self.assertEqual(have, want, f"{name}: {field} {RULED[field]}")

    def assert_listed(self, record_of):
        """Each contest once, with both values and times and what was decided; nothing else."""
        listed = {(line["record_id"], line["field"]): line for line in self.conflicts("--all")}
        self.assertEqual(len(listed), len(self.conflicts("--all")))
        wanted = {(record_of[name], field): (rule, blank, case[1:]) for name, case in CONTESTS.items()
                  for field, (rule, blank) in RULED.items()}
        self.assertEqual(set(listed), set(wanted))
        for which, (rule, blank, (row, record, later)) in wanted.items():
            line = listed[which]
            is_open = decided(rule, blank, row, record, later)[1]
            with self.subTest(rule=rule, blank=blank, row=row, record=record, later=later):
                self.assertEqual((line["local"], line["remote"]), (row, record))
                self.assertEqual(line["kind"], "both-changed")
                self.assertEqual(line["local_edited"] > line["remote_edited"], later == "local")
                self.assertTrue(line["at"] and line["run"] and line["reason"])
                self.assertEqual(line["state"], "open" if is_open else "decided")
                if is_open:
                    self.assertIsNone(line["winner"])
        open_ones = {(line["record_id"], line["field"]) for line in self.conflicts()}
        self.assertEqual(open_ones, {which for which, line in listed.items()
                                     if line["state"] == "open"})
        self.assertEqual(self.ledger()["conflicts"], len(open_ones))

    def test_manual_freezes_that_field_alone_until_resolve(self):
        fields = {**PEOPLE, "Title": "<-> title, conflict=manual",
                  "Department": "<-> department, conflict=manual"}
        self.bring_up_people(fields=fields)
        one, two = self.ids(2)
        for record in (one, two):
            self.org.edit("Contact", record, Title="there", Department="there")
            self.edit_row(record, title="here", department="here")
        self.run_people()
        self.assertEqual(len(self.conflicts()), 4)
        # Later edits of the frozen fields stay where they are; the others flow.
        self.edit_row(one, title="here again", phone="1")
        self.org.edit("Contact", one, Department="there again", FirstName="Ada")
        self.forget_writes()
        self.run_people()
        self.assertEqual(self.writes()["by_record"], {one: {"Phone": 1}})
        self.assertEqual(self.row(one)["first_name"], "Ada")
        self.assertEqual((self.row(one)["title"], self.record(one)["Title"]),
                         ("here again", "there"))
        self.assertEqual((self.row(one)["department"], self.record(one)["Department"]),
                         ("here", "there again"))
        self.assertEqual(len(self.conflicts()), 4)

        self.site.operate("resolve", "people", one, "Title", "local")
        self.site.operate("resolve", "people", two, "salesforce")
        self.run_people()
        self.run_people()
        self.assertEqual((self.row(one)["title"], self.record(one)["Title"]),
                         ("here again", "here again"))
        self.assertEqual((self.row(two)["title"], self.row(two)["department"]), ("there", "there"))
        left, = self.conflicts()
        self.assertEqual((left["record_id"], left["field"]), (one, "Department"))
        self.assertEqual(self.site.operate("resolve", "people", two, "local", check=False).returncode,
                         1)
        self.assert_sides_equal(excepted={(one, "Department")})

        # Thawed, it is a field as any other.
        self.edit_row(two, title="once more")
        self.run_people()
        self.assertEqual(self.record(two)["Title"], "once more")
        self.assertEqual(len(self.conflicts("--all")), 4)
        self.run_until_quiet()
        self.assert_quiet()

    def test_two_programs_that_disagree_are_stopped(self):
        self.bring_up_people()
        record, = self.ids(1)
        for turn in range(5):
            self.org.edit("Contact", record, Title=f"there {turn}")
            self.run_people()
            self.edit_row(record, title=f"here {turn}")
            self.run_people()
        frozen, = self.conflicts()
        self.assertEqual((frozen["record_id"], frozen["field"]), (record, "Title"))
        self.org.edit("Contact", record, Title="there", FirstName="Ada")
        self.edit_row(record, title="here", phone="1")
        self.forget_writes()
        self.run_people()
        self.assertEqual(self.writes()["by_record"], {record: {"Phone": 1}})
        self.assertEqual((self.row(record)["title"], self.row(record)["first_name"]),
                         ("here", "Ada"))
        self.site.operate("resolve", "people", record, "Title", "local")
        self.run_people()
        self.assertEqual(self.record(record)["Title"], "here")
        self.run_until_quiet()
        self.assert_sides_equal()


class FirstMatch(TwoWay):
    def test_rows_and_records_that_were_there_before(self):
        fields = {"Id": "-> sf_id", "LastName": "<-> last_name", "Email": "<-> email",
                  "Title": "<-> title", "Department": "<-> department, conflict=local",
                  "MailingCity": "<-> city, conflict=nonblank",
                  "MailingState": "<-> state, conflict=manual",
                  "Phone": "<-> phone, blank=keep"}
        self.bring_up_people(fields=fields, contacts=0, start=False, table="""
            CREATE TABLE person (id INTEGER PRIMARY KEY AUTOINCREMENT, sf_id TEXT, last_name TEXT,
                email TEXT, title TEXT, department TEXT, city TEXT, state TEXT, phone TEXT);
            CREATE INDEX person_email ON person (email COLLATE NOCASE);
            INSERT INTO person (last_name, email, title, department, city, state, phone) VALUES
                ('Okafor', 'ADA@acme.example', 'here', 'here', 'here', 'here', 'here');""",
                             jobs=[job_text("people", fields,
                                            options=f"match = Email\n{two_way.CREATES}")])
        record = self.org.create("Contact", LastName="Okafor", Email="ada@acme.example",
                                 Title="there", Department="there", MailingState="there")
        self.site.start()
        self.run_people()
        self.run_people()
        self.assertEqual(len(self.dump()), 1)
        row = self.row(record)
        self.assertEqual([row[column] for column in ("title", "department", "city", "state", "phone")],
                         ["there", "here", "here", "here", "here"])
        after = self.record(record)
        # Salesforce wins with a blank, which may overwrite nothing.
        self.assertEqual([after[field] for field in ("Title", "Department", "MailingCity",
                                                     "MailingState", "Phone")],
                         ["there", "here", "here", "there", None])
        kinds = {line["field"]: (line["kind"], line["state"]) for line in self.conflicts("--all")}
        self.assertEqual(kinds["Title"], ("first-match", "decided"))
        self.assertEqual(kinds["Department"], ("first-match", "decided"))
        self.assertEqual(kinds["MailingState"], ("first-match", "open"))
        self.assertEqual(len(self.org.query("SELECT Id FROM Contact")), 1)
        self.run_until_quiet()
        self.assert_quiet()


def stamp(epoch_s):
    return rig.datetime.datetime.fromtimestamp(epoch_s, rig.datetime.timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    unittest.main()
