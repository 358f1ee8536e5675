// New settings for a `serve` that runs: read, checked, and taken as a whole or not at all. Owns what can be changed now, and what is
// said of the rest. Tunnels and requests under way never notice.
import { existsSync } from 'node:fs';
import { isSallyportError } from '../errors/sallyport-error.ts';
import type { UpstreamSettings } from '../upstream/settings.ts';
import type { ServeOutput } from './serve-output.ts';
import type { ServeFlags, ServeSettings } from './serve-settings.ts';
import { configurationPath, serveSettings } from './serve-settings.ts';
import type { ServeUpstream } from './serve-upstream.ts';
import type { LastingSettings } from './sign-on-settings.ts';

export interface ReloadInputs {
  readonly flags: ServeFlags;
  readonly again: LastingSettings['again'];
  readonly upstream: ServeUpstream;
  readonly output: ServeOutput;
  readonly settings: ServeSettings;
}

export class ServeReload {
  readonly #inputs: ReloadInputs;
  /** Those it began with: they hold for its port. */
  readonly #first: ServeSettings;
  #settings: ServeSettings;
  #turn: Promise<void> = Promise.resolve();
  #outcome: string;

  constructor(inputs: ReloadInputs) {
    this.#inputs = inputs;
    this.#first = inputs.settings;
    this.#settings = inputs.settings;
    const path = configurationPath(inputs.flags);
    this.#outcome = path !== undefined && existsSync(path) ? path : 'none';
  }

  get settings(): ServeSettings {
    return this.#settings;
  }

  /** For people: which file, and whether the last change of it was taken. */
  get outcome(): string {
    return this.#outcome;
  }

  /**
   * Reads all settings once more. Never rejects: what cannot be taken is logged, and all stays as it was.
   *
   * @param all whether to take everything anew, as at SIGHUP: authorities, the system's settings, the log file
   */
  run(all: boolean): Promise<void> {
    this.#turn = this.#turn.then(() => this.#run(all));
    return this.#turn;
  }

  async #run(all: boolean): Promise<void> {
    const { log } = this.#inputs.output;
    const path = configurationPath(this.#inputs.flags) ?? 'none';
    try {
      const settings = await serveSettings(this.#inputs.flags);
      const upstream = await this.#inputs.again();
      checkWays(upstream);
      await this.#take(settings, upstream, all);
      this.#outcome = `${path}, read again ${new Date().toISOString()}`;
    } catch (error) {
      const { message, hint } = isSallyportError(error)
        ? error
        : { message: String(error), hint: undefined };
      log.say('error', 'settings not changed: those of before stay', { error: message, hint });
      this.#outcome = `${path}; its last change was not taken: ${message}`;
    }
  }

  async #take(next: ServeSettings, settings: UpstreamSettings, all: boolean): Promise<void> {
    const { upstream, output } = this.#inputs;
    const { others, warm, log } = this.#settings;
    if (all || log !== next.log || next.logLevel !== this.#settings.logLevel) {
      await output.follow(next);
    }
    if (all || others !== next.others || warm !== next.warm) {
      await upstream.replace(settings, next.warm);
    }
    this.#settings = next;
    output.log.say('info', 'settings changed');
    const later = laterKeys(this.#first, next);
    if (later.length > 0) {
      output.log.say('warn', `another ${later.join(', ')} counts from the next start on`);
    }
  }
}

/**
 * What would fail at each request only.
 *
 * @throws SallyportError PROXY_URL_INVALID, NO_PROXY_INVALID
 */
export function checkWays(settings: UpstreamSettings): void {
  settings.wayFor('https:');
  settings.wayFor('http:');
}

/** Whoever holds the port holds it by the rules it began with. */
function laterKeys(first: ServeSettings, next: ServeSettings): string[] {
  const keys = ['allow', 'sameUser', 'allowUsers'] as const;
  const isOther = (one: unknown, other: unknown) => JSON.stringify(one) !== JSON.stringify(other);
  return [
    ...(isOther([first.port.host, first.port.port], [next.port.host, next.port.port])
      ? ['listen']
      : []),
    ...keys
      .filter((key) => isOther(first.port[key], next.port[key]))
      .map((key) => (key === 'allowUsers' ? 'allowUser' : key)),
    ...(first.logFormat === next.logFormat ? [] : ['logFormat']),
  ];
}
