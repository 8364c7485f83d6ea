"""From the browser to the first tokens: the authorize endpoint, its pages, and codes.

Give the binary as first argument or in LEADSYNC_EMULATOR. Nothing here sleeps.
"""
import base64
import hashlib
import hmac
import urllib.parse

import test_emulator
from oauth_case import CALLBACK, CHALLENGE, EXPIRED, PASSWORD, USER, VERIFIER, OAuthCase, main


class Authorize(OAuthCase):
    def test_whole_way(self):
        page = self.authorize()
        self.assertEqual(page.status, 200)
        self.assertTrue(page.headers['Content-Type'].startswith('text/html'))
        self.assertEqual(page.form.buttons['Log In']['id'], 'Login')
        page = self.log_in(page)
        self.assertIn('Allow Access?', page.text)
        for shown in ('Leadsync', USER, 'Manage user data via APIs',
                      'Perform requests at any time'):
            self.assertIn(shown, page.text)
        self.assertEqual(sorted(page.form.buttons), ['Allow', 'Deny'])
        page = self.browser.press(page, 'Allow')
        self.assertEqual(page.status, 302)
        self.assertTrue(page.location.startswith(CALLBACK + '?code=aPrx'))
        self.assertIn('%3D%3D&', page.location)
        self.assertEqual(page.callback['state'], 's 1/ü&=')
        self.assertTrue(page.callback['code'].endswith('=='))

    def test_deny(self):
        page = self.browser.press(self.log_in(self.authorize()), 'Deny')
        self.assertIn('error_description=end-user+denied+authorization', page.location)
        self.assertEqual(page.callback, {
            'error': 'access_denied', 'error_description': 'end-user denied authorization',
            'state': 's 1/ü&='})

    def test_wrong_password(self):
        page = self.log_in(self.authorize(login_hint=USER), password='<wrong>')
        self.assertEqual(page.status, 200)
        self.assertIn('Please check your username and password.', page.text)
        self.assertEqual(len(self.browser.cookies), 0)
        self.assertIn('Allow Access?', self.log_in(page).text)

    def test_hint_is_escaped(self):
        page = self.authorize(login_hint='"><script>x', display='touch')
        self.assertNotIn('<script>', page.text)
        self.assertEqual(page.form.fields['username'], '"><script>x')

    def test_not_for_the_callback(self):
        for params, error in (({'client_id': 'nobody'}, 'invalid_client_id'),
                              ({'client_id': None}, 'invalid_client_id'),
                              ({'redirect_uri': CALLBACK + '/'}, 'redirect_uri_mismatch'),
                              ({'redirect_uri': 'http://localhost:9798/callback'},
                               'redirect_uri_mismatch'),
                              ({'redirect_uri': None}, 'redirect_uri_missing')):
            with self.subTest(params=params):
                page = self.authorize(**params)
                self.assertEqual((page.status, page.location), (400, None))
                self.assertIn(error, page.text)
        self.org.admin('oauth', {'app_blocked': True})
        self.assertIn('app_blocked', self.authorize().text)

    def test_told_to_the_callback(self):
        for params, error in (({'response_type': 'token'}, 'unsupported_response_type'),
                              ({'response_type': None}, 'unsupported_response_type'),
                              ({'scope': 'api nonsense'}, 'invalid_scope'),
                              ({'scope': 'api chatter_api'}, 'invalid_scope'),
                              ({'prompt': 'nonsense'}, 'invalid_request'),
                              ({'code_challenge_method': 'plain'}, 'invalid_request'),
                              ({'code_challenge': 'short'}, 'invalid_request'),
                              ({'code_challenge': None}, 'invalid_request'),
                              ({'immediate': 'true'}, 'immediate_unsuccessful')):
            with self.subTest(params=params):
                page = self.authorize(**params)
                self.assertEqual(page.status, 302, page.text)
                self.assertEqual(page.callback['error'], error)
                self.assertEqual(page.callback['state'], 's 1/ü&=')
        self.assertNotIn('state', self.authorize(state=None, scope='x').callback)
        self.org.admin('oauth', {'require_pkce': True})
        page = self.authorize(code_challenge=None, code_challenge_method=None)
        self.assertEqual(page.callback['error'], 'invalid_request')
        self.assertEqual(self.authorize().status, 200)

    def test_callback_with_query(self):
        back = CALLBACK + '?via=second'
        answer = self.allow(redirect_uri=back)
        self.assertEqual(answer['via'], 'second')
        self.assertEqual(self.exchange(answer['code'], redirect_uri=back).status, 200)

    def test_callback_registered_later(self):
        back = 'http://127.0.0.1:1/later'
        self.org.admin('oauth', {'redirect_uri': back})
        self.assertIn(back, self.org.admin('oauth', verb='GET')['redirect_uris'])
        self.assertEqual(self.authorize(redirect_uri=back).status, 200)

    def test_method_left_out_is_s256(self):
        code = self.allow(code_challenge_method=None)['code']
        self.assertEqual(self.exchange(code).status, 200)

    def test_second_time(self):
        page = self.log_in(self.authorize())
        self.assertIn('Allow Access?', self.authorize().text)  # logged in, not yet approved
        self.exchange(self.browser.press(page, 'Allow').callback['code'])
        for params in ({}, {'immediate': 'true'}, {'scope': 'api'}):
            self.assertIn('code', self.authorize(**params).callback)
        self.assertIn('Allow Access?', self.authorize(prompt='consent').text)
        self.assertIn('Allow Access?', self.authorize(scope='web').text)
        self.assertIn('Log In', self.authorize(prompt='select_account').form.buttons)
        for params in ({'prompt': 'login'}, {'prompt': 'consent'}, {'scope': 'web'}):
            self.assertEqual(self.authorize(immediate='true', **params).callback['error'],
                             'immediate_unsuccessful')
        page = self.authorize(prompt='login')
        self.assertIn('code', self.log_in(page).callback)
        page = self.log_in(self.authorize(prompt='login consent'))
        self.assertIn('Allow Access?', page.text)
        self.org.admin('revoke', {'grants': True})
        self.assertIn('Allow Access?', self.authorize().text)
        self.org.admin('clock', {'advance_s': 7300})
        self.assertIn('Log In', self.authorize().form.buttons)

    def test_form_out_of_the_blue(self):
        base = self.org.ready['url']
        typed = {'username': USER, 'pw': PASSWORD, 'save': 'Allow', 'Login': 'Log In'}
        self.authorize()
        for path in ('/login', '/setup/secur/RemoteAccessAuthorizationPage.apexp'):
            for key in ({}, {'_CONFIRMATIONTOKEN': 'guessed'}):
                page = self.browser.post(base + path, {**typed, **key})
                self.assertEqual((page.status, page.location), (400, None))
        page = self.authorize()
        page = self.browser.post(base + '/setup/secur/RemoteAccessAuthorizationPage.apexp',
                                 {**page.form.fields, 'save': 'Allow'})
        self.assertIn('Log In', page.form.buttons)  # not before the login
        page = self.log_in(page)
        self.browser.press(page, 'Allow')
        self.assertEqual(self.browser.press(page, 'Allow').status, 400)  # once is enough

    def test_user_who_may_not(self):
        for switch, value in (('user_active', False), ('ip_restricted', True),
                              ('login_rate_exceeded', True)):
            self.org.admin('oauth', {switch: value})
            self.assertIn('Please check your username', self.log_in(self.authorize()).text)
            self.org.admin('oauth', {switch: not value})
        self.org.admin('oauth', {'app_access': False})
        self.assertEqual(self.log_in(self.authorize()).callback['error'], 'invalid_app_access')

    def test_verbs(self):
        self.assertEqual(self.org.form('/services/oauth2/authorize', 'x=y').status, 405)
        self.assertEqual(self.org.call('GET', '/login').status, 400)


