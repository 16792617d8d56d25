"""X as far as OAuth 1.0a goes, judged by oauthlib: whoever signs wrongly is refused by code that others wrote.

Environment: X_CALLBACK, the one address that browsers may be sent back to. It prints one line once it answers. Its own
address is 127.0.0.1 whatever a request calls it, as it is for a server behind a proxy; a signature over another name is
wrong.

The page at /oauth/authenticate has a link for each person, and one to cancel. /asked is the tests' own: method, path and
status of every request so far.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from urllib.parse import parse_qsl, urlencode, urlsplit

from oauthlib.oauth1 import RequestValidator, WebApplicationServer
from oauthlib.oauth1.rfc5849.errors import OAuth1Error

CONSUMER_KEY = "consumer-key-of-the-tests"
CONSUMER_SECRET = "consumer/secret+of the=tests"
PEOPLE = {
    "ada": {"id": 1001, "screen_name": "ada", "name": "Ada Lovelace", "email": "ada@company.example"},
    "bob": {"id": 9007199254740993, "screen_name": "bob", "name": "Bob & Co. – \u2713", "email": None},
}
NO_SUCH_TOKEN = json.dumps({"errors": [{"code": 89, "message": "Invalid or expired token."}]})


class Validator(RequestValidator):
    """One app, and what it was given. All secrets are looked up, none is assumed."""

    enforce_ssl = False
    realms = ["everything"]
    nonce_length = request_token_length = access_token_length = verifier_length = (20, 50)
    client_key_length = (20, 50)
    safe_characters = RequestValidator.safe_characters.fget(None) | set("-")
    dummy_client = "an-app-that-there-is-not"
    dummy_request_token = dummy_access_token = "a-token-that-there-is-not"

    def __init__(self, callback):
        self.callback = callback
        self.request_tokens = {}
        self.access_tokens = {}
        self.seen = set()
        self.lock = Lock()

    def check_realms(self, realms):
        return True

    def validate_timestamp_and_nonce(
        self, client_key, timestamp, nonce, request, request_token=None, access_token=None
    ):
        with self.lock:
            used = (client_key, timestamp, nonce)
            is_new = used not in self.seen
            self.seen.add(used)
            return is_new

    def validate_client_key(self, client_key, request):
        return client_key == CONSUMER_KEY

    def get_client_secret(self, client_key, request):
        return CONSUMER_SECRET if client_key == CONSUMER_KEY else "another secret"

    def validate_redirect_uri(self, client_key, redirect_uri, request):
        return redirect_uri == self.callback

    def validate_requested_realms(self, client_key, realms, request):
        return True

    def get_default_realms(self, client_key, request):
        return []

    def get_realms(self, token, request):
        return []

    def validate_realms(self, client_key, token, request, uri=None, realms=None):
        return True

    def save_request_token(self, token, request):
        self.request_tokens[token["oauth_token"]] = {"secret": token["oauth_token_secret"]}

    def verify_request_token(self, token, request):
        return token in self.request_tokens

    def validate_request_token(self, client_key, token, request):
        return token in self.request_tokens

    def get_request_token_secret(self, client_key, token, request):
        return self.request_tokens.get(token, {}).get("secret", "another secret")

    def get_redirect_uri(self, token, request):
        return self.callback

    def save_verifier(self, token, verifier, request):
        person = dict(request.uri_query_params)["person"]
        self.request_tokens[token].update(verifier=verifier["oauth_verifier"], person=person)

    def validate_verifier(self, client_key, token, verifier, request):
        granted = self.request_tokens.get(token, {}).get("verifier")
        return granted is not None and granted == verifier

    def save_access_token(self, token, request):
        person = PEOPLE[self.request_tokens[request.resource_owner_key]["person"]]
        # X says at once whose token it is.
        token.update(user_id=str(person["id"]), screen_name=person["screen_name"])
        self.access_tokens[token["oauth_token"]] = {"secret": token["oauth_token_secret"], "person": person}

    def invalidate_request_token(self, client_key, request_token, request):
        self.request_tokens.pop(request_token, None)

    def validate_access_token(self, client_key, token, request):
        return token in self.access_tokens

    def get_access_token_secret(self, client_key, token, request):
        return self.access_tokens.get(token, {}).get("secret", "another secret")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.answer("POST")

    def do_GET(self):
        self.answer("GET")

    def answer(self, method):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        uri = f"{self.server.address}{self.path}"
        path = urlsplit(self.path).path
        route = ROUTES.get((method, path))
        try:
            request = (self.server, uri, method, body, dict(self.headers))
            status, kind, text = route(*request) if route else (404, "text/plain", "")
        except OAuth1Error as error:
            status, kind, text = 400, "text/plain", error.urlencoded
        if path != "/asked":
            # Without the query: it has tokens in it.
            self.server.asked.append(f"{method} {path} {status}")
        payload = text.encode()
        self.send_response(status)
        if status == 302:
            self.send_header("Location", text)
            payload = b""
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_):
        pass


def token(respond):
    """X calls its forms pages."""

    def answer(server, uri, method, body, headers):
        _, text, status = respond(server.judge)(uri, http_method=method, body=body, headers=headers)
        return status, "text/html; charset=utf-8", text or ""

    return answer


def authenticate(server, uri, method, body, headers):
    query = dict(parse_qsl(urlsplit(uri).query))
    request_token = query.get("oauth_token", "")
    if not server.validator.verify_request_token(request_token, None):
        return 403, "text/html", "<p>There is no request token for this page.</p>"
    if query.get("person") == "nobody":
        return 302, "text/html", f"{server.validator.callback}?{urlencode({'denied': request_token})}"
    if query.get("person") in PEOPLE:
        found, _, status = server.judge.create_authorization_response(uri, method, body, headers)
        return status, "text/html", found["Location"]
    def link(person):
        return f'<p><a id="{person}" href="?{urlencode(dict(query, person=person))}">{person}</a></p>'

    links = "".join(map(link, [*PEOPLE, "nobody"]))
    return 200, "text/html; charset=utf-8", f"<!doctype html><title>X</title>{links}"


def of_token(server, uri, method, body, headers):
    """The person whose access token signed a request, as far as the judge agrees."""
    valid, request = server.judge.validate_protected_resource_request(uri, method, body, headers)
    return (server.validator.access_tokens[request.resource_owner_key], request) if valid else (None, None)


def verify_credentials(server, uri, method, body, headers):
    owner, _ = of_token(server, uri, method, body, headers)
    if owner is None:
        return 401, "application/json", NO_SUCH_TOKEN
    wanted = dict(parse_qsl(urlsplit(uri).query))
    number, picture = str(owner["person"]["id"]), "https://pbs.twimg.com/a.jpg"
    person = dict(owner["person"], id_str=number, profile_image_url_https=picture)
    if wanted.get("include_email") != "true":
        del person["email"]
    return 200, "application/json", json.dumps(person)


def invalidate_token(server, uri, method, body, headers):
    _, request = of_token(server, uri, method, body, headers)
    if request is None:
        return 401, "application/json", NO_SUCH_TOKEN
    del server.validator.access_tokens[request.resource_owner_key]
    return 200, "application/json", json.dumps({"access_token": request.resource_owner_key})


ROUTES = {
    ("POST", "/oauth/request_token"): token(lambda judge: judge.create_request_token_response),
    ("GET", "/oauth/authenticate"): authenticate,
    ("POST", "/oauth/access_token"): token(lambda judge: judge.create_access_token_response),
    ("GET", "/1.1/account/verify_credentials.json"): verify_credentials,
    ("POST", "/1.1/oauth/invalidate_token"): invalidate_token,
    ("GET", "/asked"): lambda server, *_: (200, "application/json", json.dumps(server.asked)),
}

if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("X_PORT", "0"))), Handler)
    server.address = f"http://127.0.0.1:{server.server_port}"
    server.validator = Validator(os.environ["X_CALLBACK"])
    server.judge = WebApplicationServer(server.validator)
    server.asked = []
    print(f"listening on {server.address}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)
