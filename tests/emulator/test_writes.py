"""The emulator's writes: many records at once, requests within requests, rules, and what goes wrong.

Give the binary as first argument or in LEADSYNC_EMULATOR. Nothing here sleeps.
"""
import http.client
import os
import sys
import unittest

import test_emulator
from test_emulator import DATA, Emulator

MANY = '/composite/sobjects'
SYNC_USER = '0058d000002Kp7ZAAS'


def lead(**fields):
    return {'attributes': {'type': 'Lead'}, **fields}


def contact(**fields):
    return {'attributes': {'type': 'Contact'}, **fields}


class WritesCase(test_emulator.Case):
    options = ('--contacts', '300', '--leads', '60')

    def setUp(self):
        super().setUp()
        for thing in ('validations', 'flows', 'denials', 'pending'):
            self.org.admin(thing, verb='DELETE')
        self.org.admin('rules')
        self.org.admin('writes/reset')

    def many(self, verb, records, path='', status=200, headers=None, **body):
        answer = self.org.rest(verb, MANY + path, {'records': records, **body}, **headers or {})
        self.assertEqual(answer.status, status, answer.text)
        return answer.json

    def made(self, *records):
        return [one['id'] for one in self.many('POST', list(records))]

    def codes(self, results):
        return ['ok' if one['success'] else one['errors'][0]['statusCode'] for one in results]

    def log(self):
        return self.org.admin('writes/log', verb='GET')

    def counts(self):
        return self.org.admin('writes', verb='GET')

    def save(self, thing='Lead', status=201, headers=None, **fields):
        fields.setdefault('LastName', 'Okafor')
        if thing == 'Lead':
            fields.setdefault('Company', 'Baobab Ltd')
        answer = self.org.rest('POST', '/sobjects/' + thing, fields, **headers or {})
        self.assertEqual(answer.status, status, answer.text)
        return answer.json['id'] if status == 201 else answer

    def patch(self, identity, body, **headers):
        thing = {'003': 'Contact', '00Q': 'Lead', '001': 'Account'}[identity[:3]]
        return self.org.rest('PATCH', f'/sobjects/{thing}/{identity}', body, **headers)


