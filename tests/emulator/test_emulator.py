"""The emulator answers as Salesforce does: statuses and bodies, as a client meets them.

Give the binary as first argument or in LEADSYNC_EMULATOR. Nothing here sleeps: the emulator's own
clock is moved instead.
"""
import datetime
import gzip
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.parse

BINARY = os.environ.get('LEADSYNC_EMULATOR', '')
CLIENT = 'client_id=test-key&client_secret=test-secret'
DATA = '/services/data/v66.0'


class Answer:
    def __init__(self, response, raw):
        self.status, self.raw, self.headers = response.status, raw, response.headers
        if response.headers.get('Content-Encoding') == 'gzip':
            raw = gzip.decompress(raw)
        self.text = raw.decode()

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def code(self):
        return self.json[0]['errorCode']


class Emulator:
    def __init__(self, *options):
        self.process = subprocess.Popen(
            [BINARY, '--client-id', 'test-key', '--client-secret', 'test-secret', *options],
            stdout=subprocess.PIPE, text=True)
        self.ready = json.loads(self.process.stdout.readline())
        self.host = self.ready['url'].split('//')[1]
        self.token = None

    def stop(self):
        self.process.terminate()
        self.process.stdout.close()
        return self.process.wait(10)

    def call(self, verb, path, body=None, headers=None):
        connection = http.client.HTTPConnection(self.host, timeout=20)
        try:
            connection.request(verb, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response, response.read())
        finally:
            connection.close()

    def form(self, path, text):
        return self.call('POST', path, text, {'Content-Type': 'application/x-www-form-urlencoded'})

    def login(self):
        answer = self.form('/services/oauth2/token', 'grant_type=client_credentials&' + CLIENT)
        self.token = answer.json['access_token']
        return answer

    def rest(self, verb, path, body=None, **headers):
        sent = {'Authorization': 'Bearer ' + self.token}
        if body is not None:
            sent['Content-Type'] = 'application/json; charset=UTF-8'
        if not isinstance(body, (str, bytes, type(None))):
            body = json.dumps(body)
        sent.update({name.replace('_', '-'): value for name, value in headers.items()})
        if not path.startswith('/services') and not path.startswith('//'):
            path = DATA + path
        return self.call(verb, path, body, sent)

    def query(self, soql, kind='query', **headers):
        return self.rest('GET', f'/{kind}/?q=' + urllib.parse.quote(soql), **headers)

    def rows(self, soql, kind='query'):
        answer = self.query(soql, kind)
        if answer.status != 200:
            raise AssertionError(answer.text)
        return answer.json['records']

    def count(self, soql, kind='query'):
        return self.query(soql, kind).json['totalSize']

    def admin(self, path, body=None, verb='POST'):
        answer = self.call(verb, '/_emulator/' + path, json.dumps(body or {}))
        if answer.status != 200:
            raise AssertionError(answer.text)
        return answer.json


class Case(unittest.TestCase):
    options = ('--contacts', '2500', '--leads', '300')

    @classmethod
    def setUpClass(cls):
        cls.org = Emulator(*cls.options)

    @classmethod
    def tearDownClass(cls):
        status = cls.org.stop()
        if status != 0:
            raise AssertionError(f'the emulator ended with {status}')

    def setUp(self):
        self.org.admin('faults', verb='DELETE')
        self.org.admin('pages', {'max': 0})
        self.org.admin('limits', {'used': 0, 'max': 15000})
        self.org.login()

    def refused(self, answer, status, code):
        self.assertEqual((answer.status, answer.code), (status, code), answer.text)

    def first(self, thing='Contact', where='', more=0):
        rows = self.org.rows(f'SELECT Id FROM {thing} {where} LIMIT {more + 1}')
        return rows[more]['Id'] if more else rows[0]['Id']

    def read(self, identity, *fields):
        thing = {'003': 'Contact', '00Q': 'Lead', '001': 'Account'}[identity[:3]]
        return self.org.rest('GET', f'/sobjects/{thing}/{identity}?fields=' + ','.join(fields)).json


