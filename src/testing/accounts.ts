// The users a proxy or origin knows. Owns the forms a name may take and the NT hashes; never shows a password.
import { createHash, timingSafeEqual } from 'node:crypto';
import { md4 } from 'hash-wasm';

/** Somebody who may sign on. */
export interface ProxyUser {
  readonly name: string;
  /** NetBIOS domain; without one, any domain the client writes is taken. */
  readonly domain?: string;
  readonly password: string;
  /** `name@realm`: sent by clients with an empty domain. */
  readonly upn?: string;
}

/** A user with what sign-on needs. */
export interface Account {
  /** `DOMAIN\name`, or `name` for a user without a domain: the key in counts and log. */
  readonly id: string;
  readonly user: ProxyUser;
  /** MD4 of the UTF-16LE password (MS-NLMP 3.3.1). */
  readonly ntHash: Buffer;
}

/** The users by the names that schemes give them. Names compare without regard to case. */
export class Accounts {
  readonly #accounts: readonly Account[];

  private constructor(accounts: readonly Account[]) {
    this.#accounts = accounts;
  }

  static async of(users: readonly ProxyUser[]): Promise<Accounts> {
    return new Accounts(
      await Promise.all(
        users.map(async (user) => ({
          id: accountId(user.name, user.domain ?? ''),
          user,
          ntHash: Buffer.from(await md4(Buffer.from(user.password, 'utf16le')), 'hex'),
        })),
      ),
    );
  }

  /** NetBIOS name of the domain the challenges speak of. */
  get domain(): string {
    return this.#accounts.find(({ user }) => user.domain)?.user.domain ?? 'CORP';
  }

  /** The user of an NTLM message: `domain` is empty for a bare name and for a UPN. */
  find(name: string, domain: string): Account | null {
    const found = this.#accounts.find(({ user }) => {
      const byUpn = domain === '' && same(user.upn, name);
      const domainFits = domain === '' || user.domain === undefined || same(user.domain, domain);
      return byUpn || (same(user.name, name) && domainFits);
    });
    return found ?? null;
  }

  /** Every user-id somebody may write, with its user, in the forms `findByUserId` takes. */
  userIds(): (readonly [userId: string, account: Account])[] {
    return this.#accounts.flatMap((account) => {
      const { name, domain, upn } = account.user;
      const forms = [name, upn, domain === undefined ? undefined : `${domain}\\${name}`];
      return forms.filter((form) => form !== undefined).map((form) => [form, account] as const);
    });
  }

  /** The user of a Basic user-id: `name`, `DOMAIN\name` or a UPN. */
  findByUserId(userId: string): Account | null {
    const backslash = userId.indexOf('\\');
    return backslash === -1
      ? this.find(userId, '')
      : this.find(userId.slice(backslash + 1), userId.slice(0, backslash));
  }
}

/** How counts and log name a user, known or not. */
export function accountId(name: string, domain: string): string {
  return domain === '' ? name : `${domain}\\${name}`;
}

/** Compares passwords in time that does not depend on them. */
export function isPassword(account: Account, password: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(digest(account.user.password), digest(password));
}

function same(known: string | undefined, given: string): boolean {
  return known !== undefined && known.toLowerCase() === given.toLowerCase();
}
