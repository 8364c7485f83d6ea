"""Is the store equal to the org? Asked of both by other means than the daemon's.

The org is read through its REST API, the store with SQLite; values are brought to one form by code
of its own. Usable from a shell: compare.py EMULATOR_URL CLIENT_ID CLIENT_SECRET STORE.
"""
import datetime
import decimal
import sqlite3

BLANKS = " \t\n\r\v\f"
UNREADABLE = {"address", "location", "base64", "complexvalue", "anyType", "json"}
DECIMALS = {"double", "currency", "percent"}


def canonical(field, value):
    """What a value of the org must look like in the store, as text; None for null."""
    kind = field["type"]
    if kind == "boolean":
        return "1" if value else "0"
    if value is None:
        return None
    if kind in DECIMALS:
        number = decimal.Decimal(str(value)).quantize(
            decimal.Decimal(1).scaleb(-field["scale"]), rounding=decimal.ROUND_HALF_UP)
        text = format(number, "f")
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return "0" if text in ("-0", "") else text
    if kind == "int":
        return str(int(value))
    if kind == "datetime":
        when = datetime.datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%f%z")
        return when.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
    if kind == "time":
        return value[:8]
    if kind == "multipicklist":
        return ";".join(sorted(set(value.split(";")), key=lambda text: text.encode())) or None
    if kind in ("date", "id", "reference"):
        return value
    text = value.replace("\r\n", "\n").replace("\r", "\n").strip(BLANKS)
    return text or None


def canonical_column(field, value):
    """The same of what a program of somebody else's may have put into a column."""
    kind = field["type"]
    if kind == "boolean":
        return "0" if value in (None, 0, "0", "") else "1"
    if value is None or not str(value).strip(BLANKS):
        return None
    if kind in ("datetime", "time", "date", "id", "reference"):
        return str(value)
    return canonical(field, str(value))


def snake_case(name):
    """Our own reading of the documented rule: LeadSource -> lead_source, Region__c -> region."""
    if name.endswith("__c"):
        name = name[:-3]
    out = ""
    for index, letter in enumerate(name):
        before = name[index - 1] if index else ""
        after = name[index + 1] if index + 1 < len(name) else ""
        if letter.isupper() and out and out[-1] != "_" and (
                before.islower() or before.isdigit() or (before.isupper() and after.islower())):
            out += "_"
        if letter == "_" and out.endswith("_"):
            continue
        out += letter.lower()
    return out


def all_fields(emulator, object_name):
    """What `* = ->` maps: every scalar field, to its snake_case column."""
    return {field["name"]: snake_case(field["name"])
            for field in emulator.describe(object_name)["fields"]
            if field["type"] not in UNREADABLE}


def org_rows(emulator, object_name, fields, where=""):
    """Id -> (deleted, {column: canonical text}) of everything in the org, deleted rows too."""
    kinds = {field["name"]: field for field in emulator.describe(object_name)["fields"]}
    text = {"type": "string", "scale": 0}
    names = list(dict.fromkeys(["Id", "IsDeleted", *fields]))
    rows = {}
    for record in emulator.query(f"SELECT {', '.join(names)} FROM {object_name}{where}",
                                 everything=True):
        values = {}
        for name, column in fields.items():
            value = record
            for step in name.split("."):
                value = value[step] if value is not None else None
            values[column] = canonical(kinds.get(name, text), value)
        rows[record["Id"]] = (record["IsDeleted"], values)
    return rows


def store_rows(path, table, columns, id_column):
    """Id -> {column: text}. Fails on an id that stands there twice."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        quoted = ", ".join(f'"{column}"' for column in columns)
        rows = {}
        for values in connection.execute(f'SELECT {quoted} FROM "{table}"'):
            row = dict(zip(columns, (None if value is None else str(value) for value in values)))
            if row[id_column] in rows:
                raise AssertionError(f"{table}: {row[id_column]} stands there twice")
            rows[row[id_column]] = row
        return rows
    finally:
        connection.close()


def differences(emulator, path, table, object_name, fields, deleted, where=""):
    """Every difference as a line. `deleted`: what becomes of rows of deleted records: "delete": they
    are gone; "mark": their IsDeleted column says so and the rest is as it was; "keep": they may be there."""
    org = org_rows(emulator, object_name, fields, where)
    id_column = fields["Id"]
    mark = fields.get("IsDeleted")
    store = store_rows(path, table, list(fields.values()), id_column)
    found = []
    for record_id, (is_deleted, want) in org.items():
        have = store.pop(record_id, None)
        if is_deleted:
            if deleted == "delete" and have:
                found.append(f"{object_name} {record_id}: deleted there, still in the table")
            if deleted == "mark" and have and have[mark] != "1":
                found.append(f"{object_name} {record_id}: deleted there, not marked")
        elif not have:
            found.append(f"{object_name} {record_id}: missing in the table")
        else:
            found += [f"{object_name} {record_id}: {column} is {have[column]!r}, "
                      f"should be {want[column]!r}" for column in want
                      if have[column] != want[column]]
    found += [f"{object_name} {record_id}: in the table only" for record_id in store]
    return found


def pairs_of(rows, id_column, key):
    """Record id -> row, the rows that have none, and a line for each id that two rows have."""
    pairs, alone, found = {}, [], []
    for row in rows:
        record_id = row[id_column]
        if record_id is None:
            alone.append(row)
        elif record_id in pairs:
            found.append(f"{record_id} stands in the rows {pairs[record_id][key]} and {row[key]}")
        else:
            pairs[record_id] = row
    return pairs, alone, found


def twice(values, where):
    """A line for each value that is there twice: a person who was made twice."""
    seen, found = set(), []
    for value in values:
        if value is not None and value in seen:
            found.append(f"{value!r} stands twice {where}")
        seen.add(value)
    return found


def two_way_differences(emulator, path, table, object_name, fields, excepted=(), identity=None,
                        key="id"):
    """Every difference of two sides that both are edited, as a line: each living record is one row, each
    row one record, and every mapped field of them equal. `fields` has the column of `Id` too.
    `excepted`: record ids, keys of rows (as text), and pairs of record id and field. `identity`: a
    field by which people are told apart, whatever the daemon holds of them."""
    kinds = {field["name"]: field for field in emulator.describe(object_name)["fields"]}
    columns = {name: column for name, column in fields.items() if name != "Id"}
    org = {record_id: values for record_id, (deleted, values)
           in org_rows(emulator, object_name, columns).items() if not deleted}
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute(f'SELECT * FROM "{table}"')]
    finally:
        connection.close()
    pairs, alone, found = pairs_of(rows, fields["Id"], key)
    found += [f"row {row[key]}: no record" for row in alone if str(row[key]) not in excepted]
    for record_id, want in org.items():
        have = pairs.pop(record_id, None)
        if record_id in excepted or (have and str(have[key]) in excepted):
            continue
        if not have:
            found.append(f"{object_name} {record_id}: no row")
            continue
        for name, column in columns.items():
            value = canonical_column(kinds[name], have[column])
            if value != want[column] and (record_id, name) not in excepted:
                found.append(f"{object_name} {record_id}, row {have[key]}: {name} is "
                             f"{want[column]!r} there and {value!r} here")
    found += [f"row {row[key]}: its record {record_id} does not live"
              for record_id, row in pairs.items() if str(row[key]) not in excepted]
    if identity:
        column = fields[identity]
        found += twice((values[column] for values in org.values()), "in the org")
        found += twice((canonical_column(kinds[identity], row[column]) for row in rows),
                       "in the table")
    return found
