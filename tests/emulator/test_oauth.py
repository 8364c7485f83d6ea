"""Tokens in use: refreshes, assertions, introspection, and what an administrator may do.

Give the binary as first argument or in LEADSYNC_EMULATOR. Nothing here sleeps.
"""
import base64
import http.client
import json
import ssl
import subprocess
import tempfile
import unittest
import urllib.parse

import test_emulator
from form_browser import Browser
from oauth_case import (CALLBACK, CHALLENGE, EXPIRED, JWT_GRANT, PASSWORD, PROCESSED, UNAPPROVED,
                        USER, VERIFIER, OAuthCase, encode, main, make_certificate)
from test_emulator import CLIENT, Emulator


class Refresh(OAuthCase):
    def test_without_rotation(self):
        first = self.connect()
        for _ in range(2):
            answer = self.refresh(first['refresh_token'])
            self.assertEqual(answer.status, 200, answer.text)
            self.assertNotIn('refresh_token', answer.json)
            self.assertEqual(answer.json['id'], first['id'])
            self.assertEqual(answer.json['scope'], first['scope'])
            self.assertTrue(self.is_alive(answer.json['access_token']))
        self.assertTrue(self.is_alive(first['access_token']))
        grant = self.grant()
        self.assertEqual((grant['refreshes'], grant['reuse'], grant['alive'],
                          grant['live_refresh_tokens']), (2, 0, True, 1))

    def test_rotation(self):
        self.org.admin('oauth', {'rotate': True})
        first = self.connect()
        second = self.refresh(first['refresh_token']).json
        self.assertNotEqual(second['refresh_token'], first['refresh_token'])
        third = self.refresh(second['refresh_token']).json
        self.assertEqual(self.grant()['live_refresh_tokens'], 1)
        self.assertTrue(self.is_alive(third['access_token']))
        other = self.connect()
        self.denied(self.refresh(first['refresh_token']), *EXPIRED)
        self.denied(self.refresh(third['refresh_token']), *EXPIRED)
        for body in (first, second, third):
            self.assertFalse(self.is_alive(body['access_token']))
        self.assertTrue(self.is_alive(other['access_token']))
        grant = self.grant(-2)
        self.assertEqual((grant['alive'], grant['why_dead'], grant['reuse'], grant['refreshes'],
                          grant['live_refresh_tokens']),
                         (False, 'superseded refresh token presented', 1, 2, 0))
        said = [(one['outcome'], one['presented'], one['family']) for one in self.log()[-6:]]
        family = grant['family']
        self.assertEqual(said, [('ok', None, family), ('ok', 'current', family),
                                ('ok', 'current', family), ('ok', None, family + 1),
                                ('invalid_grant', 'superseded', family),
                                ('invalid_grant', 'current', family)])

    def test_refusals(self):
        token = self.connect()['refresh_token']
        for form, error in (
                ({'client_secret': 'x'}, ('invalid_client', 'invalid client credentials')),
                ({'client_secret': None}, ('invalid_client',)),
                ({'client_id': 'x'}, ('invalid_client_id', 'client identifier invalid')),
                ({'refresh_token': '5Aep861nonsense'}, EXPIRED),
                ({'refresh_token': None}, ('invalid_request',))):
            with self.subTest(form=form):
                self.denied(self.token('refresh_token', **{'refresh_token': token, **form}), *error)
        self.assertEqual(self.log()[-2]['presented'], 'unknown')
        self.org.admin('oauth', {'secret_for_refresh': False})
        self.assertEqual(self.refresh(token, client_secret=None).status, 200)
        self.denied(self.refresh(token, client_secret='x'), 'invalid_client')

    def begin(self, token):
        """A refresh whose answer is not yet read; it is in process when this returns."""
        before = len(self.log())
        link = http.client.HTTPConnection(self.org.host, timeout=20)
        link.request('POST', '/services/oauth2/token', urllib.parse.urlencode({
            'grant_type': 'refresh_token', 'refresh_token': token, 'client_id': 'test-key',
            'client_secret': 'test-secret'}), {'Content-Type': 'application/x-www-form-urlencoded'})
        while len(self.log()) == before:
            pass
        return link

    def test_two_at_once(self):
        for rotate in (False, True):
            self.org.admin('oauth', {'rotate': rotate})
            token = self.connect()['refresh_token']
            self.org.admin('faults', {'match': 'token', 'delay_ms': 200, 'commit': True})
            link = self.begin(token)
            self.denied(self.refresh(token), *PROCESSED)
            answer = json.loads(link.getresponse().read())
            link.close()
            self.assertIn('access_token', answer)
            late = self.refresh(answer.get('refresh_token', token))
            self.assertEqual(late.status, 200, late.text)
            said = self.log()[-3:]
            self.assertEqual([one['concurrent'] for one in said], [True, True, False])
            self.assertEqual([one['family_concurrent'] for one in said], [True, True, False])
            self.assertEqual([one['in_process'] for one in said], [False] * 3)
            self.assertEqual(said[1]['description'], PROCESSED[1])
            self.assertEqual(self.grant()['reuse'], 0)

    def test_two_families_at_once(self):
        one, other = self.connect()['refresh_token'], self.connect()['refresh_token']
        self.org.admin('faults', {'match': 'token', 'delay_ms': 50})
        link = self.begin(one)
        self.assertEqual(self.refresh(other).status, 200)
        self.assertEqual(link.getresponse().status, 200)
        link.close()
        said = self.log()[-2:]
        self.assertEqual([entry['concurrent'] for entry in said], [True, True])
        self.assertEqual([entry['family_concurrent'] for entry in said], [False, False])

    def test_client_that_gave_up(self):
        token = self.connect()['refresh_token']
        self.org.admin('faults', {'match': 'token', 'hang': True, 'commit': True})
        link = self.begin(token)
        self.denied(self.refresh(token), *PROCESSED)
        link.close()
        while self.log()[-2]['in_process']:
            pass
        self.assertEqual(self.refresh(token).status, 200)

    def test_lost_answer(self):
        self.org.admin('oauth', {'rotate': True})
        for fault in ({'reset': True}, {'status': 503, 'body': 'down'}, {'cut_after': 30}):
            token = self.connect()['refresh_token']
            self.org.admin('faults', {'match': 'token', 'commit': True, **fault})
            try:
                self.assertEqual(self.refresh(token).status, 503)
            except (ConnectionResetError, http.client.IncompleteRead):
                pass
            self.assertEqual(self.grant()['refreshes'], 1)
            self.assertEqual((self.log()[-1]['outcome'], self.log()[-1]['faulted']), ('ok', True))
            self.denied(self.refresh(token), *EXPIRED)
            self.assertEqual((self.grant()['reuse'], self.grant()['alive']), (1, False))
        token = self.connect()['refresh_token']
        self.org.admin('faults', {'match': 'token', 'status': 503})
        self.assertEqual(self.refresh(token).status, 503)
        self.assertEqual(self.refresh(token).status, 200)  # without commit nothing was done

    def test_sixth_approval(self):
        tokens = [self.connect()['refresh_token'] for _ in range(5)]
        self.connect(scope='api')  # has no refresh token, and pushes nobody out
        self.assertEqual(self.refresh(tokens[0]).status, 200)
        tokens.append(self.connect()['refresh_token'])
        self.denied(self.refresh(tokens[0]), *EXPIRED)
        for token in tokens[1:]:
            self.assertEqual(self.refresh(token).status, 200)
        self.assertEqual(self.grant(-7)['why_dead'], 'pushed out by newer approvals')

    def test_idle_limit(self):
        day = 86400
        self.org.admin('oauth', {'idle_limit_s': 30 * day})
        token = self.connect()['refresh_token']
        for _ in range(2):
            self.org.admin('clock', {'advance_s': 29 * day})
            self.assertEqual(self.refresh(token).status, 200)
        self.org.admin('clock', {'advance_s': 30 * day})
        self.assertFalse(self.grant()['alive'])
        self.denied(self.refresh(token), *EXPIRED)
        self.assertEqual(self.grant()['why_dead'], 'unused for too long')

    def test_administrator(self):
        token = self.connect()['refresh_token']
        for switch, value, error in (
                ('user_active', False, ('invalid_grant', 'inactive user')),
                ('ip_restricted', True, ('invalid_grant', 'ip restricted')),
                ('login_rate_exceeded', True, ('rate_limit_exceeded', 'Number of logins exceeded')),
                ('app_blocked', True, ('app_blocked',)),
                ('app_access', False, ('invalid_app_access',
                                       'user is not admin approved to access this app'))):
            with self.subTest(switch=switch):
                self.org.admin('oauth', {switch: value})
                self.denied(self.refresh(token), *error)
                self.org.admin('oauth', {switch: not value})
                self.assertEqual(self.refresh(token).status, 200)

    def test_frozen_user(self):
        body = self.connect()
        self.org.admin('oauth', {'user_active': False})
        self.assertFalse(self.is_alive(body['access_token']))
        self.org.admin('oauth', {'user_active': True})
        self.assertFalse(self.is_alive(body['access_token']))

    def test_new_secret(self):
        body = self.connect()
        self.org.admin('oauth', {'secret': 'second-secret'})
        self.assertFalse(self.is_alive(body['access_token']))
        self.denied(self.refresh(body['refresh_token']), 'invalid_client')
        self.denied(self.refresh(body['refresh_token'], client_secret='second-secret'), *EXPIRED)

    def test_instance_moves(self):
        token = self.connect()['refresh_token']
        url = self.org.ready['url'].replace('127.0.0.1', 'localhost')
        self.org.admin('instance', {'url': url})
        self.assertEqual(self.refresh(token).json['instance_url'], url)
        self.org.admin('instance', {'url': self.org.ready['url']})

    def test_fast(self):
        token = self.connect()['refresh_token']
        for _ in range(200):
            self.assertEqual(self.refresh(token).status, 200)