class Collections(WritesCase):
    def test_create(self):
        results = self.many('POST', [
            lead(LastName='a', Company='b'), lead(FirstName='Nia'), contact(LastName=' c ')])
        self.assertEqual(results[0], {'id': results[0]['id'], 'success': True, 'errors': []})
        self.assertEqual(results[1], {'success': False, 'errors': [{
            'statusCode': 'REQUIRED_FIELD_MISSING', 'fields': ['LastName', 'Company'],
            'message': 'Required fields are missing: [LastName, Company]'}]})
        self.assertEqual(results[2]['id'][:3], '003')
        row = self.read(results[2]['id'], 'LastName', 'LastModifiedById', 'SystemModstamp',
                        'LastModifiedDate')
        self.assertEqual((row['LastName'], row['LastModifiedById']), ('c', SYNC_USER))
        self.assertEqual(row['SystemModstamp'], row['LastModifiedDate'])

    def test_all_or_none(self):
        count = self.org.count('SELECT Id FROM Lead')
        results = self.many('POST', [
            lead(LastName='a', Company='b'), lead(FirstName='Nia'), lead(LastName='c', Company='d')],
            allOrNone=True)
        self.assertEqual(self.codes(results), [
            'ALL_OR_NONE_OPERATION_ROLLED_BACK', 'REQUIRED_FIELD_MISSING',
            'ALL_OR_NONE_OPERATION_ROLLED_BACK'])
        self.assertEqual(results[0], {'success': False, 'errors': [{
            'statusCode': 'ALL_OR_NONE_OPERATION_ROLLED_BACK', 'fields': [],
            'message': 'Record rolled back because not all records were valid and the request was '
                       'using AllOrNone header'}]})
        self.assertEqual(self.org.count('SELECT Id FROM Lead'), count)
        ids = self.made(lead(LastName='a', Company='b'), lead(LastName='c', Company='d'))
        before = self.read(ids[0], 'SystemModstamp')
        self.org.admin('clock', {'advance_s': 60})
        results = self.many('PATCH', [lead(id=ids[0], City='x'), lead(id=ids[1], LastName=None)],
                            allOrNone=True)
        self.assertEqual(self.codes(results), ['ALL_OR_NONE_OPERATION_ROLLED_BACK',
                                               'REQUIRED_FIELD_MISSING'])
        self.assertEqual(self.read(ids[0], 'SystemModstamp'), before)
        answer = self.org.rest('DELETE', f'{MANY}?ids={ids[0]},00Q8d00000ZZZZZ&allOrNone=true')
        self.assertEqual(self.codes(answer.json), ['ALL_OR_NONE_OPERATION_ROLLED_BACK',
                                                   'INVALID_CROSS_REFERENCE_KEY'])
        self.assertEqual(self.read(ids[0], 'IsDeleted')['IsDeleted'], False)
        self.assertEqual(self.codes(self.many('PATCH', [lead(id=one, City='y') for one in ids],
                                              allOrNone=True)), ['ok', 'ok'])

    def test_update(self):
        one, two, gone = self.made(*[lead(LastName=name, Company='x') for name in 'abc'])
        self.org.admin('delete', {'object': 'Lead', 'id': gone})
        results = self.many('PATCH', [
            lead(id=two, City='Lagos'), lead(City='x'), lead(Id='nonsense'),
            lead(id='0038d00000BvT4yAAF'), lead(id='00Q8d00000ZZZZZ'), lead(id=gone, City='x'),
            lead(id=one[:15], City='Accra')])
        self.assertEqual(self.codes(results), [
            'ok', 'MISSING_ARGUMENT', 'MALFORMED_ID', 'MALFORMED_ID',
            'INVALID_CROSS_REFERENCE_KEY', 'ENTITY_IS_DELETED', 'ok'])
        self.assertEqual(results[1]['errors'], [{
            'statusCode': 'MISSING_ARGUMENT', 'fields': [],
            'message': 'Id not specified in an update call'}])
        self.assertEqual(results[2], {'id': 'nonsense', 'success': False, 'errors': [{
            'statusCode': 'MALFORMED_ID', 'message': 'malformed id nonsense', 'fields': []}]})
        self.assertEqual(results[6], {'id': one, 'success': True, 'errors': []})
        self.assertEqual(self.read(one, 'City')['City'], 'Accra')

    def test_same_id_twice(self):
        one, two = self.made(lead(LastName='a', Company='x'), lead(LastName='b', Company='x'))
        results = self.many('PATCH', [lead(id=one, City='x'), lead(id=two, City='y'),
                                      lead(id=one[:15], City='z')])
        self.assertEqual(self.codes(results), ['DUPLICATE_VALUE', 'ok', 'DUPLICATE_VALUE'])
        self.assertIsNone(self.read(one, 'City')['City'])
        results = self.org.rest('DELETE', f'{MANY}?ids={one},{two},{one}').json
        self.assertEqual(self.codes(results), ['DUPLICATE_VALUE', 'ok', 'DUPLICATE_VALUE'])
        keys = [lead(Leadsync_Key__c=key, LastName='x', Company='y') for key in ('T', 't', 'U')]
        results = self.many('PATCH', keys, '/Lead/Leadsync_Key__c')
        self.assertEqual(self.codes(results), ['DUPLICATE_VALUE', 'DUPLICATE_VALUE', 'ok'])
        results = self.many('POST', [one | {'Leadsync_Key__c': 'V'} for one in keys])
        self.assertEqual(self.codes(results), ['ok', 'DUPLICATE_VALUE', 'DUPLICATE_VALUE'])
        self.assertIn('on record with id: ' + results[0]['id'][:15],
                      results[1]['errors'][0]['message'])
        self.assertEqual(self.log()['records_twice'], 3)

    def test_upsert(self):
        path = '/Lead/Leadsync_Key__c'
        results = self.many('PATCH', [
            lead(Leadsync_Key__c='A 1', LastName='a', Company='b'), lead(LastName='x'),
            lead(Leadsync_Key__c='', LastName='x'), lead(Leadsync_Key__c='A2', City='x')], path)
        self.assertEqual(self.codes(results), ['ok', 'MISSING_ARGUMENT', 'MISSING_ARGUMENT',
                                               'REQUIRED_FIELD_MISSING'])
        self.assertEqual(results[0], {'id': results[0]['id'], 'success': True, 'errors': [],
                                      'created': True})
        self.assertEqual(results[1]['errors'][0]['message'], 'Leadsync_Key__c not specified')
        again = self.many('PATCH', [lead(Leadsync_Key__c='a 1', City='Lagos')], path)
        self.assertEqual(again, [results[0] | {'created': False}])
        self.assertEqual(self.read(results[0]['id'], 'City', 'Leadsync_Key__c')['Leadsync_Key__c'],
                         'A 1')
        answer = self.org.rest('PATCH', MANY + '/Lead/City', {'records': [lead(City='x')]})
        self.refused(answer, 404, 'NOT_FOUND')
        answer = self.org.rest('PATCH', MANY + path, {'records': [contact(Leadsync_Key__c='x')]})
        self.refused(answer, 400, 'INVALID_TYPE')

    def test_upsert_by_id_and_email(self):
        results = self.many('PATCH', [lead(Id=None, LastName='a', Company='b'),
                                      lead(LastName='a', Company='b')], '/Lead/Id')
        self.assertEqual(self.codes(results), ['ok', 'MISSING_ARGUMENT'])
        again = self.many('PATCH', [lead(Id=results[0]['id'], City='x')], '/Lead/Id')
        self.assertEqual(again, [results[0] | {'created': False}])
        mail = 'both@collections.example'
        self.made(lead(LastName='a', Company='b', Email=mail), lead(LastName='c', Company='d',
                                                                    Email=mail))
        results = self.many('PATCH', [lead(Email=mail, City='x'),
                                      lead(Email='one@c.example', LastName='e', Company='f')],
                            '/Lead/Email')
        self.assertEqual(self.codes(results), ['DUPLICATE_EXTERNAL_ID', 'ok'])

    def test_delete(self):
        one, two = self.made(lead(LastName='a', Company='x'), contact(LastName='b'))
        answer = self.org.rest('DELETE', f'{MANY}?ids={one},{two},nonsense,00Q8d00000ZZZZZ')
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.json[0], {'id': one, 'success': True, 'errors': []})
        self.assertEqual(self.codes(answer.json), ['ok', 'ok', 'MALFORMED_ID',
                                                   'INVALID_CROSS_REFERENCE_KEY'])
        answer = self.org.rest('DELETE', f'{MANY}?ids={one}&allOrNone=false')
        self.assertEqual(self.codes(answer.json), ['ENTITY_IS_DELETED'])
        self.org.admin('purge', {'object': 'Lead', 'id': one})
        answer = self.org.rest('DELETE', f'{MANY}?ids={one}')
        self.assertEqual(self.codes(answer.json), ['INVALID_CROSS_REFERENCE_KEY'])
        self.refused(self.org.rest('DELETE', MANY), 400, 'REQUIRED_FIELD_MISSING')
        ids = ','.join([two] * 201)
        self.refused(self.org.rest('DELETE', f'{MANY}?ids={ids}'), 400, 'EXCEEDED_ID_LIMIT')

    def test_read(self):
        ids = [one['Id'] for one in self.org.rows('SELECT Id FROM Contact LIMIT 3')]
        self.org.admin('delete', {'object': 'Contact', 'id': ids[2]})
        asked = [ids[1], '0038d00000ZZZZZ', ids[0][:15], ids[2]]
        answer = self.org.rest('GET', f'{MANY}/Contact?ids={",".join(asked)}&fields=Id,Title')
        self.assertEqual([one and one['Id'] for one in answer.json], [ids[1], None, ids[0], None])
        self.assertEqual(sorted(answer.json[0]), ['Id', 'Title', 'attributes'])
        body = {'ids': asked, 'fields': ['Id', 'Title']}
        self.assertEqual(self.org.rest('POST', MANY + '/Contact', body).json, answer.json)
        for change, code in (({'ids': ['x']}, 'MALFORMED_ID'), ({'fields': ['Nope']}, 'INVALID_FIELD'),
                             ({'fields': []}, 'MISSING_ARGUMENT'),
                             ({'ids': ids[:1] * 2001}, 'EXCEEDED_ID_LIMIT')):
            self.refused(self.org.rest('POST', MANY + '/Contact', body | change), 400, code)
        self.assertEqual(len(self.org.rest('POST', MANY + '/Contact', body | {
            'ids': ids[:1] * 2000}).json), 2000)
        self.refused(self.org.rest('POST', MANY + '/Foo', body), 404, 'NOT_FOUND')

    def test_limits(self):
        full = [lead(LastName='x', Company='y')] * 200
        self.org.admin('limits', {'used': 100})
        answer = self.org.rest('POST', MANY, {'records': full})
        self.assertEqual(self.codes(answer.json), ['ok'] * 200)
        self.assertEqual(answer.headers['Sforce-Limit-Info'], 'api-usage=101/15000')
        answer = self.org.rest('POST', MANY, {'records': full + full[:1]})
        self.refused(answer, 400, 'EXCEEDED_ID_LIMIT')
        self.assertEqual(answer.json[0]['message'], 'record limit reached. cannot submit more than '
                         '200 records into this call')
        mixed = [lead(LastName='x', Company='y'), contact(LastName='z')]
        self.assertEqual(self.codes(self.many('POST', mixed * 5)), ['ok'] * 10)
        answer = self.org.rest('POST', MANY, {'records': mixed * 6})
        self.refused(answer, 400, 'LIMIT_EXCEEDED')

    def test_whole_requests_refused(self):
        good = lead(LastName='sunk', Company='x')
        for body, code in (
                ({'records': []}, 'REQUIRED_FIELD_MISSING'), ({}, 'REQUIRED_FIELD_MISSING'),
                ({'records': [good, {'LastName': 'x'}]}, 'INVALID_TYPE'),
                ({'records': [good, {'attributes': {'type': 'Foo__c'}}]}, 'INVALID_TYPE'),
                ({'records': [good, lead(Nope__c=1)]}, 'INVALID_FIELD'),
                ({'records': [good, lead(Lead_Score__c='abc')]}, 'JSON_PARSER_ERROR'),
                ({'records': [good, contact(Birthdate='2015-02-30')]}, 'JSON_PARSER_ERROR'),
                ({'records': [good, lead(Consent__c=None)]}, 'JSON_PARSER_ERROR'),
                ({'records': [good, 7]}, 'JSON_PARSER_ERROR'),
                ({'records': 7}, 'JSON_PARSER_ERROR'),
                ({'records': [good], 'allornone': True}, 'JSON_PARSER_ERROR'),
                ({'records': [good], 'allOrNone': 'yes'}, 'JSON_PARSER_ERROR'),
                ('{"records":[', 'JSON_PARSER_ERROR'), ('[]', 'JSON_PARSER_ERROR')):
            with self.subTest(body=str(body)[:80]):
                self.refused(self.org.rest('POST', MANY, body), 400, code)
        answer = self.org.rest('POST', MANY, {'records': [good, lead(Nope__c=1)]})
        self.assertEqual(answer.json[0]['message'], "No such column 'Nope__c' on sobject of type Lead")
        answer = self.org.rest('POST', MANY, {'records': [good, {'attributes': {'type': 'Foo__c'}}]})
        self.assertEqual(answer.json[0]['message'], "sObject type 'Foo__c' is not supported.")
        self.refused(self.org.rest('POST', MANY, {'records': [good]}, Content_Type='text/plain'), 415,
                     'UNSUPPORTED_MEDIA_TYPE')
        self.refused(self.org.rest('PUT', MANY, {}), 405, 'METHOD_NOT_ALLOWED')
        self.assertEqual(self.org.count("SELECT Id FROM Lead WHERE LastName = 'sunk'"), 0)

    def test_errors_of_records(self):
        owner = self.org.rows("SELECT Id FROM User WHERE Alias = 'sales' LIMIT 1")[0]['Id']
        account = self.org.rows('SELECT Id FROM Account LIMIT 1')[0]['Id']
        self.org.admin('delete', {'object': 'Account', 'id': account})
        taken = self.save('Contact', Leadsync_Key__c='taken')
        cases = [
            (contact(LastName='x' * 81), 'STRING_TOO_LONG', ['LastName']),
            (contact(LastName='x', Email='foo@'), 'INVALID_EMAIL_ADDRESS', ['Email']),
            (contact(LastName='x', Region__c='Moon'),
             'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST', ['Region__c']),
            (contact(LastName='x', Lead_Score__c=1e6), 'NUMBER_OUTSIDE_VALID_RANGE',
             ['Lead_Score__c']),
            (contact(LastName='x', Name='y'), 'INVALID_FIELD_FOR_INSERT_UPDATE', ['Name']),
            (contact(LastName='x', MailingAddress=None), 'INVALID_FIELD_FOR_INSERT_UPDATE',
             ['MailingAddress']),
            (contact(LastName='x', AccountId='abc'), 'MALFORMED_ID', ['AccountId']),
            (contact(LastName='x', AccountId=owner), 'FIELD_INTEGRITY_EXCEPTION', ['AccountId']),
            (contact(LastName='x', AccountId='0018d00000ZZZZZ'), 'INVALID_CROSS_REFERENCE_KEY',
             ['AccountId']),
            (contact(LastName='x', AccountId=account), 'ENTITY_IS_DELETED', ['AccountId']),
            (contact(LastName='x', Leadsync_Key__c='TAKEN'), 'DUPLICATE_VALUE', []),
            (contact(LastName='x', Title='kept'), 'ok', None)]
        results = self.many('POST', [one[0] for one in cases])
        self.assertEqual(self.codes(results), [one[1] for one in cases])
        for result, (_, _, fields) in zip(results, cases):
            self.assertEqual([one['fields'] for one in result['errors']],
                             [fields] if fields is not None else [])
        self.assertEqual(results[10]['errors'][0]['message'], 'duplicate value found: '
                         f'Leadsync_Key__c duplicates value on record with id: {taken[:15]}')

    def test_converted(self):
        identity = self.save()
        self.org.admin('convert', {'lead': identity})
        result = self.many('PATCH', [lead(id=identity, City='x')])[0]
        self.assertEqual(result['errors'], [{
            'statusCode': 'CANNOT_UPDATE_CONVERTED_LEAD', 'fields': [],
            'message': 'cannot reference converted lead'}])


