"""The base of the two-way scenarios: jobs whose fields go both ways, and a way to edit each side."""
import contextlib
import json
import sqlite3
import threading

import compare
import rig
from scenario import Scenario

PEOPLE = {
    "Id": "-> sf_id", "FirstName": "<-> first_name", "LastName": "<-> last_name",
    "Email": "<-> email", "Title": "<-> title", "Phone": "<-> phone",
    "Department": "<-> department", "MailingCity": "<-> city", "Description": "<-> description",
    "Lead_Score__c": "<-> score", "Consent__c": "<-> consent", "Renewal_Date__c": "<-> renewal",
    "Region__c": "<-> region",
}
CREATES = "external_id = Leadsync_Key__c\ncreate = both"
# What a run changed on either side, or tried to.
WORK = ("inserted", "updated", "deleted", "sent_created", "sent_updated", "sent_deleted", "refused",
        "unknown", "put_back")


def columns_of(fields):
    """Field -> column, of lines as a [fields] section has them."""
    return {field: line.split(",")[0].split()[1] for field, line in fields.items()}


def job_text(name, fields, table="person", object_name="Contact", options="", every="7d"):
    lines = "\n".join(f"{field} = {line}" for field, line in fields.items())
    return f"""
[job {name}]
account = production
object = {object_name}
store = crm
table = {table}
every = {every}
{options}

[fields {name}]
{lines}
"""


def conf_text(site, jobs, account_options=""):
    """A conf of these jobs, as text of job_text(), and of what every scenario has."""
    head = site.standard_conf({}, "7d", "", "", "")
    head = head[:head.index("[job contacts]")]
    return head.replace("[store crm]", f"{account_options}\n\n[store crm]") + "".join(jobs)


class Background(threading.Thread):
    """Something done meanwhile; join() answers with what it answered, or raises what it raised."""

    def __init__(self, work):
        super().__init__(daemon=True)
        self._work, self._answer, self._error = work, None, None
        self.start()

    def run(self):
        try:
            self._answer = self._work()
        except BaseException as error:  # pylint: disable=broad-except
            self._error = error

    def join(self, timeout=rig.PATIENCE_S):
        super().join(timeout)
        if self._error:
            raise self._error
        return self._answer


# What an application would have made, to match by Email in it.
PERSON_TABLE = """
CREATE TABLE person (id INTEGER PRIMARY KEY AUTOINCREMENT, sf_id TEXT, first_name TEXT,
    last_name TEXT, email TEXT, title TEXT, phone TEXT, department TEXT, city TEXT, description TEXT,
    score TEXT, consent INTEGER, renewal TEXT, region TEXT);
CREATE INDEX person_email ON person (email COLLATE NOCASE);
"""


class TwoWay(Scenario):
    """One job `people`, of Contacts and the table `person`, unless told otherwise."""

    def bring_up_people(self, fields=None, options="on_remote_delete = keep", jobs=None, table=None,
                        contacts=20, leads=0, account_options="", load=True, emulator_options=(),
                        start=True):
        """`table`: SQL by which somebody made the table before us."""
        self.fields = fields or PEOPLE
        jobs = jobs or [job_text("people", self.fields, options=options)]
        self.bring_up(contacts=contacts, leads=leads, emulator_options=emulator_options, start=False,
                      conf=lambda site: conf_text(site, jobs, account_options))
        if table:
            self.script(table)
        if start:
            self.site.start()
            if load:
                self.run_people()

    # The table, as another program sees it.
    def connect(self):
        connection = sqlite3.connect(self.site.store, timeout=rig.PATIENCE_S, isolation_level=None)
        connection.row_factory = sqlite3.Row
        return contextlib.closing(connection)

    def script(self, text):
        with self.connect() as database:
            database.executescript(text)

    def sql(self, statement, *values):
        """Rows, as dicts."""
        with self.connect() as database:
            return [dict(row) for row in database.execute(statement, values).fetchall()]

    def row(self, record_id):
        found = self.sql("SELECT * FROM person WHERE sf_id = ?", record_id)
        self.assertEqual(len(found), 1, record_id)
        return found[0]

    def edit_row(self, record_id, **columns):
        names = ", ".join(f'"{column}" = ?' for column in columns)
        self.sql(f"UPDATE person SET {names} WHERE sf_id = ?", *columns.values(), record_id)

    def dump(self, table="person"):
        return self.sql(f"SELECT * FROM {table} ORDER BY 1")

    # The org.
    def ids(self, count=None, object_name="Contact"):
        found = [record["Id"] for record in
                 self.org.query(f"SELECT Id FROM {object_name} ORDER BY Id")]
        return found[:count]

    def record(self, record_id, object_name="Contact", fields=None):
        names = ", ".join(name for name in fields or self.fields)
        found, = self.org.query(f"SELECT {names} FROM {object_name} WHERE Id = '{record_id}'")
        found.pop("attributes", None)
        return found

    def writes(self, object_name="Contact"):
        """What came in since forget_writes(): {"requests":, "records":, "fields":, "by_record":}"""
        return self.org.admin("writes").get(object_name) or {
            "requests": 0, "records": 0, "fields": {}, "by_record": {}}

    def forget_writes(self):
        self.org.admin("writes/reset", {})

    def assert_nothing_twice(self):
        log = self.org.admin("writes/log")
        self.assertEqual((log["fields_twice"], log["records_twice"]), (0, 0))

    # The operator.
    def run_people(self, job="people", check=True):
        """A run that sees every edit made so far. Its counts, or its error."""
        self.org.advance(10)
        outcome = self.site.run(job, check=check)
        return outcome["run"] if check else outcome.get("error")

    def listing(self, name, *options):
        answer = json.loads(self.site.operate(name, "--json", "--limit", "1000", *options).stdout)
        self.assertFalse(answer["more"])
        return answer[name]

    def conflicts(self, *options):
        return self.listing("conflicts", *options)

    def errors(self, *options):
        return self.listing("errors", *options)

    def backlog(self):
        return self.listing("backlog")

    def ledger(self, job=0):
        return self.site.status()["jobs"][job]["ledger"]

    # What must be true at the end.
    def assert_sides_equal(self, excepted=(), identity=None):
        found = compare.two_way_differences(self.org, self.site.store, "person", "Contact",
                                            columns_of(self.fields), excepted, identity)
        self.assertEqual(found[:10], [])

    def run_until_quiet(self, job="people", most=8):
        """Our own writes come back with the next run, and settle; then there is nothing left."""
        for _ in range(most):
            counts = self.run_people(job)
            if not any(counts[name] for name in WORK) and not any(
                    line["state"] in ("waiting", "sent", "unknown") for line in self.backlog()):
                return
        self.fail(f"not quiet after {most} runs: {counts} {self.backlog()[:5]}")

    def assert_quiet(self, job="people"):
        """One more run writes nothing, on no side."""
        before = self.dump()
        self.forget_writes()
        counts = self.run_people(job)
        self.assertEqual({name: counts[name] for name in WORK}, dict.fromkeys(WORK, 0))
        self.assertEqual(self.org.admin("writes"), {})
        self.assertEqual(self.dump(), before)
