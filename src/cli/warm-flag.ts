// `--warm`, of the commands that live long enough for it. Owns its spelling and limits.
import { InvalidArgumentError, Option } from 'commander';
import { MAX_READY } from '../upstream/ready-connections.ts';

export interface WarmFlag {
  readonly warm?: number;
}

export function warmOption(): Option {
  const about = `connections signed on ahead, at most; 0 makes none (default ${MAX_READY})`;
  return new Option('--warm <count>', about).argParser((text) => {
    if (!/^\d+$/.test(text) || Number(text) > MAX_READY) {
      throw new InvalidArgumentError(`It is a number from 0 to ${MAX_READY}.`);
    }
    return Number(text);
  });
}
