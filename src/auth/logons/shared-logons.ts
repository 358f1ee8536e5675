// What processes of one user tell each other about logons: verdicts, and whose turn it is to try. Owns the state file of
// logons; every failure of it means "no answer", never an error at the sign-on.
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { openLogonFile } from './logon-file.ts';
import type { LogonDocument, LogonRecord } from './logon-record.ts';
import {
  emptyDocument,
  findRecord,
  formatDocument,
  isAbout,
  newRecord,
  parseDocument,
  withRecord,
} from './logon-record.ts';
import type { LogonRequest } from './logon-request.ts';
import type { Standing } from './logon-standing.ts';
import { isDecided, isTrusted } from './logon-standing.ts';
import { isRunning, ownMark } from './process-mark.ts';
import { tagOf } from './secret-tag.ts';
import type { StateFile } from './state-file.ts';

/** Longer than any sign-on: for holders whose life cannot be watched. */
const LEASE_MS = 3 * 60_000;
/** How often a waiting process looks whether its turn has come. */
const POLL_MS = 50;
/** An acceptance younger than this need not be written again. */
const FRESH_MS = 30_000;
/** A file that failed is left alone so long. */
const REST_MS = 30_000;
/** How often a file may be replaced by another one while a tag is computed for it. */
const MAX_SALTS = 3;

/** What the file says of one request, and when. */
export interface SharedView {
  /** `null` when there is no record of it. */
  readonly standing: Standing | null;
  /** The leases of it that stand. */
  readonly held: LogonRecord['leases'];
  readonly salt: string;
  readonly revision: number;
}

export interface Claim {
  readonly view: SharedView;
  /** The turn, or `null`: it is others', or needs none. */
  readonly lease: string | null;
}

export class SharedLogons {
  readonly #open: () => StateFile | null;
  readonly #now: () => number;
  #file: StateFile | null | undefined;
  #restsUntil = 0;
  #parsed: { readonly text: string; readonly document: LogonDocument } | null = null;
  /** The salt of the file that is not there yet. */
  readonly #draft = emptyDocument();
  readonly #unsaid = new Map<string, (standing: Standing) => Standing>();

  /**
   * @param open finds the file when it is needed first; default: that of this process
   * @param now wall clock, milliseconds
   */
  constructor(open: () => StateFile | null = openLogonFile, now: () => number = Date.now) {
    this.#open = open;
    this.#now = now;
  }

  /** Begins what `claim` will need. */
  async prepare(request: LogonRequest): Promise<void> {
    await this.#attempt(async (file) => this.#tagOf(request, await this.#read(file)));
  }

