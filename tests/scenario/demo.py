"""What tests/demo shows. Every figure is read from the daemon or the database; nothing is assumed."""
import pathlib
import re
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "emulator"))
import form_browser
import rig

CONTACTS, LEADS = 5000, 2000
CALLBACK = f"http://localhost:{rig.free_port()}/callback"
USER, PASSWORD = "sync@acme.example", "Passw0rd-of-the-demo"
SHIPPED_CONF = pathlib.Path(__file__).parents[2] / "conf/leadsyncd.conf"


def adapted(site):
    """The shipped conf, with this machine's places and the emulator as the org."""
    text = SHIPPED_CONF.read_text()
    for key, value in (("state_dir", f"{site.root}/state"), ("control", f"{site.root}/control.sock"),
                       ("seal_key", f"file:{site.root}/seal.key"),
                       ("login_url", site.emulator.url), ("client_id", rig.CLIENT_ID),
                       ("redirect_uri", CALLBACK), ("path", site.store)):
        text, count = re.subn(rf"^#?\s?{key} = .*$", lambda _: f"{key} = {value}", text, count=1,
                              flags=re.M)
        expect(count == 1, f"the shipped conf has no {key}")
    return text.replace("[daemon]\n", "[daemon]\nloopback_test = yes\n", 1)


def expect(true, what):
    if not true:
        sys.exit(f"\ndemo FAILED: {what}")


def title(text):
    print(f"\n== {text}", flush=True)


def rows(site, sql, *values):
    connection = sqlite3.connect(f"file:{site.store}?mode=ro", uri=True)
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


def person_at_a_browser(url):
    """Logs in and allows, as the pages ask; the browser then goes where Salesforce sends it."""
    browser = form_browser.Browser()
    page = browser.get(url)
    page = browser.press(page, "Log In", username=USER, pw=PASSWORD)
    if page.location and "callback" not in page.location:
        page = browser.get(page.location)
    if not page.location:
        page = browser.press(page, "Allow")
    browser.get(page.location)


def connect(site):
    """`leadsync connect`, whose login address is opened as soon as it is shown."""
    process = subprocess.Popen(site.command("connect", "production", "--yes"), text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               preexec_fn=rig.die_with_parent)
    process.stdin.write(rig.CLIENT_SECRET)
    process.stdin.close()
    for line in process.stdout:
        print(line, end="", flush=True)
        if "/services/oauth2/authorize" in line:
            person_at_a_browser(line.strip())
    expect(process.wait(rig.PATIENCE_S) == 0, "connect failed:\n" + site.tail())


def first_loads(site):
    """The log says what each load came to."""
    waiting = {"contacts", "leads"}
    while waiting:
        line = site.log.wait_for("event=run_done")
        expect(line is not None, "the daemon ended:\n" + site.tail())
        job = re.search(r"job=(\S+)", line).group(1)
        inserted, ms = (int(re.search(rf"{name}=(\d+)", line).group(1)) for name in ("inserted", "ms"))
        if job in waiting and inserted:
            waiting.discard(job)
            table = {"contacts": "contact", "leads": "lead"}[job]
            (count,), = rows(site, f"SELECT count(*) FROM {table}")
            print(f"{job}: {count} rows in table {table} after {ms} ms, "
                  f"{count * 1000 // max(ms, 1)} rows a second")
            expect(count == {"contacts": CONTACTS, "leads": LEADS}[job], f"{job}: {count} rows")


def run(site, job):
    """A run of now; what it came to."""
    return site.operate("run", job).stdout.strip()


def edit_table(site, sql, *values):
    """What a program of the marketing team's does, which knows nothing of us."""
    connection = sqlite3.connect(site.store, timeout=rig.PATIENCE_S)
    with connection:
        connection.execute(sql, values)
    connection.close()


