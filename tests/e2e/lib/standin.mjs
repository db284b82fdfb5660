// The stand-in tenant and an application that signs people in there.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Browser, form, request, trust } from './browser.mjs';
import { describeTenant, Program, TENANT } from './valet.mjs';

export const OIDC = 'openid profile offline_access';
export const STATE = 'st&te "1"';

const present = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

export class StandIn {
  static async start(args = ['--listen', '127.0.0.1:0']) {
    const standIn = new StandIn();
    standIn.program = await Program.start(TENANT, args);
    Object.assign(standIn, describeTenant());
    standIn.base = standIn.program.info.authority;
    if (standIn.program.info.ca) trust(readFileSync(standIn.program.info.ca));
    standIn.tenant = `${standIn.base}/${standIn.tenants[0].id}`;
    return standIn;
  }

  async stop() {
    assert.deepEqual(await this.program.stop(), { code: 0, signal: null }, this.program.stderr);
  }

  emul(what, body, method = 'POST') {
    return request(`${this.base}/_emul/${what}`, {
      method, body: body && JSON.stringify(body), headers: body ? { 'content-type': 'application/json' } : {},
    });
  }

  async fault(fault) {
    const answer = await this.emul('faults', fault);
    assert.equal(answer.status, 201, answer.text);
  }

  async consent(consent, app = 'web') {
    assert.equal((await this.emul('consent', { app, consent })).status, 200);
  }

  // An authorization request of the web app; what a test changes is in `extra`.
  authorizeUrl(extra = {}, at = this.tenant) {
    return `${at}/oauth2/v2.0/authorize?${form(present({
      client_id: this.apps.web.id, response_type: 'code', redirect_uri: this.apps.web.redirect,
      scope: `${OIDC} User.Read`, state: STATE, ...extra,
    }))}`;
  }

  // The page that follows when this person has typed name and password.
  async typeIn(browser, user = this.users.admin, extra = {}, at) {
    const page = await browser.open(this.authorizeUrl(extra, at));
    assert.match(page.text, /name="password"/, page.text);
    return page.submit({ username: user.username, password: user.password });
  }

  async code(extra = {}, { user, browser = new Browser(), at } = {}) {
    return answerOf(await this.typeIn(browser, user, extra, at)).get('code');
  }

  redeem(code, extra = {}, at = this.tenant) {
    return request(`${at}/oauth2/v2.0/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form(present({
        grant_type: 'authorization_code', code, redirect_uri: this.apps.web.redirect,
        client_id: this.apps.web.id, client_secret: this.apps.web.secret, ...extra,
      })),
    });
  }

  refresh(refresh_token, extra = {}) {
    return this.redeem(undefined, {
      grant_type: 'refresh_token', redirect_uri: undefined, refresh_token, ...extra,
    });
  }

  async tokens(extra, options) {
    const answer = await this.redeem(await this.code(extra, options));
    assert.equal(answer.status, 200, answer.text);
    return JSON.parse(answer.text);
  }
}

// What a page brings to the redirect URI, whichever way.
export function answerOf(page) {
  if (page.next) {
    const { search, hash } = new URL(page.next);
    return new URLSearchParams(hash ? hash.slice(1) : search);
  }
  return new URLSearchParams(page.fields);
}

// "access_denied 65004"
export function errorOf(page) {
  const answer = answerOf(page);
  assert.equal(answer.get('code'), null);
  assert.equal(answer.get('state'), STATE);
  const code = /^AADSTS(\d+): /.exec(answer.get('error_description'))?.[1];
  assert.match(answer.get('error_uri'), new RegExp(`/error\\?code=${code}$`));
  return `${answer.get('error')} ${code}`;
}