class Codes(OAuthCase):
    def test_answer(self):
        body = self.connect()
        self.assertEqual(body['scope'], 'id api refresh_token')
        self.assertTrue(body['access_token'].startswith('00D8d0000004QxR!AQ'))
        self.assertEqual(len(body['access_token']), 112)
        self.assertTrue(body['refresh_token'].startswith('5Aep861'))
        self.assertEqual((body['token_type'], body['instance_url']),
                         ('Bearer', self.org.ready['url']))
        self.assertIsInstance(body['issued_at'], str)
        self.assertNotIn('expires_in', body)
        mac = hmac.digest(b'test-secret', (body['id'] + body['issued_at']).encode(), 'sha256')
        self.assertEqual(body['signature'], base64.b64encode(mac).decode())
        self.assertTrue(self.is_alive(body['access_token']))

    def test_headers(self):
        answer = self.exchange(self.allow()['code'])
        self.assertEqual(answer.headers['Cache-Control'], 'no-store')
        self.assertEqual(answer.headers['Content-Type'], 'application/json;charset=UTF-8')

    def test_twice(self):
        code = self.allow()['code']
        body = self.exchange(code).json
        self.denied(self.exchange(code), 'invalid_grant', 'invalid authorization code')
        self.assertFalse(self.is_alive(body['access_token']))
        self.denied(self.refresh(body['refresh_token']), *EXPIRED)
        self.assertEqual(self.grant()['why_dead'], 'authorization code used twice')

    def test_age(self):
        young, old = self.allow()['code'], self.allow()['code']
        self.org.admin('clock', {'advance_s': 880})
        self.assertEqual(self.exchange(young).status, 200)
        self.org.admin('clock', {'advance_s': 25})
        self.denied(self.exchange(old), 'invalid_grant', 'expired authorization code')

    def test_verifiers(self):
        long = 'a' * 171
        digest = hashlib.sha256(long.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip('=')
        code = self.allow(code_challenge=challenge)['code']
        self.assertEqual(self.exchange(code, code_verifier=long).status, 200)
        for verifier, error in ((None, 'invalid_grant'), ('b' * 43, 'invalid_request'),
                                ('b' * 42, 'invalid_request'), (CHALLENGE, 'invalid_request'),
                                (VERIFIER + ' ', 'invalid_request')):
            with self.subTest(verifier=verifier):
                code = self.allow()['code']
                self.denied(self.exchange(code, code_verifier=verifier), error)
                self.denied(self.exchange(code), 'invalid_grant', 'invalid authorization code')
        plain = {'code_challenge': None, 'code_challenge_method': None}
        self.assertEqual(self.exchange(self.allow(**plain)['code'], code_verifier=None).status, 200)
        self.denied(self.exchange(self.allow(**plain)['code']), 'invalid_grant')

    def test_refusals(self):
        for form, error in (({'redirect_uri': CALLBACK + '/x'}, 'redirect_uri_mismatch'),
                            ({'redirect_uri': CALLBACK + '?via=second'}, 'redirect_uri_mismatch'),
                            ({'redirect_uri': None}, 'redirect_uri_missing'),
                            ({'code': 'aPrxnonsense=='}, 'invalid_grant'),
                            ({'code': None}, 'invalid_grant'),
                            ({'client_id': 'x'}, 'invalid_client_id'),
                            ({'client_secret': 'x'}, 'invalid_client'),
                            ({'client_secret': None}, 'invalid_client')):
            with self.subTest(form=form):
                code = {'code': self.allow()['code']}
                self.denied(self.exchange(**{**code, **form}), error)
        code = self.allow()['code']
        self.denied(self.exchange(code, client_secret='x'), 'invalid_client')
        self.assertEqual(self.exchange(code).status, 200)  # a stranger did not spend it

    def test_scopes(self):
        body = self.connect(scope='api')
        self.assertNotIn('refresh_token', body)
        self.assertEqual(self.grant()['live_refresh_tokens'], 0)
        body = self.connect(scope='id offline_access')
        self.assertEqual(body['scope'], 'id refresh_token')
        answer = self.org.call('GET', test_emulator.DATA + '/limits', headers={
            'Authorization': 'Bearer ' + body['access_token']})
        self.refused(answer, 401, 'INVALID_SESSION_ID')
        self.assertEqual(answer.json[0]['message'],
                         'This session is not valid for use with the REST API')
        body = self.connect(scope='full')
        self.assertNotIn('refresh_token', body)
        self.assertTrue(self.is_alive(body['access_token']))
        self.assertEqual(self.connect(scope=None)['scope'], 'id api refresh_token')

    def test_forms_of_the_answer(self):
        code = self.allow()['code']
        answer = self.exchange(code, format='xml')
        self.assertTrue(answer.headers['Content-Type'].startswith('application/xml'))
        self.assertIn('<OAuth><access_token>00D', answer.text)
        answer = self.exchange(code, format='xml')
        self.assertIn('<error>invalid_grant</error>', answer.text)
        answer = self.exchange(self.allow()['code'], format='urlencoded')
        self.assertIn('access_token', dict(urllib.parse.parse_qsl(answer.text)))
        answer = self.exchange(self.allow()['code'], format='json')
        self.assertIn('access_token', answer.json)
        for accept, start in (('application/xml', '<?xml'), ('application/json', '{"error"'),
                              ('application/x-www-form-urlencoded', 'error=invalid_client_id'),
                              ('*/*', '{"error"')):
            answer = self.org.call('POST', '/services/oauth2/token', 'grant_type=password', {
                'Content-Type': 'application/x-www-form-urlencoded', 'Accept': accept})
            self.assertTrue(answer.text.startswith(start), answer.text)

    def test_basic_header(self):
        good = 'Basic ' + base64.b64encode(b'test-key:test-secret').decode()
        bad = 'Basic ' + base64.b64encode(b'test-key:x').decode()
        for header, extra, error in ((good, {}, None),
                                     (bad, {'client_secret': 'test-secret'}, None),
                                     (bad, {}, 'invalid_client'),
                                     (good, {'client_id': 'x'}, 'invalid_client_id'),
                                     ('Basic ?', {}, 'invalid_basic_auth_header')):
            body = urllib.parse.urlencode({
                'grant_type': 'authorization_code', 'code': self.allow()['code'],
                'redirect_uri': CALLBACK, 'code_verifier': VERIFIER, **extra})
            answer = self.org.call('POST', '/services/oauth2/token', body, {
                'Content-Type': 'application/x-www-form-urlencoded', 'Authorization': header})
            self.assertEqual(answer.json.get('error'), error, answer.text)


if __name__ == '__main__':
    main()