def show_edit(site, org):
    row, remote_id, name = rows(
        site, "SELECT id, sf_id, last_name FROM contact ORDER BY id LIMIT 1 OFFSET 41")[0]
    print(f"row {row} of table contact is {name!r}; a salesperson renames {remote_id}")
    org.edit("Contact", remote_id, LastName="Nguyễn-O'Brien")
    org.advance(10)  # a run reads what is five seconds old, or older
    print(run(site, "contacts"))
    after, = rows(site, "SELECT last_name FROM contact WHERE id = ?", row)[0]
    print(f"row {row} is now {after!r}")
    expect(after == "Nguyễn-O'Brien", "the edit did not arrive")


def show_edit_of_the_table(site, org):
    row, remote_id, before = rows(
        site, "SELECT id, sf_id, title FROM contact ORDER BY id LIMIT 1 OFFSET 57")[0]
    print(f"UPDATE contact SET title = 'Chief of Data' WHERE id = {row}")
    edit_table(site, "UPDATE contact SET title = 'Chief of Data' WHERE id = ?", row)
    org.admin("writes/reset", {})
    print(run(site, "contacts"))
    record, = org.query(f"SELECT Title FROM Contact WHERE Id = '{remote_id}'")
    print(f"Title of {remote_id} was {before!r}, is {record['Title']!r}")
    writes = org.admin("writes")["Contact"]
    print(f"requests that wrote: {writes['requests']}; what they wrote: {writes['by_record']}")
    expect(record["Title"] == "Chief of Data", "the edit did not arrive")
    expect(writes["by_record"] == {remote_id: {"Title": 1}}, "something else was written")


def show_both_at_once(site, org):
    """Two fields of one person: both edits survive. One field: its rule decides, and it is listed."""
    row, remote_id = rows(site, "SELECT id, sf_id FROM contact ORDER BY id LIMIT 1 OFFSET 63")[0]
    two_minutes_ago = org.now().timestamp() - 120
    print(f"{remote_id}: two minutes ago a salesperson set Title and Phone; now row {row} gets an "
          "email and another phone")
    org.admin("edit", {"object": "Contact", "id": remote_id,
                       "stamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(two_minutes_ago)),
                       "fields": {"Title": "VP of Sales", "Phone": "+1 555 0100"}})
    edit_table(site, "UPDATE contact SET email = 'new@acme.example', phone = '+33 1 99 00' "
               "WHERE id = ?", row)
    print(run(site, "contacts"))
    held, = rows(site, "SELECT title, email, phone FROM contact WHERE id = ?", row)
    record, = org.query(f"SELECT Title, Email, Phone FROM Contact WHERE Id = '{remote_id}'")
    there = (record["Title"], record["Email"], record["Phone"])
    print(f"row {row}: {held}\n{remote_id}: {there}")
    expect(held == there == ("VP of Sales", "new@acme.example", "+33 1 99 00"),
           "an edit was lost")
    print("$ leadsync conflicts contacts --all")
    listed = site.operate("conflicts", "contacts", "--all").stdout
    print(listed, end="")
    expect("+1 555 0100" in listed and "+33 1 99 00" in listed, "the conflict is not listed")
    for listing in ("errors", "backlog"):
        answer = site.operate(listing, "--json").stdout
        print(f"$ leadsync {listing}\n{site.operate(listing).stdout}", end="")
        expect(f'"{listing}":[]' in answer.replace(" ", ""), f"{listing} is not empty")


def show_deletion(site, org):
    row, remote_id, before = rows(
        site, "SELECT id, sf_id, is_deleted FROM contact ORDER BY id LIMIT 1 OFFSET 99")[0]
    org.delete("Contact", remote_id)
    org.advance(10)
    outcome = run(site, "contacts")
    after, = rows(site, "SELECT is_deleted FROM contact WHERE id = ?", row)[0]
    print(f"Contact {remote_id} is deleted in Salesforce; the conf says to mark its row\n{outcome}\n"
          f"row {row}: is_deleted was {before}, is {after}")
    expect((before, after) == (0, 1), "the deletion did not arrive")