class Composite(WritesCase):
    def run_parts(self, *parts, status=200, **body):
        parts = [{'referenceId': f'r{at}', **one} for at, one in enumerate(parts)]
        for one in parts:
            if one['url'].startswith('/s') or one['url'].startswith('/q') or (
                    one['url'].startswith('/composite')):
                one['url'] = one['url'] if one['url'].startswith('/services') else DATA + one['url']
        answer = self.org.rest('POST', '/composite', {'compositeRequest': parts, **body})
        self.assertEqual(answer.status, status, answer.text)
        return answer.json['compositeResponse'] if status == 200 else answer

    def test_references(self):
        self.org.admin('limits', {'used': 10})
        parts = self.run_parts(
            {'method': 'GET', 'url': '/query/?q=SELECT+Id,LastName+FROM+Contact+LIMIT+1'},
            {'method': 'PATCH', 'url': '/sobjects/Contact/@{r0.records[0].Id}',
             'body': {'Title': 'of @{r0.records[0].LastName}'}},
            {'method': 'POST', 'url': '/sobjects/Account', 'body': {'Name': 'Parent'}},
            {'method': 'POST', 'url': '/sobjects/Contact',
             'body': {'LastName': 'Child', 'AccountId': '@{r2.id}'}},
            {'method': 'GET', 'url': '/sobjects/Foo/x'},
            {'method': 'PATCH', 'url': '/sobjects/Contact/@{r0.records[7].Id}', 'body': {}},
            {'method': 'DELETE', 'url': '/sobjects/Contact/@{r3.id}'}, collateSubrequests=True)
        self.assertEqual([one['httpStatusCode'] for one in parts],
                         [200, 204, 201, 201, 404, 400, 204])
        self.assertEqual([one['referenceId'] for one in parts], [f'r{at}' for at in range(7)])
        self.assertEqual(parts[1], {'body': None, 'httpHeaders': {}, 'httpStatusCode': 204,
                                    'referenceId': 'r1'})
        self.assertEqual(parts[2]['httpHeaders'], {
            'Location': f'{DATA}/sobjects/Account/{parts[2]["body"]["id"]}'})
        self.assertEqual(parts[4]['body'][0]['errorCode'], 'NOT_FOUND')
        self.assertEqual(parts[5]['body'], [{
            'errorCode': 'PROCESSING_HALTED', 'message':
            'Invalid reference specified. No value for r0.records[7].Id found in r0'}])
        row = parts[0]['body']['records'][0]
        self.assertEqual(self.read(row['Id'], 'Title')['Title'], 'of ' + row['LastName'])
        self.assertEqual(self.org.admin('limits', verb='GET')['used'], 12)

    def test_all_or_none(self):
        count = self.org.count('SELECT Id FROM Contact')
        parts = self.run_parts(
            {'method': 'POST', 'url': '/sobjects/Contact', 'body': {'LastName': 'x'}},
            {'method': 'POST', 'url': '/sobjects/Contact', 'body': {'FirstName': 'x'}},
            {'method': 'POST', 'url': '/sobjects/Contact', 'body': {'LastName': 'y'}},
            allOrNone=True)
        self.assertEqual([one['body'][0]['errorCode'] for one in parts], [
            'PROCESSING_HALTED', 'REQUIRED_FIELD_MISSING', 'PROCESSING_HALTED'])
        self.assertEqual(parts[0]['httpHeaders'], {})
        self.assertEqual(parts[0]['body'][0]['message'], 'The transaction was rolled back since '
                         'another operation in the same transaction failed.')
        self.assertEqual(self.org.count('SELECT Id FROM Contact'), count)

    def test_collections_within(self):
        count = self.org.count('SELECT Id FROM Contact')
        records = {'records': [contact(LastName='in'), contact(FirstName='out')]}
        parts = [{'method': 'POST', 'url': '/composite/sobjects', 'body': records},
                 {'method': 'POST', 'url': '/sobjects/Contact', 'body': {'LastName': 'beside'}}]
        answer = self.run_parts(*parts, allOrNone=True)
        self.assertEqual(self.codes(answer[0]['body']), ['ALL_OR_NONE_OPERATION_ROLLED_BACK',
                                                         'REQUIRED_FIELD_MISSING'])
        self.assertEqual(answer[1]['httpStatusCode'], 400)
        self.assertEqual(self.org.count('SELECT Id FROM Contact'), count)
        answer = self.run_parts(*parts)
        self.assertEqual(self.codes(answer[0]['body']), ['ok', 'REQUIRED_FIELD_MISSING'])
        self.assertEqual(self.org.count('SELECT Id FROM Contact'), count + 2)

    def test_headers_of_parts(self):
        identity = self.save('Contact')
        part = {'method': 'PATCH', 'url': '/sobjects/Contact/' + identity, 'body': {'Title': 'x'},
                'httpHeaders': {'If-Unmodified-Since': 'Fri, 02 Jan 2015 03:04:05 GMT'}}
        self.assertEqual(self.run_parts(part)[0]['httpStatusCode'], 412)
        part['httpHeaders'] = {'Authorization': 'Bearer x'}
        self.refused(self.run_parts(part, status=400), 400, 'INVALID_ARGUMENT')

    def test_refusals(self):
        part = {'method': 'GET', 'url': DATA + '/sobjects/Contact/x'}
        query = {'method': 'GET', 'url': DATA + '/query/?q=x'}
        for parts, code in (([], 'REQUIRED_FIELD_MISSING'), ([part] * 26, 'LIMIT_EXCEEDED'),
                            ([query] * 6, 'LIMIT_EXCEEDED')):
            self.refused(self.run_parts(*parts, status=400), 400, code)
        self.assertEqual(len(self.run_parts(*[part] * 25)), 25)
        self.refused(self.run_parts(part, part | {'referenceId': 'r0'}, status=400), 400,
                     'INVALID_ARGUMENT')
        self.refused(self.run_parts(part | {'referenceId': 'a-b'}, status=400), 400,
                     'INVALID_ARGUMENT')
        self.refused(self.run_parts({'url': '/x', 'referenceId': 'a'}, status=400), 400,
                     'REQUIRED_FIELD_MISSING')
        within = self.run_parts({'method': 'POST', 'url': DATA + '/composite', 'body': {}},
                                {'method': 'GET', 'url': '/nonsense'})
        self.assertEqual([one['httpStatusCode'] for one in within], [404, 404])

    def test_batch(self):
        identity = self.save('Contact')
        self.org.admin('limits', {'used': 10})
        parts = [{'method': 'GET', 'url': f'v66.0/sobjects/Contact/{identity}?fields=LastName'},
                 {'method': 'PATCH', 'url': f'v66.0/sobjects/Contact/{identity}',
                  'richInput': {'Title': 'CTO'}},
                 {'method': 'GET', 'url': 'v66.0/sobjects/Contact/nonsense'},
                 {'method': 'DELETE', 'url': f'v66.0/sobjects/Contact/{identity}'}]
        body = self.org.rest('POST', '/composite/batch', {'batchRequests': parts[:2]}).json
        self.assertEqual(body['hasErrors'], False)
        self.assertEqual([one['statusCode'] for one in body['results']], [200, 204])
        self.assertEqual((body['results'][0]['result']['LastName'], body['results'][1]['result']),
                         ('Okafor', None))
        self.assertEqual(self.org.admin('limits', verb='GET')['used'], 12)
        body = self.org.rest('POST', '/composite/batch', {
            'batchRequests': parts[2:], 'haltOnError': True}).json
        self.assertEqual([one['statusCode'] for one in body['results']], [400, 412])
        self.assertEqual(body['results'][1]['result'][0]['errorCode'], 'BATCH_PROCESSING_HALTED')
        self.assertEqual(body['hasErrors'], True)
        body = self.org.rest('POST', '/composite/batch', {'batchRequests': parts[2:]}).json
        self.assertEqual([one['statusCode'] for one in body['results']], [400, 204])
        self.refused(self.org.rest('POST', '/composite/batch', {'batchRequests': parts * 7}), 400,
                     'LIMIT_EXCEEDED')
        self.refused(self.org.rest('POST', '/composite/batch', {}), 400, 'JSON_PARSER_ERROR')

    def test_batch_over_budget(self):
        self.org.admin('limits', {'used': 14999})
        part = {'method': 'GET', 'url': 'v66.0/limits'}
        body = self.org.rest('POST', '/composite/batch', {'batchRequests': [part] * 2}).json
        self.assertEqual([one['statusCode'] for one in body['results']], [200, 403])

    def test_tree(self):
        def node(thing, name, **fields):
            return {'attributes': {'type': thing, 'referenceId': name}, **fields}

        path = '/composite/tree/Account'
        child = node('Contact', 'r2', LastName='Child')
        answer = self.org.rest('POST', path, {'records': [
            node('Account', 'r1', Name='Parent', Contacts={'records': [child]})]})
        self.assertEqual(answer.status, 201, answer.text)
        results = answer.json['results']
        self.assertEqual(answer.json['hasErrors'], False)
        self.assertEqual([one['referenceId'] for one in results], ['r1', 'r2'])
        self.assertEqual(self.read(results[1]['id'], 'AccountId')['AccountId'], results[0]['id'])
        count = self.org.count('SELECT Id FROM Account')
        answer = self.org.rest('POST', path, {'records': [
            node('Account', 'r1', Name='Parent', Contacts={'records': [node('Contact', 'r2')]})]})
        self.assertEqual(answer.status, 400)
        self.assertEqual(answer.json, {'hasErrors': True, 'results': [{
            'referenceId': 'r2', 'errors': [{
                'statusCode': 'REQUIRED_FIELD_MISSING', 'fields': ['LastName'],
                'message': 'Required fields are missing: [LastName]'}]}]})
        self.assertEqual(self.org.count('SELECT Id FROM Account'), count)
        many = [node('Account', f'a{at}', Name='x') for at in range(201)]
        for records, code in (([], 'REQUIRED_FIELD_MISSING'), (many, 'EXCEEDED_ID_LIMIT'),
                              ([many[0]] * 2, 'INVALID_ARGUMENT'), ([child], 'INVALID_TYPE'),
                              ([node('Account', 'r', Nope=1)], 'INVALID_FIELD')):
            self.refused(self.org.rest('POST', path, {'records': records}), 400, code)


