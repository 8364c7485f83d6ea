"""What the OAuth tests share: an app with a callback, and the ways to its tokens."""
import base64
import os
import subprocess
import sys
import unittest
import urllib.parse

import test_emulator
from form_browser import Browser
from test_emulator import Case

CALLBACK = 'http://localhost:9797/callback'
USER, PASSWORD = 'sync@acme.example', 'Passw0rd-EXAMPLE'
VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'  # RFC 7636, appendix B
CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
JWT_GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
UNAPPROVED = ('invalid_grant', "user hasn't approved this consumer")
EXPIRED = ('invalid_grant', 'expired access/refresh token')
PROCESSED = ('invalid_grant', 'token request is already being processed')
DEFAULTS = {
    'rotate': False, 'require_pkce': False, 'secret_for_code': True, 'secret_for_refresh': True,
    'introspect': True, 'run_as': True, 'approved': True, 'app_access': True, 'app_blocked': False,
    'user_active': True, 'ip_restricted': False, 'login_rate_exceeded': False, 'idle_limit_s': 0,
    'secret': 'test-secret', 'scopes': 'id api web full refresh_token'}


class OAuthCase(Case):
    options = ('--redirect-uri', CALLBACK, '--redirect-uri', CALLBACK + '?via=second')

    def setUp(self):
        self.org.admin('revoke', {'grants': True})
        self.org.admin('oauth', DEFAULTS)
        super().setUp()
        self.browser = Browser()

    def authorize(self, browser=None, **params):
        """None as a value leaves the parameter out."""
        asked = {'response_type': 'code', 'client_id': 'test-key', 'redirect_uri': CALLBACK,
                 'scope': 'api refresh_token id', 'state': 's 1/ü&=', 'code_challenge': CHALLENGE,
                 'code_challenge_method': 'S256', **params}
        query = urllib.parse.urlencode({k: v for k, v in asked.items() if v is not None})
        return (browser or self.browser).get(
            f'{self.org.ready["url"]}/services/oauth2/authorize?{query}')

    def log_in(self, page, browser=None, password=PASSWORD):
        return (browser or self.browser).press(page, 'Log In', username=USER, pw=password)

    def allow(self, **params):
        """All the way to the callback, in a browser that never was here."""
        browser = Browser()
        page = self.log_in(self.authorize(browser, prompt='login consent', **params), browser)
        return browser.press(page, 'Allow').callback

    def token(self, grant_type, **form):
        fields = {'grant_type': grant_type, 'client_id': 'test-key', 'client_secret': 'test-secret',
                  **form}
        return self.org.form('/services/oauth2/token', urllib.parse.urlencode(
            {k: v for k, v in fields.items() if v is not None}))

    def exchange(self, code, **form):
        return self.token('authorization_code', **{
            'code': code, 'redirect_uri': CALLBACK, 'code_verifier': VERIFIER, **form})

    def connect(self, **params):
        """A new family: what the exchange of its code answered."""
        answer = self.exchange(self.allow(**params)['code'])
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json

    def refresh(self, token, **form):
        return self.token('refresh_token', refresh_token=token, **form)

    def denied(self, answer, error, description=None):
        self.assertEqual((answer.status, answer.json['error']), (400, error), answer.text)
        if description:
            self.assertEqual(answer.json['error_description'], description)

    def is_alive(self, token):
        return self.org.call('GET', test_emulator.DATA + '/limits', headers={
            'Authorization': 'Bearer ' + token}).status == 200

    def grant(self, number=-1):
        return self.org.admin('grants', verb='GET')['grants'][number]

    def log(self):
        return self.org.admin('token_log', verb='GET')['requests']

    def introspect(self, token, **form):
        return self.org.form('/services/oauth2/introspect', urllib.parse.urlencode({
            'token': token, 'client_id': 'test-key', 'client_secret': 'test-secret', **form}))

    def revoke(self, token):
        return self.org.form('/services/oauth2/revoke', urllib.parse.urlencode({'token': token}))


def encode(data):
    return base64.urlsafe_b64encode(data).decode().rstrip('=')


def make_certificate(folder, name):
    key, cert = f'{folder}/{name}.key', f'{folder}/{name}.crt'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2',
                    '-keyout', key, '-out', cert, '-subj', '/CN=localhost',
                    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
                   stderr=subprocess.DEVNULL, check=True)
    return key, cert


def main():
    if len(sys.argv) > 1 and os.path.exists(sys.argv[1]):
        test_emulator.BINARY = sys.argv.pop(1)
    unittest.main()