def show_bad_conf(site):
    bad = site.root / "bad.conf"
    bad.write_text(site.conf.read_text().replace("every = ", "evry = ", 1)
                   .replace("object = Lead", "object = Le ad", 1))
    done = subprocess.run([str(rig.BUILD / "daemon/leadsyncd"), "--conf", str(bad), "--check"],
                          capture_output=True, text=True, timeout=rig.PATIENCE_S)
    print(done.stderr.replace(f"{site.root}/", ""), end="")
    print(f"exit code {done.returncode}")
    expect(done.returncode == 78 and "bad.conf:" in done.stderr, "the bad conf was not refused")


def leave_running(site, org):
    """Starts the daemon once more, to stay, and says how to look around."""
    title("started again, and kept running")
    pid = site.start_kept()
    command = " ".join(site.command())
    print(f"{command} status\n{command} run contacts\n{command} runs\n"
          f"tail -f {site.root}/leadsyncd.log\n"
          f"sqlite3 {site.store} 'SELECT id, sf_id, last_name FROM contact LIMIT 3'\n"
          f"curl {org.url}/_emulator/edit -d "
          "'{\"object\":\"Contact\",\"id\":\"SF_ID\",\"fields\":{\"LastName\":\"Edited\"}}'\n"
          f"sqlite3 {site.store} \"UPDATE contact SET title = 'Edited' WHERE id = 3\"\n"
          f"stop it with: kill {pid} {org.process.pid}; rm -r {site.root}")


def main():
    keep = "--keep" in sys.argv[1:]
    title(f"a Salesforce org: {CONTACTS} Contacts, {LEADS} Leads")
    org = rig.Emulator("--redirect-uri", CALLBACK, "--username", USER, "--password", PASSWORD,
                       contacts=CONTACTS, leads=LEADS, keep=keep)
    print(f"{org.url}, org {org.org_id}")
    site = rig.Site(org, conf=adapted, secret=None)

    title("the operator: a key, a check of the conf, the daemon started")
    print("$ leadsync key init\n" + site.outputs[0].strip().replace(str(site.root), "..."))
    print("$ leadsync check\n" + site.operate("check").stdout.strip().replace(f"{site.root}/", ""))
    site.start()

    title("$ leadsync connect production: settings, login, field sync, start")
    connect(site)

    title("the first loads")
    started = time.monotonic()
    first_loads(site)
    for event in ("token_ok", "fields"):
        lines = [line for line in site.log.lines if f"event={event} " in line]
        expect(lines, f"no {event} in the log")
        print("\n".join(line.split(" ", 1)[1] for line in lines))
    print(f"all of it {time.monotonic() - started:.1f} s after the jobs' start")

    title("an edit in Salesforce arrives in SQLite")
    show_edit(site, org)
    title("an edit of the table arrives in Salesforce, and nothing else is written")
    show_edit_of_the_table(site, org)
    title("both sides edited at once")
    show_both_at_once(site, org)
    title("a deletion arrives")
    show_deletion(site, org)
    title("$ leadsync status")
    print(site.operate("status").stdout, end="")
    title("a run without changes costs next to nothing")
    site.operate("run", "contacts")  # reads back what was written
    org.reset_counters()
    print(run(site, "contacts"))
    calls = org.counters()["total"]
    print(f"requests: {calls}")
    expect(calls <= 3, "more than three requests")
    title("a conf with mistakes is refused, all of them named")
    show_bad_conf(site)

    title("the stop")
    code = site.stop()
    print(f"SIGTERM: exit code {code}; {site.log.lines[-1].split(' ', 1)[1]}")
    expect(code == 0, "not a clean stop")
    if keep:
        leave_running(site, org)
    else:
        site.remove()
        org.stop()
    print("\nall of it happened")


if __name__ == "__main__":
    main()