class Headers(WritesCase):
    def test_preconditions(self):
        identity = self.save('Contact')
        path = '/sobjects/Contact/' + identity
        answer = self.org.rest('GET', path)
        seen = answer.headers['Last-Modified']
        self.assertEqual(self.org.rest('GET', path, If_Modified_Since=seen).status, 304)
        self.assertEqual(self.org.rest('GET', path, If_Unmodified_Since=seen).status, 200)
        self.assertEqual(self.patch(identity, {'Title': 'a'}, If_Unmodified_Since=seen).status, 204)
        self.org.admin('clock', {'advance_s': 60})
        self.patch(identity, {'Title': 'b'})
        self.assertEqual(self.org.rest('GET', path, If_Modified_Since=seen).status, 200)
        self.assertEqual(self.org.rest('GET', path, If_Unmodified_Since=seen).status, 412)
        self.assertEqual(self.patch(identity, {'Title': 'c'}, If_Unmodified_Since=seen).status, 412)
        self.assertEqual(self.read(identity, 'Title')['Title'], 'b')
        for name in ('If_Unmodified_Since', 'If_Modified_Since'):
            self.assertEqual(self.patch(identity, {'Title': 'c'}, **{name: 'nonsense'}).status, 400)
        self.assertEqual(self.patch(identity, {'Title': 'c'}, If_Match='"x"').status, 204)
        self.assertEqual(self.org.rest('DELETE', path, If_Unmodified_Since=seen).status, 204)

    def test_entity_tags_of_accounts(self):
        identity = self.org.rest('POST', '/sobjects/Account', {'Name': 'Tagged'}).json['id']
        path = '/sobjects/Account/' + identity
        tag = self.org.rest('GET', path).headers['ETag']
        self.assertEqual(self.org.rest('GET', path, If_None_Match=tag).status, 304)
        self.assertEqual(self.org.rest('GET', path, If_Match='"other"').status, 412)
        self.assertEqual(self.patch(identity, {'Phone': '1'}, If_Match='"other"').status, 412)
        self.assertEqual(self.patch(identity, {'Phone': '1'}, If_None_Match=tag).status, 412)
        self.org.admin('clock', {'advance_s': 5})
        self.assertEqual(self.patch(identity, {'Phone': '1'}, If_Match=tag).status, 204)
        self.assertEqual(self.patch(identity, {'Phone': '2'}, If_Match=tag).status, 412)

    def test_upsert_with_condition(self):
        self.save(Leadsync_Key__c='C-1')
        path = '/sobjects/Lead/Leadsync_Key__c/'
        old = {'If_Unmodified_Since': 'Fri, 02 Jan 2015 03:04:05 GMT'}
        self.assertEqual(self.org.rest('PATCH', path + 'C-1', {'City': 'x'}, **old).status, 412)
        answer = self.org.rest('PATCH', path + 'C-2', {'LastName': 'x', 'Company': 'y'}, **old)
        self.assertEqual(answer.status, 201)

    def test_duplicate_rule(self):
        self.org.admin('rules', {'duplicates': True})
        mail = {'Email': 'rule@duplicates.example'}
        first = self.save(**mail)
        answer = self.save(status=400, **mail)
        found = answer.json[0]
        self.assertEqual((found['errorCode'], found['message']), ('DUPLICATES_DETECTED',
                                                                  'Use one of these records?'))
        self.assertTrue(found['duplicateResult']['allowSave'])
        match = found['duplicateResult']['matchResults'][0]
        self.assertEqual(match['matchRecords'][0]['record']['Id'], first)
        answer = self.org.rest('POST', DATA.replace('66', '50') + '/sobjects/Lead',
                               {'LastName': 'x', 'Company': 'y', **mail},
                               Sforce_Duplicate_Rule_Header='allowSave=true')
        self.assertIn('duplicateResut', answer.json[0])
        allow = {'Sforce_Duplicate_Rule_Header': 'includeRecordDetails=false; allowSave=true; '
                                                 'runAsCurrentUser=true'}
        refuse = {'Sforce_Duplicate_Rule_Header': 'allowSave=false'}
        record = lead(LastName='x', Company='y', **mail)
        self.save(status=400, headers=refuse, **mail)
        results = self.many('POST', [record, lead(LastName='x', Company='y')])
        self.assertEqual(results[0], {'success': False, 'errors': [{
            'statusCode': 'DUPLICATES_DETECTED', 'message': 'Use one of these records?',
            'fields': []}]})
        self.assertTrue(results[1]['success'])
        self.assertEqual(self.codes(self.many('POST', [record], headers=allow)), ['ok'])
        self.org.admin('rules', {'duplicates': 'block'})
        self.assertEqual(self.codes(self.many('POST', [record], headers=allow)),
                         ['DUPLICATES_DETECTED'])
        answer = self.save(status=400, headers=allow, **mail)
        self.assertFalse(answer.json[0]['duplicateResult']['allowSave'])

    def test_assignment(self):
        self.org.admin('rules', {'assignment': True})
        for headers, stays in (({}, False), ({'Sforce_Auto_Assign': 'TRUE'}, False),
                               ({'Sforce_Auto_Assign': '01Q8d000000AbcD'}, False),
                               ({'Sforce_Auto_Assign': 'FALSE'}, True),
                               ({'Sforce_Auto_Assign': 'false'}, True)):
            identity = self.many('POST', [lead(LastName='x', Company='y')], headers=headers)[0]['id']
            owner = self.read(identity, 'OwnerId')['OwnerId']
            self.assertEqual(owner == SYNC_USER, stays, headers)
            if stays:
                self.many('PATCH', [lead(id=identity, City='x')])
                self.assertNotEqual(self.read(identity, 'OwnerId')['OwnerId'], SYNC_USER)

    def test_headers_are_logged(self):
        self.save(headers={'Sforce_Call_Options': 'client=leadsyncd', 'Sforce_Mru': 'updateMru=false',
                           'Sforce_Auto_Assign': 'FALSE'})
        self.assertEqual(self.log()['log'][0]['headers'], {
            'Sforce-Call-Options': 'client=leadsyncd', 'Sforce-Mru': 'updateMru=false',
            'Sforce-Auto-Assign': 'FALSE'})


