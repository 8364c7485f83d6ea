"""What the two-way sync costs: API calls, and rows a second each way.

    push.py [RECORDS]        (20000 if not given)

Lines of JSON. `calls` of a push are counted by the org: at most one write and one guard read for each
200 changed records, and one read a page; an idle cycle is three requests at most. `rate` is held against
200 records a call at 100 ms each, the bound of one request after the other. Ends with 1 if a limit is
missed.
"""
import contextlib
import json
import pathlib
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "scenario"))
import pull  # noqa: E402
import rig  # noqa: E402
import two_way  # noqa: E402

LATENCY_MS = 100
FIELDS = {"Id": "-> sf_id", "FirstName": "<-> first_name", "LastName": "<-> last_name",
          "Email": "<-> email", "Title": "<-> title", "Phone": "<-> phone",
          "Department": "<-> department", "MailingCity": "<-> city", "Lead_Score__c": "<-> score"}
BATCH, PAGE = 200, 2000


def conf(site):
    return two_way.conf_text(site, [two_way.job_text("people", FIELDS, options=two_way.CREATES)])


class Bench:
    def __init__(self, count, latency_ms=0):
        self.count = count
        self.org = rig.Emulator("--latency-ms", str(latency_ms), contacts=count, leads=0)
        self.site = rig.Site(self.org, conf=conf)
        self.site.start()
        self.first = self.run()
        self.quiet()
        self.missed = []

    def close(self):
        self.site.stop()
        self.site.remove()
        self.org.stop()

    def run(self):
        """The run's counts and the requests that it made by kind."""
        self.org.advance(10)
        self.org.reset_counters()
        pids = {"cpu_s": self.site.process.pid, "org_cpu_s": self.org.process.pid}
        before = {name: pull.cpu_seconds(pid) for name, pid in pids.items()}
        run = self.site.run("people")["run"]
        self.cpu = {name: round(pull.cpu_seconds(pid) - before[name], 2)
                    for name, pid in pids.items()}
        return run, self.org.counters()

    def quiet(self):
        """Everything read back, and out of reach of the next run's overlap."""
        self.run()
        self.org.advance(1200)
        self.run()

    def sql(self, statement):
        with contextlib.closing(sqlite3.connect(self.site.store, timeout=60)) as database:
            with database:
                database.execute(statement)

    def tell(self, what, run, counters, limits, **more):
        """`limits`: name -> (value, most)."""
        self.missed += [f"{what}: {name} is {value}, at most {most} allowed"
                        for name, (value, most) in limits.items() if value > most]
        kinds = {kind: count for kind, count in counters["by_kind"].items() if count}
        print(json.dumps({"what": what, **more, "ms": run["ms"], **self.cpu, "requests": counters["total"],
                          "by_kind": kinds, **{name: value for name, (value, _) in limits.items()}}),
              flush=True)

    def idle(self):
        run, counters = self.run()
        self.tell("idle", run, counters, {"idle_requests": (counters["total"], 3)})

    def up(self, changed, latency_ms=0):
        """Rows that were edited; `latency_ms`: what the org takes for each answer."""
        self.sql("UPDATE person SET title = 'bench ' || id || ' ' || coalesce(title, ''), "
                 f"department = 'of ' || id WHERE id <= {changed}")
        run, counters = self.run()
        kinds = counters["by_kind"]
        batches = -(-changed // BATCH)
        reads = kinds.get("query_all", 0) + kinds.get("query", 0) + kinds.get("query_more", 0)
        writes = kinds.get("collections", 0)
        rate = run["sent_updated"] * 1000 / max(run["ms"], 1)
        self.tell("up", run, counters, {
            "writes_per_200": (round(writes / batches, 2), 1),
            # One page is read whether anything changed or not.
            "guard_reads_per_200": (round((reads - 1) / batches, 2), 1),
            "rest": (counters["total"] - writes - reads, 1)},
            rows=run["sent_updated"], rows_per_s=round(rate),
            **({"of_bound": round(rate / (BATCH * 1000 / latency_ms), 2),
                "of_bound_with_guard_reads": round(rate / (BATCH * 500 / latency_ms), 2)}
               if latency_ms else {}))
        if run["sent_updated"] != changed:
            self.missed.append(f"up: {run['sent_updated']} of {changed} rows were sent")

    def down(self, changed):
        self.org.admin("random", {"seed": 4, "count": changed, "mix": {"edit": 1},
                                  "objects": ["Contact"], "fields": ["Title", "MailingCity"]})
        run, counters = self.run()
        kinds = counters["by_kind"]
        reads = kinds.get("query_all", 0) + kinds.get("query", 0) + kinds.get("query_more", 0)
        self.tell("down", run, counters, {
            "reads_beyond_pages": (reads - max(1, -(-run["read"] // PAGE)), 0),
            "writes": (kinds.get("collections", 0), 0)},
            rows=run["updated"], rows_per_s=round(run["read"] * 1000 / max(run["ms"], 1)))

    def made(self, count):
        self.sql("INSERT INTO person (last_name, email) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL "
                 f"SELECT i + 1 FROM n WHERE i < {count}) "
                 "SELECT 'Made ' || i, 'made' || i || '@bench.example' FROM n")
        run, counters = self.run()
        writes = counters["by_kind"].get("collections", 0)
        self.tell("made", run, counters, {
            "writes_per_200": (round(writes / -(-count // BATCH), 2), 1)},
            rows=run["sent_created"],
            rows_per_s=round(run["sent_created"] * 1000 / max(run["ms"], 1)))


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20000
    bench = Bench(count)
    run, counters = bench.first
    bench.tell("load", run, counters, {}, rows=run["inserted"],
               rows_per_s=round(run["inserted"] * 1000 / max(run["ms"], 1)))
    bench.idle()
    bench.up(count)
    bench.quiet()
    bench.idle()
    bench.down(count // 2)
    bench.quiet()
    bench.made(count // 4)
    bench.close()
    slow = Bench(4000, LATENCY_MS)
    slow.up(4000, LATENCY_MS)
    slow.close()
    missed = bench.missed + slow.missed
    print("\n".join(missed), end="\n" if missed else "")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