  /** @returns `null` when the file cannot be used */
  look(request: LogonRequest): Promise<SharedView | null> {
    return this.#attempt(async (file) => {
      const document = await this.#read(file);
      return viewOf(document, await this.#find(document, request));
    });
  }

  /**
   * Takes the turn to try an unproven or doubted secret.
   *
   * @param room how many may try at the same time
   * @returns `null` when the file cannot be used
   */
  claim(request: LogonRequest, room: number): Promise<Claim | null> {
    return this.#change(request, (record) => {
      const now = this.#now();
      const held = stillHeld(record.leases, now);
      if (isDecided(record.standing, now) || held.length >= room) {
        return { next: null, lease: null };
      }
      const lease = {
        ...ownMark(),
        id: randomBytes(9).toString('base64url'),
        until: now + LEASE_MS,
      };
      return { next: { ...record, leases: [...held, lease] }, lease: lease.id };
    });
  }

  /**
   * Gives the turn back, and says what came of it. A process that ends before this is done says it on its way out.
   *
   * @param lease as `claim` gave it
   * @param change what the verdict makes of the standing, if there was one
   * @returns `null` when it could not be written
   */
  async settle(
    request: LogonRequest,
    lease: string | null,
    change: ((standing: Standing) => Standing) | null,
  ): Promise<SharedView | null> {
    if (lease === null && change !== null) {
      const view = await this.look(request);
      if (view?.standing && this.#saysNothingNew(view.standing, change(view.standing))) {
        return view;
      }
    }
    this.#lastWords(lease, change);
    const claim = await this.#change(request, (record) => {
      const leases = record.leases.filter(({ id }) => id !== lease);
      const standing = change === null ? record.standing : change(record.standing);
      return { next: { ...record, standing, leases }, lease: null };
    });
    this.#lastWords(lease, null);
    return claim?.view ?? null;
  }

  /**
   * Waits until the record changes or a holder of its turns dies.
   *
   * @returns true when `waitMs` passed without
   * @throws the reason of `signal`
   */
  async waitForChange(
    request: LogonRequest,
    { standing, held, salt }: SharedView,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const deadline = performance.now() + waitMs;
    const before = JSON.stringify([standing, held, salt]);
    while (performance.now() < deadline) {
      await pause(POLL_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
      const now = await this.look(request);
      const after = now && JSON.stringify([now.standing, now.held, now.salt]);
      if (after !== before || stillHeld(held, this.#now()).length < held.length) {
        return false;
      }
    }
    return true;
  }

  #saysNothingNew(before: Standing, after: Standing): boolean {
    return (
      after.verdict === 'proven' &&
      isTrusted(before, this.#now()) &&
      after.strikes === 0 &&
      after.acceptedAt - before.acceptedAt < FRESH_MS
    );
  }

  /** The tag is computed before the file is locked; a salt that changed in between costs one turn more. */
  #change(
    request: LogonRequest,
    edit: (record: LogonRecord) => { next: LogonRecord | null; lease: string | null },
  ): Promise<Claim | null> {
    return this.#attempt(async (file) => {
      for (let turn = 0; turn < MAX_SALTS; turn += 1) {
        const { salt } = await this.#read(file);
        const tag = await this.#tagOf(request, { salt });
        const done = await file.change<Claim | null>((text) => {
          const before = parseDocument(text) ?? this.#draft;
          if (before.salt !== salt) {
            return [null, null];
          }
          const record = findRecord(before, request, tag, this.#now()) ?? newRecord(request, tag);
          const { next, lease } = edit(record);
          if (next === null) {
            return [null, { view: viewOf(before, record), lease }];
          }
          const after = withRecord(before, next, this.#now());
          return [formatDocument(after), { view: viewOf(after, next), lease }];
        });
        if (done !== null) {
          return done;
        }
      }
      return null;
    });
  }

  /** Verdicts on their way to the file, by lease. */
  #lastWords(lease: string | null, change: ((standing: Standing) => Standing) | null): void {
    if (lease === null) {
      return;
    }
    change === null ? this.#unsaid.delete(lease) : this.#unsaid.set(lease, change);
    process.off('exit', this.#sayAtExit);
    if (this.#unsaid.size > 0) {
      process.on('exit', this.#sayAtExit);
    }
  }

  readonly #sayAtExit = (): void => {
    try {
      this.#file?.changeAtExit((text) => {
        const document = parseDocument(text);
        const logons = document?.logons.map((record) => {
          const words = record.leases.map(({ id }) => this.#unsaid.get(id));
          const change = words.find((word) => word !== undefined);
          return change === undefined
            ? record
            : { ...record, standing: change(record.standing), leases: [] };
        });
        return [document && logons ? formatDocument({ ...document, logons }) : null, null];
      });
    } catch {
      // Nobody is left to be told.
    }
  };

  async #read(file: StateFile): Promise<LogonDocument> {
    const text = await file.read();
    if (this.#parsed?.text !== text) {
      this.#parsed = { text, document: parseDocument(text) ?? this.#draft };
    }
    return this.#parsed.document;
  }

  async #find(document: LogonDocument, request: LogonRequest): Promise<LogonRecord | null> {
    if (!document.logons.some((record) => isAbout(record, request))) {
      return null;
    }
    return findRecord(document, request, await this.#tagOf(request, document), this.#now());
  }

  async #tagOf({ secret }: LogonRequest, { salt }: { salt: string }): Promise<number | null> {
    return secret === null ? null : tagOf(secret, salt);
  }

  async #attempt<T>(work: (file: StateFile) => Promise<T>): Promise<T | null> {
    if (performance.now() < this.#restsUntil) {
      return null;
    }
    try {
      this.#file ??= this.#open();
      return this.#file === null ? null : await work(this.#file);
    } catch {
      this.#restsUntil = performance.now() + REST_MS;
      return null;
    }
  }
}

function viewOf({ salt, revision }: LogonDocument, record: LogonRecord | null): SharedView {
  return { standing: record?.standing ?? null, held: record?.leases ?? [], salt, revision };
}

/** Those whose holder may still be at it. */
function stillHeld(leases: LogonRecord['leases'], now: number): LogonRecord['leases'] {
  return leases.filter(
    (lease) => lease.until > now && lease.until - now <= LEASE_MS && isRunning(lease) !== false,
  );
}