class Rules(WritesCase):
    def test_validation(self):
        rule = {'object': 'Contact', 'field': 'Title', 'equals': 'King', 'at': 'Title',
                'message': 'No kings here'}
        self.assertEqual(self.org.admin('validations', rule)['validations'], [rule])
        answer = self.save('Contact', status=400, Title='King')
        self.assertEqual(answer.json, [{'errorCode': 'FIELD_CUSTOM_VALIDATION_EXCEPTION',
                                        'message': 'No kings here', 'fields': ['Title']}])
        identity = self.save('Contact', Title='king')
        results = self.many('PATCH', [contact(id=identity, Title=' King ')])
        self.assertEqual(self.codes(results), ['FIELD_CUSTOM_VALIDATION_EXCEPTION'])
        self.org.admin('edit', {'object': 'Contact', 'id': identity, 'fields': {'Title': 'King'}})
        answer = self.patch(identity, {'Department': 'x'})  # what is stored breaks the rule too
        self.refused(answer, 400, 'FIELD_CUSTOM_VALIDATION_EXCEPTION')
        self.assertEqual(self.patch(identity, {'Title': None}).status, 204)

    def test_conditions(self):
        identity = self.save('Contact', Title='a', Lead_Score__c=5)
        for when, body, holds in (
                ({'field': 'Title', 'differs': 'a'}, {}, False),
                ({'field': 'Title', 'differs': 'a'}, {'Title': 'b'}, True),
                ({'field': 'Title', 'blank': True}, {'Title': ''}, True),
                ({'field': 'Title', 'blank': False}, {}, True),
                ({'field': 'Title', 'given': True}, {'Department': 'x'}, False),
                ({'field': 'Title', 'given': True}, {'Title': 'a'}, True),
                ({'field': 'Title', 'changed': True}, {'Title': 'a'}, False),
                ({'field': 'Title', 'changed': True}, {'Title': 'b'}, True),
                ({'field': 'Consent__c', 'equals': True}, {'Consent__c': True}, True),
                ({'field': 'Lead_Score__c', 'equals': 5}, {}, True),
                ({}, {}, True)):
            with self.subTest(when=when, body=body):
                self.org.admin('validations', verb='DELETE')
                self.org.admin('validations', {'object': 'Contact', 'message': 'no', **when})
                self.assertEqual(self.patch(identity, body).status, 400 if holds else 204)
                self.org.admin('edit', {'object': 'Contact', 'id': identity, 'fields': {
                    'Title': 'a', 'Consent__c': False}})
        for bad in ({'object': 'Foo', 'message': 'x'}, {'object': 'Contact'},
                    {'object': 'Contact', 'message': 'x', 'field': 'Nope', 'equals': 1},
                    {'object': 'Contact', 'message': 'x', 'field': 'Birthdate', 'equals': 'x'}):
            with self.assertRaises(AssertionError):
                self.org.admin('validations', bad)

    def test_flow(self):
        self.org.admin('flows', {'object': 'Contact', 'when': {'field': 'Title', 'equals': 'CTO'},
                                 'set': {'Department': 'Board', 'Lead_Score__c': 9.6}})
        self.org.admin('flows', {'object': 'Contact', 'upper': 'MailingCity'})
        identity = self.save('Contact', Title='CTO', Department='IT', MailingCity='Lagos')
        row = self.read(identity, 'Department', 'MailingCity', 'Lead_Score__c')
        self.assertEqual((row['Department'], row['MailingCity'], row['Lead_Score__c']),
                         ('Board', 'LAGOS', 10.0))
        self.patch(identity, {'Title': 'CEO', 'Department': 'IT'})
        self.assertEqual(self.read(identity, 'Department')['Department'], 'IT')
        self.many('PATCH', [contact(id=identity, Title='CTO')])
        self.assertEqual(self.read(identity, 'Department')['Department'], 'Board')
        self.org.admin('edit', {'object': 'Contact', 'id': identity, 'fields': {
            'Department': 'IT'}})
        self.assertEqual(self.read(identity, 'Department')['Department'], 'IT')
        self.assertEqual(self.counts()['Contact']['by_record'][identity],
                         {'Title': 2, 'Department': 1})
        self.assertEqual(len(self.org.admin('flows', verb='GET')['flows']), 2)

    def test_locked_for_some_attempts(self):
        identity = self.save('Contact')
        self.org.admin('denials', {'code': 'UNABLE_TO_LOCK_ROW', 'id': identity, 'times': 2})
        answer = self.patch(identity, {'Title': 'x'})
        self.refused(answer, 400, 'UNABLE_TO_LOCK_ROW')
        self.assertEqual(answer.json[0]['message'], 'unable to obtain exclusive access to this record '
                         'or 1 records: ' + identity[:15])
        other = self.save('Contact')
        results = self.many('PATCH', [contact(id=other, Title='x'), contact(id=identity, Title='x')])
        self.assertEqual(self.codes(results), ['ok', 'UNABLE_TO_LOCK_ROW'])
        self.assertEqual(self.patch(identity, {'Title': 'x'}).status, 204)

    def test_denials(self):
        identity = self.save('Contact')
        for code, status in (('ENTITY_IS_LOCKED', 400), ('STORAGE_LIMIT_EXCEEDED', 403),
                             ('INSUFFICIENT_ACCESS_OR_READONLY', 403), ('SERVER_UNAVAILABLE', 503),
                             ('CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY', 400),
                             ('INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY', 400),
                             ('CIRCULAR_DEPENDENCY', 400), ('FIELD_FILTER_VALIDATION_EXCEPTION', 400),
                             ('INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE', 400),
                             ('TXN_SECURITY_METERING_ERROR', 400), ('UNKNOWN_EXCEPTION', 500)):
            with self.subTest(code=code):
                self.org.admin('denials', {'code': code, 'object': 'Contact', 'times': 2})
                self.refused(self.patch(identity, {'Title': 'x'}), status, code)
                results = self.many('PATCH', [contact(id=identity, Title='x')])
                self.assertEqual(self.codes(results), [code])
                self.assertEqual(self.patch(identity, {'Title': 'x'}).status, 204)
        self.org.admin('denials', verb='DELETE')
        self.org.admin('denials', {'code': 'STORAGE_LIMIT_EXCEEDED', 'on': 'create'})
        self.org.admin('denials', {'code': 'DELETE_FAILED', 'on': 'delete', 'message': 'trigger'})
        self.org.admin('denials', {'code': 'INVALID_STATUS', 'object': 'Contact', 'field': 'Title'})
        self.save('Contact', status=403)
        answer = self.org.rest('DELETE', '/sobjects/Contact/' + identity)
        self.assertEqual(answer.json[0]['message'], 'trigger')
        self.assertEqual(self.patch(identity, {'Title': 'x'}).json[0]['fields'], ['Title'])
        self.assertEqual(self.patch(identity, {'Department': 'x'}).status, 204)
        with self.assertRaises(AssertionError):
            self.org.admin('denials', {'code': 'X', 'field': 'Nope', 'object': 'Contact'})

    def test_every_third(self):
        ids = self.made(*[contact(LastName='x')] * 7)
        self.org.admin('denials', {'code': 'UNABLE_TO_LOCK_ROW', 'object': 'Contact', 'every': 3})
        results = self.many('PATCH', [contact(id=one, Title='x') for one in ids])
        self.assertEqual([one['success'] for one in results],
                         [True, True, False, True, True, False, True])
        self.assertEqual(self.org.admin('denials', verb='GET')['denials'][0]['remaining'], -1)

    def test_readonly_field(self):
        identity = self.save('Contact')
        self.org.admin('schema', {'object': 'Contact', 'readonly': 'Title'})
        results = self.many('PATCH', [contact(id=identity, Title='x', Department='y')])
        self.assertEqual(results[0]['errors'][0]['statusCode'], 'INVALID_FIELD_FOR_INSERT_UPDATE')
        self.assertEqual(results[0]['errors'][0]['fields'], ['Title'])
        self.org.admin('schema', {'object': 'Contact', 'writeable': 'Title'})

    def test_normal_forms(self):
        identity = self.many('POST', [contact(
            LastName='  Okafor\t', Title=' \r\n ', Description='a\r\nb\n', Department='',
            Lead_Score__c='12.6', Phone=' (030) 123 45-67 ', Birthdate='2001-02-03')])[0]['id']
        row = self.read(identity, 'LastName', 'Title', 'Description', 'Department', 'Lead_Score__c',
                        'Phone', 'Birthdate')
        del row['attributes']
        self.assertEqual(row, {
            'LastName': 'Okafor', 'Title': None, 'Description': 'a\nb', 'Department': None,
            'Lead_Score__c': 13.0, 'Phone': '(030) 123 45-67', 'Birthdate': '2001-02-03'})
        before = self.read(identity, 'SystemModstamp')['SystemModstamp']
        self.org.admin('clock', {'advance_s': 10})
        self.many('PATCH', [contact(id=identity, Title=None)])  # nothing changes, but the stamps
        self.assertGreater(self.read(identity, 'SystemModstamp')['SystemModstamp'], before)