class OAuth(Case):
    def test_client_credentials(self):
        answer = self.org.login()
        self.assertEqual(answer.status, 200)
        body = answer.json
        self.assertTrue(body['access_token'].startswith('00D8d0000004QxR!AQ'))
        self.assertEqual(body['instance_url'], self.org.ready['url'])
        self.assertTrue(body['id'].endswith('/id/00D8d0000004QxREAU/0058d000002Kp7ZAAS'))
        self.assertIsInstance(body['issued_at'], str)
        self.assertEqual(body['token_type'], 'Bearer')
        self.assertNotIn('refresh_token', body)
        self.assertNotIn('expires_in', body)

    def test_basic_header(self):
        answer = self.org.call('POST', '/services/oauth2/token', 'grant_type=client_credentials', {
            'Content-Type': 'application/x-www-form-urlencoded',
            'Authorization': 'Basic dGVzdC1rZXk6dGVzdC1zZWNyZXQ='})
        self.assertEqual(answer.status, 200, answer.text)

    def test_refusals(self):
        for form, error, description in (
                ('grant_type=client_credentials&client_id=x&client_secret=test-secret',
                 'invalid_client_id', 'client identifier invalid'),
                ('grant_type=client_credentials&client_id=test-key&client_secret=x',
                 'invalid_client', 'invalid client credentials'),
                ('grant_type=nonsense&' + CLIENT, 'unsupported_grant_type',
                 'grant type not supported')):
            answer = self.org.form('/services/oauth2/token', form)
            self.assertEqual(answer.status, 400)
            self.assertEqual(answer.json, {'error': error, 'error_description': description})

    def test_introspect_and_revoke(self):
        form = f'token={urllib.parse.quote(self.org.token)}&{CLIENT}'
        body = self.org.form('/services/oauth2/introspect', form).json
        self.assertTrue(body['active'])
        self.assertEqual(body['exp'] - body['iat'], 7200)
        answer = self.org.form('/services/oauth2/revoke', form)
        self.assertEqual((answer.status, answer.text), (200, ''))
        self.assertEqual(self.org.form('/services/oauth2/introspect', form).json, {'active': False})
        self.refused(self.org.rest('GET', '/limits'), 401, 'INVALID_SESSION_ID')
        answer = self.org.form('/services/oauth2/revoke', form)
        self.assertEqual((answer.status, answer.json['error']), (400, 'invalid_token'))

    def test_identity(self):
        for path in ('/services/oauth2/userinfo', '/id/00D8d0000004QxREAU/0058d000002Kp7ZAAS'):
            answer = self.org.rest('GET', path) if path.startswith('/s') else self.org.call(
                'GET', path + '?format=json&oauth_token=' + urllib.parse.quote(self.org.token))
            self.assertEqual(answer.status, 200, answer.text)
            self.assertEqual(answer.json['organization_id'], '00D8d0000004QxREAU')
            bad = self.org.call('GET', path, headers={'Authorization': 'Bearer nonsense'})
            self.assertEqual((bad.status, bad.text), (403, 'Bad_OAuth_Token'))

    def test_moved_org(self):
        url = self.org.ready['url'].replace('127.0.0.1', 'localhost')
        self.org.admin('instance', {'url': url, 'org_id': '00D8d0000004QxS'})
        body = self.org.login().json
        self.assertEqual(body['instance_url'], url)
        self.assertIn('/id/00D8d0000004QxSEAU/', body['id'])
        self.org.admin('instance', {'url': self.org.ready['url'], 'org_id': '00D8d0000004QxR'})

    def test_idle_session_dies(self):
        self.org.admin('clock', {'advance_s': 7000})
        self.assertEqual(self.org.rest('GET', '/limits').status, 200)
        self.org.admin('clock', {'advance_s': 7000})
        self.assertEqual(self.org.rest('GET', '/limits').status, 200)
        self.org.admin('clock', {'advance_s': 7300})
        self.refused(self.org.rest('GET', '/limits'), 401, 'INVALID_SESSION_ID')

    def test_headers(self):
        self.refused(self.org.call('GET', DATA + '/limits'), 401, 'INVALID_AUTH_HEADER')
        answer = self.org.call('GET', DATA + '/limits', headers={'Authorization': 'Bearer x'})
        self.refused(answer, 401, 'INVALID_SESSION_ID')
        self.assertEqual(answer.json[0]['message'], 'Session expired or invalid')
        self.org.admin('sessions/expire')
        self.refused(self.org.rest('GET', '/limits'), 401, 'INVALID_SESSION_ID')


class Discovery(Case):
    def test_versions(self):
        answer = self.org.call('GET', '/services/data/')
        self.assertEqual(answer.json[-1], {
            'label': "Summer '26", 'url': '/services/data/v67.0', 'version': '67.0'})
        self.assertEqual(self.org.rest('GET', '/services/data/v25.0/limits').status, 410)
        self.refused(self.org.rest('GET', '/services/data/v99.0/limits'), 404, 'NOT_FOUND')
        self.assertIn('query', self.org.rest('GET', '/').json)

    def test_limits(self):
        self.org.admin('limits', {'used': 14997, 'max': 15000})
        answer = self.org.rest('GET', '/limits')
        self.assertEqual(answer.headers['Sforce-Limit-Info'], 'api-usage=14998/15000')
        self.assertEqual(answer.json['DailyApiRequests'], {'Max': 15000, 'Remaining': 2})
        self.org.call('GET', '/services/data/')
        for _ in range(2):
            self.assertEqual(self.org.rest('GET', '/limits').status, 200)
        self.refused(self.org.rest('GET', '/limits'), 403, 'REQUEST_LIMIT_EXCEEDED')
        self.org.admin('clock', {'advance_s': 25 * 3600})
        self.org.login()
        self.assertEqual(self.org.rest('GET', '/limits').status, 200)

    def test_record_count(self):
        body = self.org.rest('GET', '/limits/recordCount?sObjects=Contact,Group').json
        self.assertEqual([one['name'] for one in body['sObjects']], ['Contact'])

    def test_describe(self):
        answer = self.org.rest('GET', '/sobjects/Contact/describe')
        fields = {one['name']: one for one in answer.json['fields']}
        self.assertEqual(len(fields), 61 + 6)
        self.assertEqual(len(self.org.rest('GET', '/sobjects/Lead/describe').json['fields']), 55 + 6)
        self.assertEqual(fields['LastName']['byteLength'], 240)
        self.assertFalse(fields['LastName']['nillable'])
        self.assertEqual(fields['AccountId']['referenceTo'], ['Account'])
        self.assertEqual(fields['AccountId']['relationshipName'], 'Account')
        self.assertTrue(fields['Full_Label__c']['calculated'])
        self.assertTrue(fields['Leadsync_Key__c']['unique'])
        self.assertFalse(fields['Description']['filterable'])
        since = answer.headers['Last-Modified']
        answer = self.org.rest('GET', '/sobjects/Contact/describe', If_Modified_Since=since)
        self.assertEqual((answer.status, answer.text), (304, ''))
        self.refused(self.org.rest('GET', '/sobjects/Foo/describe'), 404, 'NOT_FOUND')
        names = [one['name'] for one in self.org.rest('GET', '/sobjects/').json['sobjects']]
        self.assertIn('Lead', names)

    def test_drift(self):
        since = self.org.rest('GET', '/sobjects/Contact/describe').headers['Last-Modified']
        self.org.admin('schema', {'object': 'Contact', 'hide': 'Title'})
        answer = self.org.rest('GET', '/sobjects/Contact/describe', If_Modified_Since=since)
        self.assertNotIn('Title', [one['name'] for one in answer.json['fields']])
        self.refused(self.org.query('SELECT Title FROM Contact'), 400, 'INVALID_FIELD')
        identity = self.first()
        self.refused(self.org.rest('PATCH', '/sobjects/Contact/' + identity, {'Title': 'x'}),
                     400, 'INVALID_FIELD')
        self.org.admin('schema', {'object': 'Contact', 'show': 'Title'})
        self.org.admin('schema', {'object': 'Contact', 'readonly': 'Title'})
        self.refused(self.org.rest('PATCH', '/sobjects/Contact/' + identity, {'Title': 'x'}),
                     400, 'INVALID_FIELD_FOR_INSERT_UPDATE')
        self.org.admin('schema', {'object': 'Contact', 'writeable': 'Title'})
        self.org.admin('schema', {'object': 'Contact', 'retype': 'Title', 'type': 'textarea'})
        self.org.admin('schema', {'object': 'Contact', 'retype': 'Title', 'type': 'string'})

    def test_routes(self):
        self.refused(self.org.rest('GET', '/nonsense'), 404, 'NOT_FOUND')
        self.refused(self.org.rest('DELETE', '/query/?q=x'), 405, 'METHOD_NOT_ALLOWED')
        answer = self.org.rest('GET', '//services/data/v51.0/sobjects/User/0058d000002Kp7ZAAS')
        self.assertEqual(answer.json['Email'], 'ops@acme.example')
        self.assertEqual(self.org.rest('GET', '/query/?q=' + 'x' * 17000).status, 414)
        self.assertEqual(self.org.rest('GET', '/limits', X_Long='x' * 17000).status, 431)
        self.assertEqual(self.org.rest('HEAD', '/limits').raw, b'')


