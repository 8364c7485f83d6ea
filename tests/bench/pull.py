"""First loads of Contacts with 30 fields, measured: peak memory, records a second, CPU a record.

    pull.py [RECORDS ...]        (200000 and 20000 if none are given)

For each size one line of JSON. The peer is `plain_loop`, in the same run on the same pages: json-c and
SQLite and nothing else. Ratios above 1 mean that the daemon is faster, or needs less.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "scenario"))
import rig  # noqa: E402

FIELDS = """Id FirstName LastName Salutation Title Department Email Phone MobilePhone Fax HomePhone
OtherPhone AssistantName AssistantPhone LeadSource Birthdate MailingStreet MailingCity MailingState
MailingPostalCode MailingCountry OtherStreet OtherCity OtherState OtherPostalCode OtherCountry
Lead_Score__c Consent__c Renewal_Date__c Region__c""".split()


def columns():
    return {name: "sf_id" if name == "Id" else f"c_{name.lower()}" for name in FIELDS}


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def peak_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise AssertionError("no VmHWM")


def contacts_alone(site):
    """The scenarios' conf without the job of Leads, which would only blur the figures."""
    text = site.standard_conf(columns(), "7d", "", "", "")
    return text[:text.index("[job leads]")].replace("on_remote_delete = mark", "")


def measure_daemon(org):
    """A first load from an empty table, as the daemon itself counts and times it."""
    site = rig.Site(org, conf=contacts_alone)
    site.start()
    try:
        if not site.log.wait_for("event=run_done job=contacts"):
            raise AssertionError(site.tail())
        run = site.status()["jobs"][0]["run"]
        return {"records": run["inserted"], "seconds": run["ms"] / 1000,
                "cpu_us_per_record": cpu_seconds(site.process.pid) * 1e6 / run["inserted"],
                "peak_kib": peak_kib(site.process.pid)}
    finally:
        site.stop()
        site.remove()


def save_pages(org, folder):
    """The pages of the same query, as files."""
    query = urllib.parse.urlencode({"q": f"SELECT {','.join(FIELDS)} FROM Contact ORDER BY Id"})
    path, pages = f"/services/data/v66.0/query/?{query}", []
    while path:
        page = org.get(path)
        pages.append(pathlib.Path(folder) / f"{len(pages):06}.json")
        pages[-1].write_text(json.dumps(page, separators=(",", ":"), ensure_ascii=False))
        path = page.get("nextRecordsUrl")
    return pages


def measure_plain(org):
    with tempfile.TemporaryDirectory(prefix="leadsync-pages-") as folder:
        pages = save_pages(org, folder)
        done = subprocess.run([str(rig.BUILD / "tests/bench/plain_loop"), f"{folder}/plain.db",
                               ",".join(FIELDS), *map(str, pages)],
                              capture_output=True, text=True, check=True, timeout=600)
        return json.loads(done.stdout)


def main():
    for count in [int(text) for text in sys.argv[1:]] or [200000, 20000]:
        org = rig.Emulator(contacts=count, leads=0)
        try:
            daemon, plain = measure_daemon(org), measure_plain(org)
        finally:
            org.stop()
        print(json.dumps({
            "records": daemon["records"], "fields": len(FIELDS),
            "peak_mib": round(daemon["peak_kib"] / 1024, 1),
            "records_per_s": round(daemon["records"] / daemon["seconds"]),
            "cpu_us_per_record": round(daemon["cpu_us_per_record"], 1),
            "plain_records_per_s": round(plain["records"] / plain["seconds"]),
            "plain_cpu_us_per_record": plain["cpu_us_per_record"],
            "rate_to_plain": round(daemon["records"] / daemon["seconds"] /
                                   (plain["records"] / plain["seconds"]), 2),
            "cpu_plain_to_ours": round(plain["cpu_us_per_record"] / daemon["cpu_us_per_record"], 2),
        }), flush=True)


if __name__ == "__main__":
    main()