class Log(WritesCase):
    def test_counts(self):
        one, two = self.made(contact(LastName='a'), contact(LastName='b'))
        self.org.admin('writes/reset')
        self.many('PATCH', [contact(id=one[:15], title='x'), contact(id=two, Title='y', Phone=None)])
        self.patch(one, {'Department': 'z'})
        self.org.rest('PATCH', '/sobjects/Contact/Leadsync_Key__c/K9', {'LastName': 'n'})
        self.org.rest('DELETE', f'{MANY}?ids={two}')
        self.org.rest('GET', '/sobjects/Contact/' + one)
        counts = self.counts()
        self.assertEqual(counts, {'Contact': {
            'requests': 4, 'records': 5,
            'fields': {'Title': 2, 'Phone': 1, 'Department': 1, 'LastName': 1},
            'by_record': {one: {'Title': 1, 'Department': 1}, two: {'Title': 1, 'Phone': 1},
                          'Leadsync_Key__c/K9': {'LastName': 1}}}})
        log = self.log()
        self.assertEqual((log['requests'], log['dropped'], log['fields_twice']), (4, 0, 0))
        self.assertEqual([one['kind'] for one in log['log']],
                         ['collections', 'update', 'upsert', 'collections'])
        self.assertEqual(log['log'][0]['records'], [
            {'object': 'Contact', 'id': one, 'fields': ['Title'], 'status': 'ok'},
            {'object': 'Contact', 'id': two, 'fields': ['Title', 'Phone'], 'status': 'ok'}])
        self.assertEqual(log['log'][1]['records'][0]['status'], '204')
        self.assertEqual(log['log'][2]['records'][0]['status'], '201')
        self.org.admin('writes/reset')
        self.assertEqual((self.counts(), self.log()['log']), ({}, []))

    def test_refused_ones_count(self):
        identity = self.save('Contact')
        self.org.admin('writes/reset')
        self.refused(self.patch(identity, {'Nope': 1}), 400, 'INVALID_FIELD')
        self.org.rest('POST', MANY, {'records': [contact(LastName='x'), contact(Nope=1)]})
        self.org.admin('faults', {'match': 'collections', 'status': 503})
        self.org.rest('PATCH', MANY, {'records': [contact(id=identity, Title='x')]})
        self.org.admin('sessions/expire')
        self.refused(self.patch(identity, {'Fax': '1'}), 401, 'INVALID_SESSION_ID')
        self.assertEqual(self.counts()['Contact']['fields'],
                         {'Nope': 2, 'LastName': 1, 'Title': 1, 'Fax': 1})
        self.assertEqual([one['outcome'] for one in self.log()['log']], [
            'INVALID_FIELD', 'INVALID_FIELD', 'faulted', 'INVALID_SESSION_ID'])
        self.assertEqual(self.log()['log'][2]['status'], 503)

    def test_keys_that_stand_twice(self):
        identity = self.save('Contact')
        self.org.admin('writes/reset')
        self.patch(identity, '{"Title":"a","Department":"{\\"Title\\":1}","title" : "b"}')
        self.org.rest('PATCH', MANY, '{"records":[%s,%s]}' % ((
            '{"attributes":{"type":"Contact"},"id":"%s","Title":"x"}' % identity,) * 2))
        log = self.log()
        self.assertEqual((log['fields_twice'], log['records_twice']), (1, 1))
        self.assertEqual(log['log'][0]['fields_twice'], ['title'])
        self.assertEqual(log['log'][1]['records_twice'], [identity])

    def test_parts(self):
        identity = self.save('Contact')
        self.org.admin('writes/reset')
        parts = [{'method': 'PATCH', 'referenceId': 'a', 'body': {'Title': 'x'},
                  'url': f'{DATA}/sobjects/Contact/{identity}'},
                 {'method': 'POST', 'referenceId': 'b', 'url': f'{DATA}/composite/sobjects',
                  'body': {'records': [contact(LastName='y'), contact(Phone='z')]}},
                 {'method': 'PATCH', 'referenceId': 'c', 'body': {'Fax': '1'},
                  'url': f'{DATA}/sobjects/Contact/@{{a.id}}'}]
        self.org.rest('POST', '/composite', {'compositeRequest': parts})
        self.org.admin('faults', {'match': 'composite', 'status': 503})
        self.org.rest('POST', '/composite', {'compositeRequest': parts})
        self.org.rest('POST', '/composite', {'compositeRequest': parts, 'allOrNone': True})
        self.org.rest('POST', '/composite/batch', {'batchRequests': [{
            'method': 'PATCH', 'richInput': {'Department': 'x'},
            'url': f'v66.0/sobjects/Contact/{identity}'}]})
        log = [[record['status'] for record in one['records']] for one in self.log()['log']]
        self.assertEqual(log, [
            ['204', 'ok', 'REQUIRED_FIELD_MISSING', 'PROCESSING_HALTED'], ['faulted'] * 4,
            ['PROCESSING_HALTED', 'ALL_OR_NONE_OPERATION_ROLLED_BACK', 'REQUIRED_FIELD_MISSING',
             'PROCESSING_HALTED'], ['204']])
        self.assertEqual(self.counts()['Contact']['by_record'][identity],
                         {'Title': 3, 'Department': 1})
        self.assertEqual(self.counts()['Contact']['requests'], 4)


