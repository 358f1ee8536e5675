import { describe, expect, it } from 'vitest';
import { redactHeader, redactText, redactUrl } from './redact.ts';

const TOKEN = 'TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw==';

describe('redactUrl()', () => {
  it.each([
    ['http://alice:secret@proxy.example:3128', 'http://***@proxy.example:3128'],
    ['http://alice:s@cr@t@proxy.example/', 'http://***@proxy.example/'],
    ['alice:secret@proxy.example', '***@proxy.example'],
    ['HTTPS://CORP%5Calice@proxy.example', 'HTTPS://***@proxy.example'],
    ['http://alice:sec\nret@proxy.example', 'http://***@proxy.example'],
  ])('takes the user information out of %j', (url, redacted) => {
    expect(redactUrl(url)).toBe(redacted);
  });

  it('leaves a URL without user information as it is', () => {
    expect(redactUrl('https://example.com/a?b=c')).toBe('https://example.com/a?b=c');
  });
});

describe('redactHeader()', () => {
  it.each(['Authorization', 'proxy-authorization', 'Proxy-Authentication-Info'])(
    'keeps the scheme of %s and drops the rest',
    (name) => {
      expect(redactHeader(name, `NTLM ${TOKEN}`)).toBe('NTLM [redacted]');
    },
  );

  it.each(['Cookie', 'Set-Cookie', 'Authorization'])(
    'drops a value of %s that has no scheme',
    (name) => {
      expect(redactHeader(name, 'session=secret; Path=/')).toBe('[redacted]');
      expect(redactHeader(name, TOKEN)).toBe('[redacted]');
    },
  );

  it('replaces the token of a challenge by its length, and keeps scheme and realm', () => {
    expect(redactHeader('Proxy-Authenticate', `NTLM ${TOKEN}`)).toBe(
      `NTLM [${TOKEN.length} characters]`,
    );
    const offers = 'Negotiate, NTLM, Basic realm="corp-proxy"';
    expect(redactHeader('WWW-Authenticate', offers)).toBe(offers);
  });

  it('leaves any other header as it is', () => {
    expect(redactHeader('Content-Type', 'text/plain')).toBe('text/plain');
  });
});

describe('redactText()', { timeout: 10_000 }, () => {
  it('is not held up by whatever a client repeats', () => {
    const patterns = ['http://', 'a://', 'Basic ', 'Negotiate  ', 'x@', '?', 'https://a?'];
    const began = performance.now();
    for (const pattern of patterns) {
      expect(redactText(pattern.repeat(100_000)).length).toBeLessThan(510);
    }
    expect(performance.now() - began).toBeLessThan(1500);
  });

  it('shows nothing of a secret that its limit cuts in two', () => {
    for (let before = 4060; before < 4100; before += 1) {
      const query = `https://a.test/?${'q'.repeat(before - 20)} `;
      expect(redactText(`${query}http://alice:HIDDENHIDDEN@proxy.test/`)).not.toContain('HIDDEN');
    }
  });
});
