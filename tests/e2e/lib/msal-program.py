# A program that signs in with Microsoft's library for Python, told what to do
# by lines of JSON: the counterpart of msal-program.mjs.
import json
import sys

import msal


class Program:
    def make(self, client_id, authority, document=None):
        self.cache = msal.SerializableTokenCache()
        if document:
            self.cache.deserialize(document)
        self.app = msal.PublicClientApplication(
            client_id, authority=authority, instance_discovery=False, token_cache=self.cache)

    def begin(self, scopes, redirect_uri):
        self.flow = self.app.initiate_auth_code_flow(scopes, redirect_uri=redirect_uri)
        return self.flow["auth_uri"]

    def redeem(self, answer):
        return self.app.acquire_token_by_auth_code_flow(self.flow, answer)

    def accounts(self):
        return self.app.get_accounts()

    def silent(self, scopes, force=False):
        return self.app.acquire_token_silent(scopes, self.app.get_accounts()[0], force_refresh=force)

    def document(self):
        return self.cache.serialize()


program = Program()
for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = {"result": getattr(program, asked.pop("do"))(**asked)}
    except Exception as e:  # the test says what it did not expect
        answer = {"error": f"{type(e).__name__}: {e}"}
    print(json.dumps(answer), flush=True)