class Lost(WritesCase):
    def fault(self, match='collections', **what):
        self.org.admin('faults', {'match': match, **what})

    def lose(self, verb, path, body=None):
        with self.assertRaises((ConnectionResetError, http.client.RemoteDisconnected)):
            self.org.rest(verb, path, body)

    def title(self, identity):
        return self.read(identity, 'Title')['Title']

    def now(self):
        return self.org.admin('clock', verb='GET')['epoch_s']

    def test_committed_but_lost(self):
        one, two = self.made(contact(LastName='a'), contact(LastName='b'))
        keyed = [contact(Leadsync_Key__c='L-1', LastName='c')]
        whole = {'compositeRequest': [{
            'method': 'PATCH', 'url': f'{DATA}/sobjects/Contact/{one}', 'referenceId': 'x',
            'body': {'Title': 'composite'}}]}
        for match, verb, path, body, soql in (
                ('collections', 'POST', MANY, {'records': [contact(LastName='lost1')]},
                 "LastName = 'lost1'"),
                ('collections', 'PATCH', MANY, {'records': [contact(id=one, Title='lost2')]},
                 "Title = 'lost2'"),
                ('collections', 'PATCH', MANY + '/Contact/Leadsync_Key__c', {'records': keyed},
                 "Leadsync_Key__c = 'L-1'"),
                ('update', 'PATCH', '/sobjects/Contact/' + one, {'Title': 'lost3'},
                 "Title = 'lost3'"),
                ('upsert', 'PATCH', '/sobjects/Contact/Leadsync_Key__c/L-2', {'LastName': 'lost4'},
                 "LastName = 'lost4'"),
                ('composite', 'POST', '/composite', whole, "Title = 'composite'"),
                ('collections', 'DELETE', f'{MANY}?ids={two}', None, f"Id = '{two}'")):
            with self.subTest(soql=soql):
                there = 0 if verb == 'DELETE' else 1
                self.fault(match, reset=True, commit=True)
                self.lose(verb, path, body)
                self.assertEqual(self.org.count('SELECT Id FROM Contact WHERE ' + soql), there)
                self.fault(match, status=503, commit=True)
                self.assertEqual(self.org.rest(verb, path, body).status, 503)
                self.fault(match, truncate_body=9, commit=True)
                self.org.rest(verb, path, body)
        self.fault(reset=True)
        self.lose('PATCH', MANY, {'records': [contact(id=one, Title='never')]})
        self.assertNotEqual(self.title(one), 'never')

    def test_committed_later(self):
        one, two = self.made(contact(LastName='a'), contact(LastName='b'))
        start = self.now()
        self.fault(commit_later_s=300)
        self.lose('PATCH', MANY, {'records': [contact(id=one, Title='late'),
                                              contact(id=two, Title='late')]})
        self.fault('update', commit_later_s=100, status=503)
        self.assertEqual(self.patch(one, {'Title': 'sooner'}).status, 503)
        self.fault('create', commit_later_s=600)
        self.lose('POST', '/sobjects/Contact', {'LastName': 'Latecomer'})
        self.assertIsNone(self.title(one))
        body = self.org.admin('pending', verb='GET')
        self.assertEqual([one['kind'] for one in body['pending']],
                         ['update', 'collections', 'create'])
        self.assertLessEqual(body['pending'][0]['in_s'], 100)
        self.assertEqual(body['done'], [])
        self.org.admin('clock', {'advance_s': 150})
        self.assertEqual(self.title(one), 'sooner')
        self.org.admin('clock', {'advance_s': 300})
        rows = self.org.rows(f"SELECT Title, SystemModstamp FROM Contact WHERE Id = '{one}'")
        self.assertEqual(rows[0]['Title'], 'late')
        body = self.org.admin('pending', verb='GET')
        self.assertEqual(rows[0]['SystemModstamp'], body['done'][1]['due'])
        self.assertEqual([(one['kind'], one['status']) for one in body['done']],
                         [('update', 204), ('collections', 200)])
        self.org.admin('sessions/expire')  # it was let in when it came
        self.org.admin('clock', {'advance_s': 300})
        self.org.login()
        self.assertEqual(self.org.count("SELECT Id FROM Contact WHERE LastName = 'Latecomer'"), 1)
        self.assertGreater(self.now(), start + 700)
        self.assertEqual(self.counts()['Contact']['by_record'][one], {'Title': 2})
        self.assertEqual([one['outcome'] for one in self.log()['log'][1:]], ['pending'] * 3)

    def test_later_and_refused(self):
        identity = self.save('Contact')
        self.fault('update', commit_later_s=5, status=500, body='[]')
        self.patch(identity, {'LastName': None})
        self.org.admin('clock', {'advance_s': 10})
        done = self.org.admin('pending', verb='GET')['done'][0]
        self.assertEqual((done['status'], done['outcome']), (400, 'REQUIRED_FIELD_MISSING'))
        self.fault('update', commit_later_s=5, status=500)
        self.patch(identity, {'Title': 'never'})
        self.org.admin('pending', verb='DELETE')
        self.org.admin('clock', {'advance_s': 10})
        self.assertIsNone(self.title(identity))
        self.fault('update', commit_later_s=5, status=500)
        self.org.admin('sessions/expire')
        self.patch(identity, {'Title': 'never'})
        self.assertEqual(self.org.admin('pending', verb='GET')['pending'], [])

    def test_later_composite(self):
        self.fault('composite', commit_later_s=5)
        self.lose('POST', '/composite', {'allOrNone': True, 'compositeRequest': [
            {'method': 'POST', 'referenceId': 'a', 'url': DATA + '/sobjects/Account',
             'body': {'Name': 'Late'}},
            {'method': 'POST', 'referenceId': 'b', 'url': DATA + '/sobjects/Contact',
             'body': {'LastName': 'Late child', 'AccountId': '@{a.id}'}}]})
        self.org.admin('clock', {'advance_s': 6})
        rows = self.org.rows("SELECT Account.Name FROM Contact WHERE LastName = 'Late child'")
        self.assertEqual(rows[0]['Account']['Name'], 'Late')
        self.assertEqual(self.counts()['Contact']['records'], 1)

    def test_rate(self):
        identity = self.save('Contact')
        runs = []
        for seed in (7, 7, 8):
            self.org.admin('faults', verb='DELETE')
            self.fault('update', rate=0.3, seed=seed, status=503)
            runs.append([self.patch(identity, {'Title': 'x'}).status for _ in range(60)])
        self.assertEqual(runs[0], runs[1])
        self.assertNotEqual(runs[0], runs[2])
        self.assertTrue(8 <= runs[0].count(503) <= 30, runs[0])
        self.assertEqual(self.org.admin('faults', verb='GET')['faults'][0]['remaining'], -1)
        self.org.admin('faults', verb='DELETE')
        self.fault('update', rate=1, times=2, status=503)
        self.assertEqual([self.patch(identity, {'Title': 'x'}).status for _ in range(3)],
                         [503, 503, 204])


