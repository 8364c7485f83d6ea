"""As much of a browser as login pages need: cookies, forms, redirects followed by hand."""
import html.parser
import http.cookiejar
import urllib.error
import urllib.parse
import urllib.request


class _Forms(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.action, self.method, self.fields, self.buttons = None, None, {}, {}

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == 'form':
            self.action, self.method = attrs['action'], attrs['method']
        elif tag == 'input' and attrs['type'] == 'submit':
            self.buttons[attrs['value']] = attrs
        elif tag == 'input':
            self.fields[attrs['name']] = attrs.get('value', '')


class Page:
    def __init__(self, url, response):
        self.url, self.status, self.headers = url, response.status, response.headers
        self.text = response.read().decode()
        self.form = _Forms()
        self.form.feed(self.text)

    @property
    def location(self):
        return self.headers['Location']

    @property
    def callback(self):
        """What a redirect brought to the callback."""
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.location).query))


class _Stay(urllib.request.HTTPErrorProcessor):
    def http_response(self, request, response):
        return response

    https_response = http_response


class Browser:
    def __init__(self, context=None):
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context),
            urllib.request.HTTPCookieProcessor(self.cookies), _Stay)

    def get(self, url):
        with self._opener.open(url, timeout=20) as response:
            return Page(url, response)

    def post(self, url, fields):
        body = urllib.parse.urlencode(fields).encode()
        with self._opener.open(url, body, timeout=20) as response:
            return Page(url, response)

    def press(self, page, button, **typed):
        """Fills in the page's form and sends it with one of its buttons."""
        assert page.form.method == 'post', page.text
        unknown = set(typed) - set(page.form.fields)
        assert not unknown, unknown
        name = page.form.buttons[button]['name']
        return self.post(urllib.parse.urljoin(page.url, page.form.action),
                         {**page.form.fields, **typed, name: button})