class Query(Case):
    def test_values(self):
        row = self.org.rows(
            "SELECT Id, Name, MailingAddress, SystemModstamp, Birthdate, Lead_Score__c, Consent__c, "
            "Owner.Email, Account.Owner.Name, Full_Label__c FROM Contact WHERE MailingCity != null "
            "AND AccountId != null AND Birthdate < 1970-01-01 AND Lead_Score__c != null LIMIT 1")[0]
        self.assertEqual(row['attributes'], {
            'type': 'Contact', 'url': f'{DATA}/sobjects/Contact/{row["Id"]}'})
        self.assertRegex(row['SystemModstamp'], r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000$')
        self.assertRegex(row['Birthdate'], r'^19\d\d-\d\d-\d\d$')
        self.assertIsInstance(row['Lead_Score__c'], float)
        self.assertIsInstance(row['Consent__c'], bool)
        self.assertEqual(sorted(row['MailingAddress']), [
            'city', 'country', 'geocodeAccuracy', 'latitude', 'longitude', 'postalCode', 'state',
            'street'])
        self.assertEqual(row['Owner']['attributes']['type'], 'User')
        self.assertIn('Name', row['Account']['Owner'])
        self.assertTrue(row['Full_Label__c'].startswith(row['Name']))

    def test_pages(self):
        seen, answer = [], self.org.query('SELECT Id FROM Contact ORDER BY SystemModstamp, Id')
        body = answer.json
        self.assertEqual(len(body['records']), 2000)
        self.assertFalse(body['done'])
        self.assertTrue(body['nextRecordsUrl'].endswith('-2000'))
        seen += body['records']
        body = self.org.rest('GET', body['nextRecordsUrl']).json
        self.assertEqual((body['done'], 'nextRecordsUrl' in body), (True, False))
        seen += body['records']
        self.assertEqual(len({one['Id'] for one in seen}), body['totalSize'])

    def test_page_sizes(self):
        body = self.org.query('SELECT Id FROM Contact', Sforce_Query_Options='batchSize=5').json
        self.assertEqual(len(body['records']), 200)
        self.org.admin('pages', {'max': 50})
        body = self.org.query('SELECT Id FROM Contact', Sforce_Query_Options='batchSize=300').json
        self.assertEqual(len(body['records']), 50)
        self.assertTrue(body['nextRecordsUrl'].endswith('-50'))

    def test_page_shows_present_values(self):
        body = self.org.query('SELECT Id, Title FROM Contact ORDER BY Id',
                              Sforce_Query_Options='batchSize=200').json
        later = self.org.rows('SELECT Id FROM Contact ORDER BY Id LIMIT 3 OFFSET 200')
        self.org.admin('edit', {'object': 'Contact', 'id': later[0]['Id'],
                                'fields': {'Title': 'Moved meanwhile'}})
        self.org.admin('delete', {'object': 'Contact', 'id': later[1]['Id']})
        more = self.org.rest('GET', body['nextRecordsUrl']).json
        self.assertEqual(more['totalSize'], body['totalSize'])
        self.assertEqual(more['records'][0]['Title'], 'Moved meanwhile')
        self.assertNotIn(later[1]['Id'], [one['Id'] for one in more['records']])

    def test_locators_end(self):
        def locator():
            return self.org.query('SELECT Id FROM Contact').json['nextRecordsUrl']
        self.refused(self.org.rest('GET', '/query/01g8d0000XyZ1AbAQK-2000'), 400,
                     'INVALID_QUERY_LOCATOR')
        one = locator()
        self.org.admin('locators/expire')
        self.refused(self.org.rest('GET', one), 400, 'INVALID_QUERY_LOCATOR')
        one = locator()
        self.refused(self.org.rest('GET', one + 'x'), 400, 'INVALID_QUERY_LOCATOR')
        self.org.admin('clock', {'advance_s': 2 * 86400 + 60})
        self.org.login()
        self.refused(self.org.rest('GET', one), 400, 'INVALID_QUERY_LOCATOR')

    def test_refusals(self):
        for soql, code in (
                ('SELECT Id FROM Leed', 'INVALID_TYPE'),
                ('SELECT Nope FROM Lead', 'INVALID_FIELD'),
                ('SELECT Owner.Nope FROM Lead', 'INVALID_FIELD'),
                ('SELECT Nope.Name FROM Lead', 'INVALID_FIELD'),
                ('SELECT Id, Id FROM Lead', 'INVALID_FIELD'),
                ("SELECT Id FROM Lead WHERE Description = 'x'", 'INVALID_FIELD'),
                ('SELECT Id FROM Lead ORDER BY Description', 'MALFORMED_QUERY'),
                ('SELECT Id FROM Lead WHERE ConvertedDate = 2020-01-01T00:00:00Z', 'INVALID_FIELD'),
                ('SELECT Id FROM Lead WHERE CreatedDate = 2020-01-01', 'INVALID_FIELD'),
                ("SELECT Id FROM Lead WHERE CreatedDate = '2020-01-01T00:00:00Z'", 'INVALID_FIELD'),
                ('SELECT Id FROM Lead WHERE CreatedDate > 2020-01-01T00:00:00.000+0000x',
                 'MALFORMED_QUERY'),
                ('SELECT Id FROM Lead WHERE LastName = 5', 'INVALID_FIELD'),
                ("SELECT Id FROM Lead WHERE NumberOfEmployees = '5'", 'INVALID_FIELD'),
                ("SELECT Id FROM Lead WHERE IsDeleted = 'false'", 'INVALID_FIELD'),
                ("SELECT Id FROM Lead WHERE Id = 'nonsense'", 'INVALID_QUERY_FILTER_OPERATOR'),
                ("SELECT Id FROM Lead WHERE Id LIKE '00Q%'", 'INVALID_QUERY_FILTER_OPERATOR'),
                (r"SELECT Id FROM Lead WHERE LastName = 'a\q'", 'MALFORMED_QUERY'),
                ("SELECT Id FROM Lead WHERE LastName = 'open", 'MALFORMED_QUERY'),
                ("SELECT Id FROM Lead WHERE City = 'a' AND City = 'b' OR City = 'c'",
                 'MALFORMED_QUERY'),
                ("SELECT Id FROM Lead WHERE City = 'a' AND NOT City = 'b'", 'MALFORMED_QUERY'),
                ('SELECT * FROM Lead', 'MALFORMED_QUERY'),
                ('SELECT FROM Lead', 'MALFORMED_QUERY'),
                ('SELECT Id Lead', 'MALFORMED_QUERY'),
                ('', 'MALFORMED_QUERY'),
                ('SELECT Id FROM Lead LIMIT x', 'MALFORMED_QUERY'),
                ('SELECT Id FROM Lead OFFSET 2001', 'NUMBER_OUTSIDE_VALID_RANGE'),
                ('SELECT FIELDS(ALL) FROM Lead', 'MALFORMED_QUERY')):
            with self.subTest(soql):
                self.refused(self.org.query(soql), 400, code)
        self.refused(self.org.rest('GET', '/query/'), 400, 'MALFORMED_QUERY')

    def test_error_shows_place(self):
        message = self.org.query('SELECT Id,Nope FROM Lead').json[0]['message']
        self.assertTrue(message.startswith(
            "\nSELECT Id,Nope FROM Lead\n          ^\nERROR at Row:1:Column:11\nNo such column "
            "'Nope' on entity 'Lead'."), message)

    def test_errors_are_utf8(self):
        for soql in ('SELECT Idé FROM Lead', 'SELECT Id FROM Lead WHERE 😀 = 1',
                     "SELECT Id FROM Lead WHERE Id = '" + 'ü' * 90 + "'"):
            self.assertEqual(self.org.query(soql).status, 400)
        self.assertEqual(self.org.rest('GET', '/query?q=%ff%c3').code, 'MALFORMED_QUERY')

    def test_plus_is_blank(self):
        self.assertEqual(self.org.rest('GET', '/query?q=SELECT+Id+FROM+Lead+LIMIT+1').status, 200)
        at = 'SELECT+Id+FROM+Lead+WHERE+CreatedDate>2020-01-01T00:00:00%s00:00'
        self.assertEqual(self.org.rest('GET', '/query?q=' + at % '%2B').status, 200)
        self.refused(self.org.rest('GET', '/query?q=' + at % '+'), 400, 'MALFORMED_QUERY')

    def test_conditions(self):
        total = self.org.count('SELECT count() FROM Contact')
        count = lambda where: self.org.count('SELECT count() FROM Contact WHERE ' + where)
        no_title = count('Title = null')
        self.assertTrue(0 < no_title < total)
        self.assertEqual(count("Title = ''"), no_title)
        self.assertEqual(count("Title = 'cto'") + count("Title != 'CTO'"), total)
        self.assertEqual(count("Title LIKE 'c%'") + count("NOT Title LIKE 'C%'"), total)
        self.assertEqual(count("Title IN ('CTO', 'owner')") + count(
            "Title NOT IN ('CTO', 'Owner')"), total)
        self.assertEqual(count("Title = 'CTO' OR Title = 'Owner'"), count(
            "(Title = 'CTO' OR (Title = 'Owner'))"))
        self.assertEqual(count("LastName = 'ångström'"), count("LastName = 'ÅNGSTRÖM'"))
        self.assertGreater(count("LastName = 'ångström'"), 0)
        self.assertGreater(count(r"LastName = 'O\'Brien'"), 0)
        self.assertGreater(count(r"LastName LIKE '%\\%'"), 0)
        self.assertEqual(count(r"LastName LIKE '%\_%'"), 0)
        self.assertEqual(count("Owner.Email = 'sales1@acme.example'"), count(
            "OwnerId = '0058d000002Kp8B'"))
        self.assertEqual(count('Lead_Score__c >= 5000') + count('Lead_Score__c < 5000') + count(
            'Lead_Score__c = NULL'), total)
        self.assertEqual(count('Consent__c = TRUE') + count('Consent__c = false'), total)
        self.assertEqual(count('CreatedDate = TODAY'), 0)
        self.assertEqual(count('CreatedDate < LAST_N_DAYS:3'), total)

    def test_ids_are_exact(self):
        identity = self.first()
        where = "SELECT Id FROM Contact WHERE Id = '%s'"
        self.assertEqual(self.org.count(where % identity[:15]), 1)
        self.assertEqual(self.org.rows(where % identity)[0]['Id'], identity)
        other = identity[:14] + identity[14].swapcase()
        self.assertNotEqual([one['Id'] for one in self.org.rows(where % other)], [identity])

    def test_keyset(self):
        rows = self.org.rows('SELECT Id, SystemModstamp FROM Contact ORDER BY SystemModstamp, Id')
        last = rows[1799]
        at = last['SystemModstamp'].replace('+0000', 'Z')
        left = self.org.count(
            f"SELECT Id FROM Contact WHERE (SystemModstamp = {at} AND Id > '{last['Id']}') OR "
            f'(SystemModstamp > {at}) ORDER BY SystemModstamp ASC, Id ASC')
        self.assertEqual(left, self.org.count('SELECT count() FROM Contact') - 1800)

    def test_one_stamp_for_many(self):
        stamps = [one['SystemModstamp'] for one in self.org.rows(
            'SELECT SystemModstamp FROM Contact ORDER BY SystemModstamp DESC')]
        self.assertGreater(max(stamps.count(one) for one in set(stamps)), 500)

    def test_order(self):
        titles = [one['Title'] for one in self.org.rows('SELECT Title FROM Lead ORDER BY Title')]
        self.assertIsNone(titles[0])
        titles = [one['Title'] for one in self.org.rows(
            'SELECT Title FROM Lead ORDER BY Title DESC NULLS LAST')]
        self.assertIsNone(titles[-1])
        filled = [one.lower() for one in titles if one]
        self.assertEqual(filled, sorted(filled, reverse=True))

    def test_aggregates(self):
        answer = self.org.query('SELECT COUNT() FROM Lead').json
        self.assertEqual((answer['done'], answer['records']), (True, []))
        row = self.org.rows('SELECT COUNT(Id), MAX(SystemModstamp) latest FROM Lead')[0]
        self.assertEqual(row['attributes'], {'type': 'AggregateResult'})
        self.assertEqual(row['expr0'], answer['totalSize'])
        self.assertIn('latest', row)

    def test_fields_groups(self):
        row = self.org.rows('SELECT FIELDS(ALL) FROM Lead LIMIT 1')[0]
        self.assertIn('Full_Label__c', row)
        self.assertNotIn('Full_Label__c', self.org.rows('SELECT FIELDS(STANDARD) FROM Lead')[0])

    def test_queries_of_the_cli(self):
        row = self.org.rows('SELECT Name, InstanceName, IsSandbox FROM Organization')[0]
        self.assertFalse(row['IsSandbox'])
        answer = self.org.rest('GET', '/query?q=SELECT+Id,Owner.Name+FROM+Lead&columns=true').json
        self.assertEqual([one['columnName'] for one in answer['columnMetadata']], ['Id', 'Owner'])

    def test_gzip(self):
        answer = self.org.query('SELECT Id, Name FROM Contact', Accept_Encoding='gzip')
        self.assertEqual(answer.headers['Content-Encoding'], 'gzip')
        self.assertEqual(len(answer.json['records']), 2000)
        body = gzip.compress(b'{"LastName":"Packed"}')
        made = self.org.rest('POST', '/sobjects/Contact', body, Content_Encoding='gzip')
        self.assertEqual(made.status, 201, made.text)

    def test_long_query(self):
        ids = ','.join("'0038d00000BvT4yAAF'" for _ in range(400))
        self.assertEqual(self.org.query(f'SELECT Id FROM Contact WHERE Id IN ({ids})').status, 200)


class Records(Case):
    def create(self, thing='Lead', **fields):
        if thing == 'Lead':
            fields.setdefault('Company', 'Baobab Ltd')
        fields.setdefault('LastName', 'Okafor')
        answer = self.org.rest('POST', '/sobjects/' + thing, fields)
        self.assertEqual(answer.status, 201, answer.text)
        return answer.json['id']

    def patch(self, identity, body, **headers):
        thing = {'003': 'Contact', '00Q': 'Lead'}[identity[:3]]
        return self.org.rest('PATCH', f'/sobjects/{thing}/{identity}', body, **headers)

    def test_create_read_update_delete(self):
        answer = self.org.rest('POST', '/sobjects/Lead', {
            'LastName': ' Okafor ', 'FirstName': 'Nia', 'Company': 'Baobab Ltd', 'Title': '',
            'AnnualRevenue': 1234567.4, 'Description': 'a\r\nb 😀'})
        identity = answer.json['id']
        self.assertEqual(answer.json, {'id': identity, 'success': True, 'errors': []})
        self.assertEqual(answer.headers['Location'], f'{DATA}/sobjects/Lead/{identity}')
        row = self.org.rest('GET', '/sobjects/Lead/' + identity[:15]).json
        self.assertEqual((row['Id'], row['Name'], row['LastName'], row['Title'], row['Status']),
                         (identity, 'Nia Okafor', 'Okafor', None, 'Open - Not Contacted'))
        self.assertEqual((row['AnnualRevenue'], row['Description']), (1234567.0, 'a\nb 😀'))
        self.assertEqual(row['LastModifiedById'], '0058d000002Kp7ZAAS')
        self.assertIsNone(row['Address'])
        answer = self.patch(identity, {'Title': 'CTO', 'FirstName': None, 'City': 'Lagos'})
        self.assertEqual((answer.status, answer.text), (204, ''))
        row = self.read(identity, 'Name', 'Title', 'Address')
        self.assertEqual((row['Name'], row['Title'], row['Address']['city']),
                         ('Okafor', 'CTO', 'Lagos'))
        path = '/sobjects/Lead/' + identity
        self.assertEqual(self.org.rest('DELETE', path).status, 204)
        for verb, body in (('GET', None), ('PATCH', {'Title': 'x'}), ('DELETE', None)):
            self.refused(self.org.rest(verb, path, body), 404, 'ENTITY_IS_DELETED')
        where = f" FROM Lead WHERE Id = '{identity}'"
        self.assertEqual(self.org.count('SELECT Id' + where), 0)
        self.assertTrue(self.org.rows('SELECT IsDeleted' + where, 'queryAll')[0]['IsDeleted'])
        self.org.admin('purge', {'object': 'Lead', 'id': identity})
        self.refused(self.org.rest('DELETE', path), 404, 'INVALID_CROSS_REFERENCE_KEY')
        self.refused(self.org.rest('GET', path), 404, 'NOT_FOUND')

    def test_saving_moves_stamps(self):
        identity = self.create()
        before = self.read(identity, 'SystemModstamp')['SystemModstamp']
        self.org.admin('clock', {'advance_s': 60})
        self.patch(identity, {'Title': 'x'})
        row = self.read(identity, 'SystemModstamp', 'LastModifiedDate', 'CreatedDate')
        self.assertGreater(row['SystemModstamp'], before)
        self.assertEqual(row['SystemModstamp'], row['LastModifiedDate'])
        self.assertEqual(row['CreatedDate'], before)

    def test_refusals(self):
        contact = self.first('Contact')
        for body, code, fields in (
                ({'Company': 'x'}, 'REQUIRED_FIELD_MISSING', ['LastName']),
                ({}, 'REQUIRED_FIELD_MISSING', ['LastName', 'Company']),
                ({'LastName': 'x' * 81, 'Company': 'x'}, 'STRING_TOO_LONG', ['LastName']),
                ({'LastName': 'x', 'Company': 'x', 'Email': 'foo@'}, 'INVALID_EMAIL_ADDRESS',
                 ['Email']),
                ({'LastName': 'x', 'Company': 'x', 'Region__c': 'Moon'},
                 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST', ['Region__c']),
                ({'LastName': 'x', 'Company': 'x', 'Lead_Score__c': 10000},
                 'NUMBER_OUTSIDE_VALID_RANGE', ['Lead_Score__c']),
                ({'LastName': 'x', 'Company': 'x', 'Name': 'x', 'Full_Label__c': 'y'},
                 'INVALID_FIELD_FOR_INSERT_UPDATE', ['Name', 'Full_Label__c']),
                ({'LastName': 'x', 'Company': 'x', 'Nope': 1}, 'INVALID_FIELD', []),
                ({'LastName': 'x', 'Company': 'x', 'OwnerId': 'abc'}, 'MALFORMED_ID', ['OwnerId']),
                ({'LastName': 'x', 'Company': 'x', 'OwnerId': None}, 'INVALID_CROSS_REFERENCE_KEY',
                 ['OwnerId']),
                ({'LastName': 'x', 'Company': 'x', 'OwnerId': contact},
                 'FIELD_INTEGRITY_EXCEPTION', ['OwnerId']),
                ({'LastName': 'x', 'Company': 'x', 'OwnerId': '0058d000009ZZZZ'},
                 'INVALID_CROSS_REFERENCE_KEY', ['OwnerId'])):
            with self.subTest(body=str(body)[:80]):
                answer = self.org.rest('POST', '/sobjects/Lead', body)
                self.refused(answer, 400, code)
                self.assertEqual(answer.json[0]['fields'], fields)
        message = self.org.rest('POST', '/sobjects/Lead', {}).json[0]['message']
        self.assertEqual(message, 'Required fields are missing: [LastName, Company]')
        message = self.org.rest('POST', '/sobjects/Lead', {
            'LastName': 'x' * 81, 'Company': 'x'}).json[0]['message']
        self.assertEqual(message, f'Last Name: data value too large: {"x" * 81} (max length=80)')

    def test_types(self):
        identity = self.create('Contact')
        for body in ({'Lead_Score__c': 'abc'}, {'Birthdate': '2015-08-25T11:49:53Z'},
                     {'Birthdate': '2015-02-30'}, {'Consent__c': None}, {'Consent__c': 'yes'},
                     {'Title': {'a': 1}}, {'Title': ['x']}):
            with self.subTest(body=body):
                self.refused(self.patch(identity, body), 400, 'JSON_PARSER_ERROR')
        for body in ('{"Title":', '[]', '', '{"Title":"x"} x'):
            self.refused(self.patch(identity, body), 400, 'JSON_PARSER_ERROR')
        answer = self.patch(identity, '{}', Content_Type='text/plain')
        self.refused(answer, 415, 'UNSUPPORTED_MEDIA_TYPE')
        self.assertEqual(self.patch(identity, {'Birthdate': '1931-12-31', 'Title': 7}).status, 204)
        self.assertEqual(self.read(identity, 'Birthdate', 'Title')['Birthdate'], '1931-12-31')
        self.refused(self.patch(identity, {'LastName': None}), 400, 'REQUIRED_FIELD_MISSING')
        self.refused(self.patch(identity, {'Id': identity}), 400, 'INVALID_FIELD')
        self.assertEqual(self.patch(identity, {}).status, 204)

    def test_unicode_lengths(self):
        self.create('Contact', LastName='ü' * 80)
        self.refused(self.org.rest('POST', '/sobjects/Contact', {'LastName': 'ü' * 81}), 400,
                     'STRING_TOO_LONG')

    def test_unknown_ids(self):
        self.refused(self.org.rest('GET', '/sobjects/Lead/00Q8d00000ZZZZZ'), 404, 'NOT_FOUND')
        self.refused(self.org.rest('GET', '/sobjects/Lead/nonsense'), 400, 'MALFORMED_ID')
        self.refused(self.org.rest('GET', '/sobjects/Lead/00Q8d00000BvT3xAAA'), 400, 'MALFORMED_ID')
        self.refused(self.org.rest('GET', '/sobjects/Foo/00Q8d00000BvT3x'), 404, 'NOT_FOUND')
        self.refused(self.org.rest('POST', '/sobjects/Foo', {}), 404, 'NOT_FOUND')

    def test_unique_and_external(self):
        identity = self.create(Leadsync_Key__c='K/1')
        answer = self.org.rest('POST', '/sobjects/Lead', {
            'LastName': 'x', 'Company': 'y', 'Leadsync_Key__c': 'k/1'})
        self.refused(answer, 400, 'DUPLICATE_VALUE')
        self.assertEqual(answer.json[0]['message'], 'duplicate value found: Leadsync_Key__c '
                         f'duplicates value on record with id: {identity[:15]}')
        path = '/sobjects/Lead/Leadsync_Key__c/'
        answer = self.org.rest('PATCH', path + 'K%2F1', {'Title': 'found'})
        self.assertEqual((answer.status, answer.json['created']), (200, False))
        answer = self.org.rest('PATCH', path + 'K2', {'LastName': 'a', 'Company': 'b'})
        self.assertEqual((answer.status, answer.json['created']), (201, True))
        self.assertEqual(self.org.rest('GET', path + 'K2').json['LastName'], 'a')
        self.refused(self.org.rest('GET', '/sobjects/Lead/City/x'), 404, 'NOT_FOUND')
        self.refused(self.org.rest('PATCH', path + 'K3?updateOnly=true', {'City': 'x'}), 404,
                     'NOT_FOUND')
        for _ in range(2):
            self.create(Email='twice@upsert.example')
        answer = self.org.rest('PATCH', '/sobjects/Lead/Email/twice@upsert.example', {'City': 'x'})
        self.assertEqual((answer.status, len(answer.json)), (300, 2))

    def test_rules(self):
        self.org.admin('rules', {'duplicates': True, 'assignment': True})
        body = {'LastName': 'x', 'Company': 'y', 'Email': 'twin@rules.example'}
        first = self.org.rest('POST', '/sobjects/Lead', body).json['id']
        self.assertNotEqual(self.read(first, 'OwnerId')['OwnerId'], '0058d000002Kp7ZAAS')
        answer = self.org.rest('POST', '/sobjects/Lead', body)
        self.refused(answer, 400, 'DUPLICATES_DETECTED')
        self.assertTrue(answer.json[0]['duplicateResult']['allowSave'])
        self.assertEqual(self.patch(first, {'Email': 'twin@rules.example'}).status, 204)
        answer = self.org.rest('POST', '/sobjects/Lead', body, Sforce_Auto_Assign='FALSE',
                               Sforce_Duplicate_Rule_Header='allowSave=true')
        self.assertEqual(self.read(answer.json['id'], 'OwnerId')['OwnerId'], '0058d000002Kp7ZAAS')
        self.org.admin('rules')

    def test_condition(self):
        identity = self.create()
        self.assertEqual(self.patch(identity, {'City': 'a'}, If_Unmodified_Since=(
            'Fri, 02 Jan 2015 03:04:05 GMT')).status, 412)
        self.assertEqual(self.patch(identity, {'City': 'a'}, If_Unmodified_Since=(
            'Fri, 02 Jan 2099 03:04:05 GMT')).status, 204)
        self.assertEqual(self.patch(identity, {'City': 'a'}, If_Unmodified_Since='x').status, 400)


class Changes(Case):
    def span(self, kind, start, end, thing='Contact'):
        now = self.org.admin('clock', verb='GET')['epoch_s']
        at = [datetime.datetime.fromtimestamp(now + one, datetime.timezone.utc).strftime(
            '%Y-%m-%dT%H:%M:%SZ') for one in (start, end)]
        return self.org.rest('GET', f'/sobjects/{thing}/{kind}/?start={at[0]}&end={at[1]}')

    def test_updated_and_deleted(self):
        self.org.admin('clock', {'advance_s': 3600})
        self.org.login()
        edited, gone = self.first(), self.first(more=1)
        self.org.admin('edit', {'object': 'Contact', 'id': edited, 'fields': {'Title': 'Edited'}})
        self.org.admin('delete', {'object': 'Contact', 'id': gone})
        self.org.admin('clock', {'advance_s': 120})
        self.assertEqual(self.span('updated', -1800, 0).json['ids'], [edited])
        body = self.span('deleted', -1800, 0).json
        self.assertEqual([one['id'] for one in body['deletedRecords']], [gone])
        self.assertIn('earliestDateAvailable', body)
        self.assertRegex(body['latestDateCovered'], r':00\.000\+0000$')
        self.org.admin('purge', {'object': 'Contact', 'id': gone})
        self.assertEqual(len(self.span('deleted', -1800, 0).json['deletedRecords']), 1)

    def test_refusals(self):
        for kind, start, end in (('updated', -31 * 86400, 0), ('deleted', -16 * 86400, 0),
                                 ('updated', 0, -600), ('updated', 0, 0)):
            self.refused(self.span(kind, start, end), 400, 'INVALID_REPLICATION_DATE')
        self.refused(self.span('updated', -600, 0, 'Foo'), 404, 'NOT_FOUND')

    def test_edit_by_another(self):
        identity = self.first('Lead')
        self.org.admin('edit', {'object': 'Lead', 'id': identity, 'fields': {'City': 'Zürich'},
                                'stamp': '2026-01-02T03:04:05Z'})
        row = self.read(identity, 'City', 'SystemModstamp', 'LastModifiedDate', 'LastModifiedById')
        self.assertEqual(row['City'], 'Zürich')
        self.assertEqual(row['SystemModstamp'], '2026-01-02T03:04:05.000+0000')
        self.assertNotEqual(row['LastModifiedById'], '0058d000002Kp7ZAAS')
        self.org.admin('edit', {'object': 'Lead', 'id': identity, 'system': True})
        later = self.read(identity, 'SystemModstamp', 'LastModifiedDate')
        self.assertEqual(later['LastModifiedDate'], row['LastModifiedDate'])
        self.assertGreater(later['SystemModstamp'], row['SystemModstamp'])

    def test_undelete(self):
        identity = self.first()
        self.org.admin('delete', {'object': 'Contact', 'id': identity})
        self.org.admin('undelete', {'object': 'Contact', 'id': identity})
        self.assertFalse(self.read(identity, 'IsDeleted')['IsDeleted'])

    def test_merge(self):
        winner, loser = (one['Id'] for one in self.org.rows('SELECT Id FROM Contact LIMIT 2'))
        self.org.admin('merge', {'winner': winner, 'losers': [loser]})
        row = self.org.rows("SELECT IsDeleted, MasterRecordId FROM Contact WHERE MasterRecordId != ''",
                            'queryAll')
        self.assertIn(winner, [one['MasterRecordId'] for one in row])
        self.refused(self.org.rest('GET', '/sobjects/Contact/' + loser), 404, 'ENTITY_IS_DELETED')

    def test_convert(self):
        lead = self.first('Lead', 'WHERE IsConverted = false')
        made = self.org.admin('convert', {'lead': lead, 'opportunity': True})
        row = self.read(lead, 'IsConverted', 'ConvertedContactId', 'ConvertedAccountId',
                        'ConvertedOpportunityId', 'ConvertedDate', 'Status', 'IsDeleted', 'LastName')
        self.assertEqual((row['IsConverted'], row['IsDeleted'], row['Status']),
                         (True, False, 'Closed - Converted'))
        self.assertEqual(row['ConvertedContactId'], made['contact'])
        self.assertEqual(row['ConvertedOpportunityId'], made['opportunity'])
        self.assertEqual(self.read(made['contact'], 'LastName')['LastName'], row['LastName'])
        self.refused(self.org.rest('PATCH', '/sobjects/Lead/' + lead, {'City': 'x'}), 400,
                     'CANNOT_UPDATE_CONVERTED_LEAD')

    def test_random_is_deterministic(self):
        made = []
        for _ in range(2):
            org = Emulator('--contacts', '200', '--leads', '100')
            org.login()
            made.append(org.admin('random', {'seed': 7, 'count': 300, 'mix': {
                'edit': 80, 'create': 10, 'delete': 10}, 'objects': ['Contact', 'Lead']}))
            self.assertEqual(org.stop(), 0)
        self.assertEqual(made[0], made[1])
        self.assertGreater(len(made[0]['edited']), 100)
        self.assertGreater(len(made[0]['created']), 5)


class Faults(Case):
    def fault(self, match='query', **what):
        self.org.admin('faults', {'match': match, **what})

    def ask(self, **headers):
        return self.org.query('SELECT Id, Name FROM Contact', **headers)

    def test_status(self):
        self.fault(status=503, body='<html>down</html>', content_type='text/html', times=2, skip=1,
                   headers={'Retry-After': '7'})
        self.assertEqual(self.ask().status, 200)
        for _ in range(2):
            answer = self.ask()
            self.assertEqual((answer.status, answer.text), (503, '<html>down</html>'))
            self.assertEqual(answer.headers['Content-Type'], 'text/html')
            self.assertEqual(answer.headers['Retry-After'], '7')
        self.assertEqual(self.ask().status, 200)

    def test_path_and_list(self):
        self.fault('/services/oauth2/token', status=500)
        faults = self.org.admin('faults', verb='GET')['faults']
        self.assertEqual(faults[0]['remaining'], 1)
        self.assertEqual(self.org.form('/services/oauth2/token', 'x=y').status, 500)
        self.assertEqual(self.org.admin('faults', verb='GET')['faults'], [])

    def test_reset(self):
        self.fault(reset=True)
        with self.assertRaises(ConnectionResetError):
            self.ask()
        self.assertEqual(self.ask().status, 200)

    def test_reset_after_commit(self):
        self.fault('create', reset=True, commit=True)
        with self.assertRaises(ConnectionResetError):
            self.org.rest('POST', '/sobjects/Contact', {'LastName': 'Ambiguous'})
        self.assertEqual(self.org.count("SELECT Id FROM Contact WHERE LastName = 'Ambiguous'"), 1)

    def test_cut(self):
        self.fault(cut_after=100)
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.ask()
        self.assertEqual(len(caught.exception.partial), 100)
        self.fault(cut_after=0)
        with self.assertRaises(http.client.IncompleteRead):
            self.ask()

    def test_truncations(self):
        self.fault(truncate_body=50)
        answer = self.ask()
        self.assertEqual((answer.status, len(answer.raw)), (200, 50))
        self.fault(truncate_gzip=True)
        with self.assertRaises(EOFError):
            self.ask(Accept_Encoding='gzip')

    def test_slow_and_delay(self):
        self.fault(slow={'bytes': 40000, 'interval_ms': 1})
        self.assertEqual(len(self.ask().json['records']), 2000)
        self.fault(delay_ms=5)
        self.assertEqual(self.ask().status, 200)

    def test_hang(self):
        self.fault(hang=True)
        with socket.create_connection(self.org.host.split(':')) as link:
            link.settimeout(0.2)
            link.sendall(f'GET {DATA}/query?q=x HTTP/1.1\r\nHost: x\r\n\r\n'.encode())
            with self.assertRaises(TimeoutError):
                link.recv(1)
        self.assertEqual(self.ask().status, 200)

    def test_counters(self):
        self.org.admin('counters/reset')
        self.ask()
        self.fault(status=503)
        self.ask()
        self.org.rest('GET', self.ask().json['nextRecordsUrl'])
        self.org.call('GET', '/nonsense')
        body = self.org.admin('counters', verb='GET')
        self.assertEqual(body['total'], 5)
        self.assertEqual(body['faulted'], 1)
        self.assertEqual((body['by_kind']['query'], body['by_kind']['query_more'],
                          body['by_kind']['unknown']), (3, 1, 1))
        self.assertEqual(body['by_status'], {'200': 3, '404': 1, '503': 1})


class Process(unittest.TestCase):
    def test_same_data_in_any_size(self):
        rows = []
        for size in ('300', '700'):
            org = Emulator('--contacts', size)
            org.login()
            rows.append(org.rows('SELECT FIELDS(ALL) FROM Contact ORDER BY Id LIMIT 200'))
            self.assertEqual(org.stop(), 0)
        self.assertEqual(rows[0], rows[1])

    def test_reopened_file(self):
        with tempfile.TemporaryDirectory() as folder:
            options = ('--contacts', '50', '--db', folder + '/org.db')
            org = Emulator(*options)
            org.login()
            org.admin('clock', {'advance_s': 86400})
            org.login()
            made = org.rest('POST', '/sobjects/Contact', {'LastName': 'Kept'}).json['id']
            now = org.admin('clock', verb='GET')['epoch_s']
            self.assertEqual(org.stop(), 0)
            org = Emulator(*options)
            org.login()
            self.assertEqual(org.rest('GET', '/sobjects/Contact/' + made).json['LastName'], 'Kept')
            self.assertEqual(org.count('SELECT count() FROM Contact'), 51)
            self.assertGreaterEqual(org.admin('clock', verb='GET')['epoch_s'], now)
            self.assertEqual(org.stop(), 0)

    def test_latency_and_date(self):
        org = Emulator('--latency-ms', '5')
        org.admin('clock', {'set': '2030-05-06T07:08:09Z'})
        self.assertEqual(org.login().headers['Date'][:22], 'Mon, 06 May 2030 07:08')
        self.assertEqual(org.stop(), 0)

    def test_bad_options(self):
        done = subprocess.run([BINARY, '--nonsense'], stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 2)


if __name__ == '__main__':
    if len(sys.argv) > 1 and os.path.exists(sys.argv[1]):
        BINARY = sys.argv.pop(1)
    unittest.main()