class Tokens(OAuthCase):
    def test_introspection(self):
        body = self.connect()
        said = self.introspect(body['access_token'], token_type_hint='access_token').json
        self.assertEqual(said['token_type'], 'access_token')
        for name in ('exp', 'iat', 'nbf'):
            self.assertIsInstance(said[name], int)
        self.assertEqual(said['exp'] - said['iat'], 7200)
        self.assertEqual((said['active'], said['username'], said['client_id'], said['sub']),
                         (True, USER, 'test-key', body['id']))
        said = self.introspect(body['refresh_token']).json
        self.assertEqual((said['active'], said['token_type'], 'exp' in said),
                         (True, 'refresh_token', False))
        self.org.admin('oauth', {'idle_limit_s': 1000})
        said = self.introspect(body['refresh_token']).json
        self.assertEqual(said['exp'] - said['iat'], 1000)
        self.org.admin('clock', {'advance_s': 1001})
        self.assertEqual(self.introspect(body['refresh_token']).json, {'active': False})
        self.assertEqual(self.introspect('nonsense').json, {'active': False})

    def test_introspection_refused(self):
        token = self.connect()['access_token']
        self.denied(self.introspect(token, client_id='x'), 'invalid_client_id')
        self.denied(self.introspect(token, client_secret='x'), 'invalid_client')
        self.org.admin('oauth', {'introspect': False})
        self.denied(self.introspect(token), 'invalid_client')

    def test_superseded_is_nobodys(self):
        self.org.admin('oauth', {'rotate': True})
        token = self.connect()['refresh_token']
        self.refresh(token)
        self.assertEqual(self.introspect(token).json, {'active': False})
        self.denied(self.revoke(token), 'invalid_token')
        self.assertTrue(self.grant()['alive'])

    def test_revoke_access(self):
        body = self.connect()
        more = self.refresh(body['refresh_token']).json
        answer = self.revoke(body['access_token'])
        self.assertEqual((answer.status, answer.text), (200, ''))
        self.assertFalse(self.is_alive(body['access_token']))
        self.assertTrue(self.is_alive(more['access_token']))
        self.assertEqual(self.refresh(body['refresh_token']).status, 200)
        self.denied(self.revoke(body['access_token']), 'invalid_token')

    def test_revoke_refresh(self):
        body = self.connect()
        more = self.refresh(body['refresh_token']).json
        answer = self.org.call('GET', '/services/oauth2/revoke?token=' +
                               urllib.parse.quote(body['refresh_token']))
        self.assertEqual((answer.status, answer.text), (200, ''))
        for one in (body, more):
            self.assertFalse(self.is_alive(one['access_token']))
        self.denied(self.refresh(body['refresh_token']), *EXPIRED)
        self.denied(self.revoke(body['refresh_token']), 'invalid_token')
        self.denied(self.revoke(''), 'invalid_token')
        self.assertEqual(self.grant()['why_dead'], 'revoked')

    def test_identity(self):
        body = self.connect()
        path = urllib.parse.urlsplit(body['id']).path
        token = urllib.parse.quote(body['access_token'])
        for answer in (
                self.org.call('GET', path + '?format=json&oauth_token=' + token),
                self.org.call('GET', path + '?version=latest', headers={
                    'Authorization': 'Bearer ' + body['access_token']})):
            self.assertEqual((answer.status, answer.json['username'], answer.json['id']),
                             (200, USER, body['id']))
        self.assertTrue(answer.json['urls']['rest'].endswith('/services/data/v67.0/'))
        no_id = urllib.parse.quote(self.connect(scope='api')['access_token'])
        for bad, words in (('oauth_token=' + no_id, 'Bad_OAuth_Token'),
                           ('oauth_token=x', 'Bad_OAuth_Token'), ('', 'Missing_OAuth_Token')):
            answer = self.org.call('GET', f'{path}?{bad}')
            self.assertEqual((answer.status, answer.text), (403, words))
        wrong = path.replace('0004QxREAU', '0004QxSEAU')
        answer = self.org.call('GET', f'{wrong}?oauth_token={token}')
        self.assertEqual((answer.status, answer.text), (403, 'Wrong_Org'))
        answer = self.org.call('GET', f'{path[:-1]}?oauth_token={token}')
        self.assertEqual((answer.status, answer.text), (404, 'Bad_Id'))

    def test_userinfo(self):
        body = self.connect(scope='api')
        answer = self.org.call('GET', '//services/oauth2/userinfo', headers={
            'Authorization': 'Bearer ' + body['access_token']})
        self.assertEqual((answer.json['preferred_username'], answer.json['sub']),
                         (USER, body['id']))

    def test_everything_given_out_is_known(self):
        browser = Browser()
        page = self.log_in(self.authorize(browser, prompt='login consent'), browser)
        form = page.form.fields['_CONFIRMATIONTOKEN']
        code = browser.press(page, 'Allow').callback['code']
        body = self.exchange(code).json
        known = self.org.admin('sessions', verb='GET')
        self.assertIn(body['access_token'], known['tokens'])
        self.assertIn(body['refresh_token'], known['refresh_tokens'])
        self.assertIn(code, known['codes'])
        self.assertIn(form, known['cookies'])
        self.assertIn([one.value for one in browser.cookies][0], known['cookies'])
        self.assertIn('test-secret', known['secrets'])
        self.assertIn(PASSWORD, known['secrets'])
        self.org.admin('revoke', {'token': body['refresh_token']})
        self.assertFalse(self.is_alive(body['access_token']))
        self.assertIn(body['refresh_token'],
                      self.org.admin('sessions', verb='GET')['refresh_tokens'])

    def test_log_of_other_grants(self):
        self.org.login()
        self.token('nönsense')
        said = self.log()[-2:]
        self.assertEqual([(one['grant_type'], one['outcome'], one['family'], one['presented'])
                          for one in said],
                         [('client_credentials', 'ok', None, None),
                          ('n??nsense', 'unsupported_grant_type', None, None)])
        now = self.org.admin('clock', verb='GET')['epoch_s']
        self.assertLess(abs(said[0]['at_ms'] / 1000 - now), 60)

    def test_unknown_switch(self):
        for body in ({'nonsense': True}, {'rotate': 1}, {'scopes': 'x'}, {'idle_limit_s': 'y'}):
            answer = self.org.call('POST', '/_emulator/oauth',
                                   json.dumps({'run_as': False, **body}))
            self.refused(answer, 400, 'EMULATOR')
        self.assertTrue(self.org.admin('oauth', verb='GET')['run_as'])

    def test_not_built(self):
        self.denied(self.token('password', username=USER, password=PASSWORD), 'invalid_grant',
                    'authentication failure')
        self.denied(self.token('device', code='x'), 'oauth_flow_disabled')
        self.denied(self.org.form('/services/oauth2/token',
                                  'response_type=device_code&client_id=test-key'),
                    'oauth_flow_disabled')

    def test_client_credentials(self):
        self.assertEqual(self.org.login().json['scope'], 'id api')
        self.org.admin('oauth', {'run_as': False})
        self.denied(self.token('client_credentials'), 'invalid_grant',
                    'no client credentials user enabled')
        self.org.admin('oauth', {'run_as': True, 'require_pkce': True})
        self.denied(self.token('client_credentials'), 'invalid_request')
        self.org.admin('oauth', {'require_pkce': False, 'scopes': 'id refresh_token'})
        token = self.token('client_credentials').json['access_token']
        self.assertFalse(self.is_alive(token))