class Random(unittest.TestCase):
    def run_org(self, *steps):
        org = Emulator('--contacts', '200', '--leads', '100')
        self.addCleanup(org.process.kill)
        org.login()
        done = [org.admin('random', one) for one in steps]
        rows = org.rows('SELECT FIELDS(ALL) FROM Contact ORDER BY Id LIMIT 200', 'queryAll')
        self.assertEqual(org.stop(), 0)
        for row in rows:
            for name in ('SystemModstamp', 'LastModifiedDate', 'CreatedDate'):
                del row[name]
        return done, rows

    def test_given_fields_and_records(self):
        org = Emulator('--contacts', '50')
        self.addCleanup(org.process.kill)
        org.login()
        ids = [one['Id'] for one in org.rows('SELECT Id FROM Contact LIMIT 5')]
        before = org.rows('SELECT FIELDS(ALL) FROM Contact ORDER BY Id LIMIT 50')
        fields = ['Title', 'Email', 'Birthdate', 'Lead_Score__c', 'Consent__c', 'Region__c',
                  'Description', 'Phone', 'Leadsync_Key__c', 'LastName']
        done = org.admin('random', {'seed': 5, 'count': 200, 'ids': ids, 'fields': fields,
                                    'mix': {'edit': 1}})
        self.assertGreater(len(done['edited']), 150)
        self.assertEqual(set(done['edited']), set(ids))
        follow = {'SystemModstamp', 'LastModifiedDate', 'LastModifiedById', 'Name', 'Full_Label__c'}
        changed = set()
        for old, new in zip(before, org.rows('SELECT FIELDS(ALL) FROM Contact ORDER BY Id LIMIT 50')):
            for name in old:
                if old[name] != new[name]:
                    self.assertIn(new['Id'], ids)
                    changed.add(name)
        self.assertLessEqual(changed, set(fields) | follow)
        self.assertLessEqual(set(fields), changed)
        self.assertEqual(org.stop(), 0)

    def test_everything(self):
        step = {'seed': 11, 'count': 300, 'mix': {'edit': 50, 'create': 10, 'delete': 10,
                                                  'undelete': 10, 'merge': 10, 'convert': 10}}
        first, again = self.run_org(step), self.run_org(step)
        self.assertEqual(first, again)
        for name in ('edited', 'created', 'deleted', 'undeleted', 'merged', 'converted'):
            self.assertTrue(first[0][0][name], name)


if __name__ == '__main__':
    if len(sys.argv) > 1 and os.path.exists(sys.argv[1]):
        test_emulator.BINARY = sys.argv.pop(1)
    unittest.main()
