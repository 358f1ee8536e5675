import { describe, expect, it } from 'vitest';
import { findSystemBypass } from './system-bypass.ts';

const found = (dialect: 'patterns' | 'domains', entry: string, target: string): boolean => {
  const url = new URL(target);
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const system = { name: 'test', bypass: [entry], bypassDialect: dialect };
  return findSystemBypass(system, url, port) === entry;
};

describe('findSystemBypass()', () => {
  it.each([
    ['*.corp.example', 'https://www.corp.example/', true],
    ['*.corp.example', 'https://corp.example/', false],
    ['*.corp.example', 'https://www.corp.example.evil/', false],
    ['*.CORP.example', 'https://WWW.corp.example./', true],
    ['*corp.example', 'https://corp.example/', true],
    ['corp.example', 'https://corp.example/', true],
    ['corp.example', 'https://www.corp.example/', false],
    ['www.*.example', 'https://www.a.b.example/', true],
    ['www.*.example', 'https://www.example/', false],
    ['aba*aba', 'http://aba/', false],
    ['aba*aba', 'http://ababa/', false],
    ['aba*aba', 'http://abaaba/', true],
    ['a*b*c', 'http://a-c-b/', false],
    ['10.*', 'http://10.1.2.3/', true],
    ['10.*', 'http://110.1.2.3/', false],
    ['10.1.2.3', 'http://10.1.2.3/', true],
    ['192.168.0.0/16', 'http://192.168.7.7/', true],
    ['169.254/16', 'http://169.254.7.7/', true],
    ['169.254/16', 'http://169.255.7.7/', false],
    ['*', 'http://anything.example/', true],
    ['host.example:8080', 'http://host.example:8080/', true],
    ['host.example:8080', 'http://host.example/', false],
    ['https://host.example', 'https://host.example/', true],
    ['https://host.example', 'http://host.example/', false],
    ['[::1]', 'http://[::1]/', true],
    ['::1', 'http://[::1]/', true],
    ['host.example/path', 'http://host.example/path', false],
    ['', 'http://host.example/', false],
  ])('reads %j of Windows and macOS for %s: %s', (entry, target, expected) => {
    expect(found('patterns', entry, target)).toBe(expected);
  });

  it.each([
    ['corp.example', 'https://corp.example/', true],
    ['corp.example', 'https://www.corp.example/', true],
    ['corp.example', 'https://notcorp.example/', false],
    ['.corp.example', 'https://corp.example/', true],
    ['*.corp.example', 'https://corp.example/', true],
    ['*.corp.example', 'https://www.corp.example/', true],
    ['127.0.0.0/8', 'http://127.1.1.1/', true],
    ['::1', 'http://[::1]/', true],
    ['corp.example:80', 'https://corp.example/', false],
    ['*', 'https://corp.example/', true],
    ['', 'https://corp.example/', false],
  ])('reads %j of GNOME for %s: %s', (entry, target, expected) => {
    expect(found('domains', entry, target)).toBe(expected);
  });

  it.each([
    ['http://intranet/', true],
    ['http://localhost/', true],
    ['http://www.corp.example/', false],
    ['http://10.0.0.1/', false],
    ['http://[fd00::1]/', false],
  ])('takes <local> as names without a dot: %s: %s', (target, expected) => {
    const system = { name: 'test', bypassLocal: true };
    expect(findSystemBypass(system, new URL(target), 80) === '<local>').toBe(expected);
  });
});