class PublicClient(OAuthCase):
    options = ('--redirect-uri', CALLBACK, '--public-client', '--rotate')

    def setUp(self):
        self.first = self.org.admin('oauth', verb='GET')
        super().setUp()
        self.org.admin('oauth', {name: self.first[name] for name in (
            'secret_for_code', 'secret_for_refresh', 'rotate')})

    def test_without_secret(self):
        self.assertEqual((self.first['secret_for_code'], self.first['secret_for_refresh'],
                          self.first['rotate']), (False, False, True))
        body = self.exchange(self.allow()['code'], client_secret=None).json
        answer = self.refresh(body['refresh_token'], client_secret=None)
        self.assertIn('refresh_token', answer.json)
        self.denied(self.refresh(answer.json['refresh_token'], client_secret='x'), 'invalid_client')
        code = self.allow(code_challenge=None, code_challenge_method=None)['code']
        self.denied(self.exchange(code, code_verifier=None, client_secret=None), 'invalid_client')
        self.denied(self.token('client_credentials', client_secret=None), 'invalid_client')


class Jwt(OAuthCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.key, cls.cert = make_certificate(cls.folder.name, 'jwt')
        cls.other, _ = make_certificate(cls.folder.name, 'other')
        cls.options = ('--jwt-cert', cls.cert, '--login-host', 'localhost')
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.folder.cleanup()

    def assertion(self, key=None, header=None, **claims):
        now = self.org.admin('clock', verb='GET')['epoch_s']
        body = {'iss': 'test-key', 'sub': USER, 'aud': self.org.ready['url'], 'exp': now + 180,
                **claims}
        text = '.'.join(encode(json.dumps(one).encode()) for one in (
            header or {'alg': 'RS256'}, {k: v for k, v in body.items() if v is not None}))
        signed = subprocess.run(['openssl', 'dgst', '-sha256', '-sign', key or self.key],
                                input=text.encode(), stdout=subprocess.PIPE, check=True).stdout
        return text + '.' + encode(signed)

    def ask(self, assertion=None, **claims):
        return self.token(JWT_GRANT, assertion=assertion or self.assertion(**claims),
                          client_id=None, client_secret=None)

    def test_good(self):
        answer = self.ask()
        self.assertEqual(answer.status, 200, answer.text)
        self.assertEqual(sorted(answer.json), [
            'access_token', 'id', 'instance_url', 'scope', 'token_type'])
        self.assertTrue(self.is_alive(answer.json['access_token']))
        now = self.org.admin('clock', verb='GET')['epoch_s']
        login = self.org.ready['url'].replace('127.0.0.1', 'localhost')
        for claims in ({'prn': USER, 'sub': 'nobody@acme.example'}, {'prn': USER, 'sub': None},
                       {'exp': now - 170}, {'exp': (now + 180) * 1000}, {'aud': login},
                       {'aud': 'https://login.salesforce.com'},
                       {'header': {'alg': 'RS256', 'typ': 'JWT'}}):
            with self.subTest(claims=claims):
                self.assertEqual(self.ask(**claims).status, 200)

    def test_refusals(self):
        now = self.org.admin('clock', verb='GET')['epoch_s']
        url = self.org.ready['url']
        unsigned = encode(b'{"alg":"none"}') + '.' + encode(b'{"iss":"test-key"}') + '.'
        for claims, error in (
                ({'exp': now - 200}, ('invalid_grant', 'expired authorization code')),
                ({'exp': (now - 200) * 1000}, ('invalid_grant', 'expired authorization code')),
                ({'exp': None}, ('invalid_grant', 'invalid assertion')),
                ({'sub': None}, ('invalid_grant', 'invalid assertion')),
                ({'aud': url + '/'}, ('invalid_grant', 'audience is invalid')),
                ({'aud': None}, ('invalid_grant', 'audience is invalid')),
                ({'iss': 'x'}, ('invalid_client_id', 'client identifier invalid')),
                ({'sub': 'x@acme.example'}, UNAPPROVED),
                ({'prn': 'x@acme.example'}, UNAPPROVED),
                ({'key': self.other}, ('invalid_client', 'invalid client credentials')),
                ({'header': {'alg': 'HS256'}}, ('invalid_grant', 'invalid assertion')),
                ({'assertion': unsigned}, ('invalid_grant', 'invalid assertion')),
                ({'assertion': 'a.b'}, ('invalid_grant', 'invalid assertion')),
                ({'assertion': '!.!.!'}, ('invalid_grant', 'invalid assertion'))):
            with self.subTest(claims=claims):
                self.denied(self.ask(**claims), *error)
        good = self.assertion().split('.')
        claims = json.loads(base64.urlsafe_b64decode(good[1] + '=='))
        good[1] = encode(json.dumps({**claims, 'exp': now + 999}).encode())
        self.denied(self.ask('.'.join(good)), 'invalid_client')

    def test_administrator(self):
        for switch, value, words in (('approved', False, "user hasn't approved this consumer"),
                                     ('user_active', False, 'inactive user'),
                                     ('ip_restricted', True, 'ip restricted')):
            self.org.admin('oauth', {switch: value})
            self.denied(self.ask(), 'invalid_grant', words)
            self.org.admin('oauth', {switch: not value})

    def test_client_assertion(self):
        kind = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
        url = self.org.ready['url']

        def ask(form, **claims):
            return self.token('client_credentials', **{
                'client_id': None, 'client_secret': None, 'client_assertion_type': kind,
                'client_assertion': self.assertion(**{'sub': 'test-key', **claims}), **form})

        for claims in ({}, {'aud': url + '/services/oauth2/token'}):
            self.assertEqual(ask({}, **claims).status, 200)
        self.assertEqual(ask({'client_id': 'test-key'}).status, 200)
        for form, claims, error in (({}, {'sub': USER}, 'invalid_client'),
                                    ({}, {'aud': url + '/services/oauth2'}, 'invalid_client'),
                                    ({}, {'aud': None}, 'invalid_client'),
                                    ({}, {'exp': 1}, 'invalid_client'),
                                    ({}, {'key': self.other}, 'invalid_client'),
                                    ({'client_id': 'x'}, {}, 'invalid_client_id'),
                                    ({'client_assertion_type': 'x'}, {}, 'invalid_assertion_type')):
            with self.subTest(form=form, claims=claims):
                self.denied(ask(form, **claims), error)

    def test_no_certificate(self):
        org = Emulator()
        answer = org.form('/services/oauth2/token', urllib.parse.urlencode({
            'grant_type': JWT_GRANT, 'assertion': self.assertion(aud=org.ready['url'])}))
        self.denied(answer, 'invalid_grant', 'invalid assertion')
        self.assertEqual(org.stop(), 0)

    def test_bad_certificate(self):
        done = subprocess.run([test_emulator.BINARY, '--jwt-cert', self.key],
                              stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b'no X.509 certificate', done.stderr)

    def test_login_host(self):
        login = {'Host': self.org.host.replace('127.0.0.1', 'localhost'),
                 'Content-Type': 'application/x-www-form-urlencoded'}
        body = self.ask().json
        self.assertTrue(body['id'].startswith('http://localhost:'))
        self.assertEqual(body['instance_url'], self.org.ready['url'])
        self.assertEqual(self.org.rest('GET', '/').json['identity'], body['id'])
        answer = self.org.call('POST', '/services/oauth2/token',
                               'grant_type=client_credentials&' + CLIENT, login)
        self.denied(answer, 'invalid_grant', 'request not supported on this domain')
        answer = self.org.call('POST', '/services/oauth2/token', urllib.parse.urlencode({
            'grant_type': JWT_GRANT, 'assertion': self.assertion()}), login)
        self.assertEqual(answer.status, 200)
        bearer = {**login, 'Authorization': 'Bearer ' + body['access_token']}
        self.assertEqual(self.org.call('GET', '/services/data/v66.0/limits', None,
                                       bearer).status, 404)
        path = urllib.parse.urlsplit(body['id']).path
        self.assertEqual(self.org.call('GET', path, None, bearer).status, 200)


class Https(unittest.TestCase):
    def test_whole_way(self):
        with tempfile.TemporaryDirectory() as folder:
            key, cert = make_certificate(folder, 'tls')
            org = Emulator('--tls-cert', cert, '--tls-key', key, '--redirect-uri', CALLBACK)
            base = org.ready['url'] + '/services/oauth2/'
            self.assertTrue(base.startswith('https://'))
            browser = Browser(ssl.create_default_context(cafile=cert))
            page = browser.get(base + 'authorize?' + urllib.parse.urlencode({
                'response_type': 'code', 'client_id': 'test-key', 'redirect_uri': CALLBACK,
                'scope': 'api refresh_token', 'code_challenge': CHALLENGE}))
            page = browser.press(page, 'Log In', username=USER, pw=PASSWORD)
            self.assertTrue([one.secure for one in browser.cookies][0])
            code = browser.press(page, 'Allow').callback['code']
            form = {'grant_type': 'authorization_code', 'code': code, 'redirect_uri': CALLBACK,
                    'code_verifier': VERIFIER, 'client_id': 'test-key',
                    'client_secret': 'test-secret'}
            body = json.loads(browser.post(base + 'token', form).text)
            self.assertEqual(body['instance_url'], org.ready['url'])
            again = browser.post(base + 'token', {
                'grant_type': 'refresh_token', 'refresh_token': body['refresh_token'],
                'client_id': 'test-key', 'client_secret': 'test-secret'})
            self.assertEqual(again.status, 200)
            self.assertEqual(org.stop(), 0)


class Ending(unittest.TestCase):
    def test_with_a_refresh_in_process(self):
        org = Emulator()
        org.admin('faults', {'match': 'token', 'hang': True, 'commit': True})
        link = http.client.HTTPConnection(org.host, timeout=20)
        link.request('POST', '/services/oauth2/token', 'grant_type=client_credentials&' + CLIENT,
                     {'Content-Type': 'application/x-www-form-urlencoded'})
        while not org.admin('token_log', verb='GET')['requests']:
            pass
        self.assertEqual(org.stop(), 0)
        link.close()

    def test_no_room_for_callbacks(self):
        done = subprocess.run([test_emulator.BINARY, '--redirect-uri', 'http://x/' + 'y' * 2000],
                              stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 2)


if __name__ == '__main__':
    main()
